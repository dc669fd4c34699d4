/**
 * Random calls from three instances while connections are cut, and answers are lost on their way: the
 * history is recorded, and must be one that a single register could have.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redis, type RedisClient } from '../../src/redis.ts'
import { postgres } from '../../src/stores/postgres.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import { type Store, StoreUnavailable } from '../../src/stores/store.ts'
import { sampleGrant } from '../../src/testing/contract/samples.ts'
import { postgresSuite, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import { startProxy, type TestProxy } from '../support/redis_proxy.ts'
import { tempFiles } from '../support/temp.ts'
import { type Call, faultsOf } from './history.ts'

const fresh = tempFiles('.db')
const KEYS = ['one', 'two', 'three', 'four', 'five', 'six']
const LANES = 2
const CALLS = 250
const FIRST = 'first'

type History = Map<string, Call[]>

/** Makes calls on all instances at once until each lane has made its number, and gives what was heard. */
async function record(stores: readonly Store[], direct: Store): Promise<History> {
  const history: History = new Map(KEYS.map((key) => [key, []]))
  for (const id of KEYS) await direct.insert('grant', sampleGrant({ id, subject: FIRST }))
  let tick = 0

  async function read(store: Store, key: string): Promise<number | undefined> {
    const begin = (tick += 1)
    const found = await answered(store.find('grant', key))
    if (found === undefined) return undefined
    const { version, record: grant } = found
    const what = { type: 'read', version, value: grant.subject } as const
    history.get(key)?.push({ begin, end: (tick += 1), what })
    return version
  }

  async function replace(store: Store, key: string, from: number, value: string): Promise<void> {
    const begin = (tick += 1)
    const grant = sampleGrant({ id: key, subject: value })
    const answer = await answered(store.replace('grant', grant, from))
    const end = answer === undefined ? Infinity : (tick += 1)
    history.get(key)?.push({ begin, end, what: { type: 'replace', from, value, answer } })
  }

  async function lane(store: Store, name: string): Promise<void> {
    const seen = new Map<string, number>()
    for (let at = 0; at < CALLS; at += 1) {
      const key = KEYS[Math.floor(Math.random() * KEYS.length)] ?? ''
      const from = seen.get(key)
      // Some write what they have read long ago.
      if (from === undefined || Math.random() < 0.5) {
        seen.set(key, (await read(store, key)) ?? from ?? 1)
      } else await replace(store, key, from, `${name}-${at}`)
    }
  }

  const lanes = stores.flatMap((store, at) =>
    Array.from({ length: LANES }, (_, number) => lane(store, `${at}.${number}`)),
  )
  await Promise.all(lanes)
  for (const key of KEYS) await read(direct, key)
  return history
}

/** The answer; undefined when there was none. */
async function answered<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined
    throw error
  }
}

/** Cuts one proxy after the other until it is stopped; every other time the answers are lost first. */
function trouble(proxies: readonly TestProxy[]): () => Promise<void> {
  let done = false
  const work = (async () => {
    for (let at = 0; !done; at += 1) {
      const proxy = proxies[at % proxies.length]
      if (at % 2 === 0) proxy?.holdAnswers()
      await sleep(10 + Math.random() * 20)
      proxy?.cut()
    }
  })()
  return async () => {
    done = true
    await work
  }
}

/** Every record's history is right, and tells enough: writes that won, that lost, and without answer. */
function check(history: History, cut: boolean): void {
  const answers = { true: 0, false: 0, undefined: 0 }
  for (const [key, calls] of history) {
    expect(faultsOf(calls, FIRST), key).toEqual([])
    for (const { what } of calls)
      if (what.type === 'replace') answers[`${what.answer ?? 'undefined'}`] += 1
  }
  expect(answers.true).toBeGreaterThan(20)
  expect(answers.false).toBeGreaterThan(20)
  if (cut) expect(answers.undefined).toBeGreaterThan(0)
}

describe('MI-02 the checker', () => {
  const write = (
    begin: number,
    end: number,
    from: number,
    value: string,
    answer?: boolean,
  ): Call => ({
    begin,
    end,
    what: { type: 'replace', from, value, answer },
  })
  const read = (begin: number, end: number, version: number, value: string): Call => ({
    begin,
    end,
    what: { type: 'read', version, value },
  })

  it('MI-02 explains what a register can do', () => {
    const fine = [write(1, 4, 1, 'a', true), write(2, 5, 1, 'b', false), read(3, 6, 1, FIRST)]
    expect(faultsOf([...fine, write(7, Infinity, 2, 'c'), read(8, 9, 3, 'c')], FIRST)).toEqual([])
    expect(faultsOf([...fine, write(7, Infinity, 2, 'c'), read(8, 9, 2, 'a')], FIRST)).toEqual([])
  })

  it.each([
    ['two winners', [write(1, 4, 1, 'a', true), write(2, 5, 1, 'b', true)]],
    ['a read of before', [write(1, 2, 1, 'a', true), read(3, 4, 1, FIRST)]],
    ['a lost write', [write(1, 2, 1, 'a', true), write(3, 4, 1, 'b', true)]],
    ['a value of nobody', [read(1, 2, 2, 'a')]],
    ['a value of later', [read(1, 2, 2, 'a'), write(3, 4, 1, 'a', true)]],
    ['a refusal that was done', [write(1, 2, 1, 'a', false), read(3, 4, 2, 'a')]],
    ['a refusal for nothing', [write(1, 2, 1, 'a', false)]],
  ] as const)('MI-02 finds %s', (_, calls) => {
    expect(faultsOf(calls, FIRST)).not.toEqual([])
  })
})

it('MI-02 three instances on one SQLite file are one register for each record', async () => {
  const file = fresh()
  const stores = Array.from({ length: 3 }, () => sqlite(file))
  check(await record(stores, stores[0]!), false)
  await Promise.all(stores.map((store) => store.close()))
})

postgresSuite(describe, 'PostgreSQL behind proxies that cut', () => {
  let server: TestPostgres
  beforeAll(async () => void (server = await startPostgres()))
  afterAll(() => server.close())

  it('MI-02 three instances whose connections are cut are one register for each record', async () => {
    const database = await server.freshDatabase()
    const proxies = await Promise.all([0, 1, 2].map(() => startProxy(server.port)))
    const stores = proxies.map(({ port }) =>
      postgres(server.pool({ database, port }), { timeout: 1 }),
    )
    const direct = postgres(server.pool({ database }))
    // The tables are there before the first cut.
    await Promise.all(stores.map((store) => store.find('grant', 'none')))
    const stop = trouble(proxies)
    const history = await record(stores, direct).finally(stop)
    check(history, true)
    await Promise.all([...stores, direct].map((store) => store.close()))
    await Promise.all(proxies.map((proxy) => proxy.close()))
  })
})

redisSuite(describe, 'Redis behind proxies that cut', () => {
  let server: TestRedis
  const clients = testClients()
  beforeAll(async () => void (server = await startRedis()))
  afterAll(() => server.close())

  /** What three instances over such clients were answered. */
  async function recordThrough(
    prefix: string,
    make: (port: number) => RedisClient | Promise<RedisClient>,
  ): Promise<History> {
    const options = { prefix, timeout: 0.2 }
    const proxies = await Promise.all([0, 1, 2].map(() => startProxy(server.port)))
    const made = await Promise.all(proxies.map(async ({ port }) => make(port)))
    const stores = made.map((client) => redis(client, options))
    const direct = redis(clients.ioRedis(server.port), options)
    await Promise.all(stores.map((store) => store.find('grant', 'none')))
    const stop = trouble(proxies)
    const history = await record(stores, direct).finally(stop)
    await Promise.all([...stores, direct].map((store) => store.close()))
    await Promise.all(proxies.map((proxy) => proxy.close()))
    return history
  }

  it('MI-02 three instances through node-redis whose connections are cut are one register for each record', async () => {
    check(await recordThrough('node', clients.nodeRedis), true)
  })

  it('MI-02 so they are through ioredis that sends nothing twice', async () => {
    const made: Redis[] = []
    const history = await recordThrough('once', (port) => {
      const client = new Redis(port, '127.0.0.1', { autoResendUnfulfilledCommands: false })
      client.on('error', () => undefined)
      made.push(client)
      return client
    })
    for (const client of made) client.disconnect()
    check(history, true)
  })

  it('MI-02 through ioredis as it is, a write that came twice may be told as refused, and nothing else is wrong', async () => {
    const history = await recordThrough('twice', clients.ioRedis)
    check(new Map([...history].map(([key, calls]) => [key, calls.map(withDoubt(calls))])), false)
  })
})

/** A refusal of what was read all the same is as good as no answer. */
function withDoubt(calls: readonly Call[]): (call: Call) => Call {
  const read = new Set(calls.map(({ what }) => (what.type === 'read' ? what.value : undefined)))
  return (call) => {
    const { what } = call
    if (what.type === 'read' || what.answer !== false || !read.has(what.value)) return call
    return { ...call, end: Infinity, what: { ...what, answer: undefined } }
  }
}

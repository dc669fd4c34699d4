/** A Redis in trouble: each failure is an outage within its time, never an answer, and passes by itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redis, type RedisClient } from '../../src/redis.ts'
import { INSERT } from '../../src/stores/redis_scripts.ts'
import type { Store } from '../../src/stores/store.ts'
import { NOW, sampleClaim, sampleGrant, SAMPLES } from '../../src/testing/contract/samples.ts'
import { call, refresh, signIn } from '../support/flow.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import { startProxy } from '../support/redis_proxy.ts'
import { startServer } from '../support/server.ts'

const unavailable = { name: 'StoreUnavailable' }

const VERBS: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
  ['find', (store) => store.find('grant', 'grant')],
  ['insert', (store) => store.insert('grant', sampleGrant({ id: 'new' }))],
  ['replace', (store) => store.replace('grant', sampleGrant(), 1)],
  ['take', (store) => store.take('grant', 'grant')],
  ['list', (store) => store.list('grant', 'subject', 'one', { limit: 1 })],
  ['scan', (store) => store.scan('grant', { limit: 1 })],
  ['deleteExpired', (store) => store.deleteExpired(NOW, 1)],
  ['watch', async (store) => store.watch?.(() => undefined)],
]

async function allFail(store: Store): Promise<void> {
  const failures = VERBS.map(async ([verb, run]) => {
    await expect(run(store), verb).rejects.toMatchObject(unavailable)
  })
  await Promise.all(failures)
}

redisSuite(describe, 'Redis in trouble', () => {
  let server: TestRedis
  let made = 0
  const fresh = (): { prefix: string } => ({ prefix: `test${(made += 1)}` })
  const clients = testClients()
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())

  const makers: readonly [string, (port: number) => RedisClient | Promise<RedisClient>][] = [
    ['ioredis', clients.ioRedis],
    ['node-redis', clients.nodeRedis],
  ]

  it.each(makers)(
    'ST-12 through %s: paused it is an outage within the time, and works again by itself',
    async (_, make) => {
      const own = await startRedis()
      const store = redis(await make(own.port), { timeout: 0.5 })
      await store.insert('grant', sampleGrant())
      own.signal('SIGSTOP')
      await allFail(store)
      own.signal('SIGCONT')
      await expect.poll(() => store.find('claim', 'none').catch(() => 'down')).toBeUndefined()
      expect(await store.insert('claim', sampleClaim())).toBe(true)
      await own.close()
    },
  )

  it.each(makers)(
    'ST-12 through %s: killed it is an outage, and started again it is used again',
    async (_, make) => {
      const own = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always'])
      const store = redis(await make(own.port), { timeout: 0.5 })
      await store.insert('claim', sampleClaim())
      own.signal('SIGKILL')
      await allFail(store)
      await own.restart()
      // What was asked meanwhile may be done now, and is of other records.
      const find = (): Promise<unknown> => store.find('claim', 'claim').catch(() => 'down')
      await expect.poll(find, { timeout: 10_000 }).toMatchObject({ version: 1 })
      await own.close()
    },
  )

  it('ST-12 a server over it answers 503 with Retry-After and signs nobody out', async () => {
    const own = await startRedis(['--appendonly', 'yes'])
    const store = redis(clients.ioRedis(own.port), { timeout: 0.5 })
    const front = await startServer({ store })
    const { client, tokens } = await signIn(front)
    own.signal('SIGSTOP')
    const down = await refresh(front, client, tokens.refresh_token)
    expect(down.status).toBe(503)
    expect(Number(down.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await call(front, tokens.access_token)).status).toBe(503)
    own.signal('SIGCONT')
    await expect.poll(async () => (await call(front, tokens.access_token)).status).toBe(200)
    expect((await refresh(front, client, tokens.refresh_token)).status).toBe(200)
    await front.close()
    await own.close()
  })

  it('ST-12 a read-only replica, one without its primary, a wrong password: outages with their cause', async () => {
    const own = await startRedis()
    const store = redis(clients.ioRedis(own.port))
    expect(await store.insert('claim', sampleClaim())).toBe(true)
    await own.cli('REPLICAOF', '127.0.0.1', `${server.port}`)
    await expect(store.insert('claim', sampleClaim({ id: 'b' }))).rejects.toMatchObject({
      ...unavailable,
      cause: { message: expect.stringMatching(/READONLY/) },
    })
    await own.cli('REPLICAOF', 'NO', 'ONE')
    await own.cli('CONFIG', 'SET', 'requirepass', 'secret')
    await expect(redis(clients.ioRedis(own.port)).find('claim', 'claim')).rejects.toMatchObject({
      ...unavailable,
      cause: { message: expect.stringMatching(/NOAUTH/) },
    })
    await own.close()
  })

  it.each(['allkeys-lru', 'volatile-ttl', 'allkeys-random'])(
    'ST-14 it is refused with maxmemory-policy %s, until that is set right',
    async (policy) => {
      const own = await startRedis(['--maxmemory', '100mb', '--maxmemory-policy', policy])
      const store = redis(clients.ioRedis(own.port))
      const message = expect.stringMatching(`maxmemory-policy ${policy}.*set it to noeviction`)
      await expect(store.find('claim', 'claim')).rejects.toMatchObject({ ...unavailable, message })
      expect(await own.cli('DBSIZE')).toBe('0')
      await own.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
      expect(await store.insert('claim', sampleClaim())).toBe(true)
      await own.close()
    },
  )

  it('ST-14 full it refuses writes, answers reads, and drops nothing', async () => {
    const own = await startRedis(['--maxmemory', '4mb'])
    const store = redis(clients.ioRedis(own.port))
    const answered: string[] = []
    const fill = async (): Promise<void> => {
      for (let at = 0; at < 10_000; at += 1) {
        const value = 'x'.repeat(2000)
        await store.insert('claim', sampleClaim({ id: `${at}`, value }))
        answered.push(`${at}`)
      }
    }
    await expect(fill()).rejects.toMatchObject({
      ...unavailable,
      cause: { message: expect.stringMatching(/OOM/) },
    })
    expect(answered.length).toBeGreaterThan(100)
    for (const id of answered) expect(await store.find('claim', id), id).toBeDefined()
    await own.close()
  })

  it('ST-14 ST-15 emptied, or started again without its file: everybody signs in anew, nothing is revived', async () => {
    const own = await startRedis()
    const front = await startServer({ store: redis(clients.ioRedis(own.port), { timeout: 1 }) })
    const first = await signIn(front)
    await own.cli('FLUSHALL')
    expect((await call(front, first.tokens.access_token)).status).toBe(401)
    // The client is known for a second more, its grant is gone at once.
    expect([400, 401]).toContain(
      (await refresh(front, first.client, first.tokens.refresh_token)).status,
    )
    const second = await signIn(front)
    own.signal('SIGKILL')
    await own.restart()
    await expect.poll(async () => (await call(front, second.tokens.access_token)).status).toBe(401)
    for (const { tokens } of [first, second]) {
      expect((await call(front, tokens.access_token)).status).toBe(401)
    }
    const third = await signIn(front)
    expect((await call(front, third.tokens.access_token)).status).toBe(200)
    await front.close()
    await own.close()
  })

  it('an answer that is cut off on its way is given again: who was first is told so', async () => {
    const proxy = await startProxy(server.port)
    const options = fresh()
    const store = redis(clients.ioRedis(proxy.port), options)
    await store.insert('ticket', SAMPLES.ticket)
    await store.insert('grant', sampleGrant({ id: 'old' }))
    // From now on scripts go by their hashes.
    await store.replace('claim', sampleClaim({ id: 'none' }), 1)
    await store.take('claim', 'none')
    const verbs: readonly (() => Promise<unknown>)[] = [
      () => store.insert('claim', sampleClaim()),
      () => store.replace('grant', sampleGrant({ id: 'old', endedAt: 9 }), 1),
      () => store.take('ticket', 'ticket'),
    ]
    const answers = [true, true, expect.objectContaining({ id: 'ticket' })]
    for (const [at, verb] of verbs.entries()) {
      proxy.holdAnswers()
      const answer = verb()
      const twin = redis(clients.ioRedis(server.port), options)
      await expect.poll(() => hasHappened(twin, at)).toBe(true)
      proxy.cut()
      expect(await answer).toEqual(answers[at])
    }
    // And once only.
    expect(await store.take('ticket', 'ticket')).toBeUndefined()
    expect(await store.insert('claim', sampleClaim())).toBe(false)
    expect((await store.find('grant', 'old'))?.version).toBe(2)
    await proxy.close()
  })

  it('an index that fits no record is a hint: not listed, and taken away once it is old', async () => {
    const { prefix } = fresh()
    const store = redis(clients.ioRedis(server.port), { prefix })
    await store.insert('grant', sampleGrant({ subject: 'one' }))
    const key = `${prefix}:ix:grant:subject:{one}`
    const now = Math.floor(Date.now() / 1000)
    for (const [id, at] of [
      ['gone', now - 1000],
      ['coming', now],
      ['grant', now - 1000],
    ] as const) {
      // An argument cannot hold a NUL.
      const script = `return redis.call('ZADD', KEYS[1], 0, ARGV[1] .. '\\0mark.' .. ARGV[2])`
      await server.cli('EVAL', script, '1', key, id, `${at}`)
    }
    for (let times = 0; times < 2; times += 1) {
      for (const limit of [1, 10]) {
        const { rows, cursor } = await store.list('grant', 'subject', 'one', { limit })
        expect(rows.map(({ record }) => record.id)).toEqual(['grant'])
        expect(cursor).toBeUndefined()
      }
    }
    expect(await server.cli('ZCARD', key)).toBe('2')
  })

  it('a record that comes long after its hints is not written: they may be gone by then', async () => {
    const client = clients.ioRedis(server.port)
    const key = `${fresh().prefix}:grant:{a}`
    const now = Math.floor(Date.now() / 1000)
    const write = (hinted: number): Promise<unknown> =>
      client.eval(INSERT, 1, key, '-', 'print', 'mark', 'attempt', '{}', `${hinted}`)
    expect(await write(now - 31)).toBe(-1)
    expect(await client.exists(key)).toBe(0)
    expect(await write(now)).toBe(1)
  })

  it('a scan that another process would go on with is begun again, and misses nothing', async () => {
    const own = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always'])
    const store = redis(clients.ioRedis(own.port))
    for (let at = 0; at < 50; at += 1) await store.insert('claim', sampleClaim({ id: `${at}` }))
    const { cursor } = await store.scan('claim', { limit: 10 })
    expect(cursor).toBeDefined()
    own.signal('SIGKILL')
    await own.restart()
    await expect(store.scan('claim', { limit: 10, cursor })).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringMatching(/begin it again/),
    })
    const { rows } = await store.scan('claim', { limit: 1000 })
    expect(rows).toHaveLength(50)
    await own.close()
  })

  it('a record outlives its expiry by a week, and then Redis lets it go by itself', async () => {
    const { prefix } = fresh()
    const store = redis(clients.ioRedis(server.port), { prefix })
    const now = Math.floor(Date.now() / 1000)
    const lives = async (id: string): Promise<number> =>
      Number(await server.cli('TTL', `${prefix}:claim:{${id}}`))
    for (const [id, expiresAt] of [
      ['past', 1],
      ['soon', now + 1000],
      ['never', undefined],
    ] as const) {
      await store.insert('claim', sampleClaim({ id, expiresAt }))
    }
    const week = 7 * 86_400
    expect(Math.abs((await lives('past')) - week)).toBeLessThan(5)
    expect(Math.abs((await lives('soon')) - week - 1000)).toBeLessThan(5)
    expect(await lives('never')).toBe(-1)
    await store.replace('claim', sampleClaim({ id: 'soon', expiresAt: undefined }), 1)
    expect(await lives('soon')).toBe(-1)
  })

  it('ST-25 nothing is left of what was taken, moved and deleted', async () => {
    const own = await startRedis()
    const store = redis(clients.ioRedis(own.port))
    for (let at = 0; at < 20; at += 1) {
      const id = `${at}`
      await store.insert('grant', sampleGrant({ id, expiresAt: NOW }))
      await store.replace('grant', sampleGrant({ id, expiresAt: NOW - 1, subject: 'moved' }), 1)
      await store.insert('grant', sampleGrant({ id }))
    }
    await store.take('grant', '3')
    // Who took it is known for some seconds.
    expect(Number(await own.cli('TTL', 'mcp_oauth:grant:{3}'))).toBeLessThanOrEqual(15)
    await own.cli('DEL', 'mcp_oauth:grant:{3}')
    expect(await store.deleteExpired(NOW, 100)).toBe(19)
    expect(await own.cli('KEYS', '*')).toBe('')
    await own.close()
  })

  it('a client with a prefix of its own for keys, or that is none, is refused at once', async () => {
    const { Redis } = await import('ioredis')
    const prefixed = new Redis(server.port, { keyPrefix: 'theirs:', lazyConnect: true })
    expect(() => redis(prefixed)).toThrow(/leave keyPrefix out/)
    expect(() => redis({} as RedisClient)).toThrow(/takes a client of ioredis or of node-redis/)
  })

  it('close waits for what is under way, and leaves the client to its owner', async () => {
    const client = clients.ioRedis(server.port)
    const store = redis(client, fresh())
    const inserted = store.insert('claim', sampleClaim())
    await store.close()
    expect(await inserted).toBe(true)
    expect(await client.ping()).toBe('PONG')
  })
})

/** Whether the step has been done behind the proxy, whatever its caller knows. */
async function hasHappened(twin: Store, at: number): Promise<boolean> {
  await sleep(10)
  if (at === 0) return (await twin.find('claim', 'claim')) !== undefined
  if (at === 1) return (await twin.find('grant', 'old'))?.version === 2
  return (await twin.find('ticket', 'ticket')) === undefined
}

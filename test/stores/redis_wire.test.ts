/** How commands go to Redis: those of one turn of the event loop in one write, a script by its hash. */
import { Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redis, type RedisClient } from '../../src/redis.ts'
import { createGathering } from '../../src/stores/redis_gathering.ts'
import { sampleClaim } from '../../src/testing/contract/samples.ts'
import { redisSuite, startCluster, startRedis, type TestRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'

interface TestStream {
  readonly stream: Writable
  /** What has left it, one text for each write. */
  readonly left: readonly string[]
}

function createStream(): TestStream {
  const left: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      left.push(String(chunk))
      done()
    },
    writev(chunks, done) {
      left.push(chunks.map(({ chunk }) => String(chunk)).join(''))
      done()
    },
  })
  return { stream, left }
}

describe('commands of one turn', () => {
  it('leave each connection in one write, those of the next turn in another', async () => {
    const [one, other] = [createStream(), createStream()]
    const gather = createGathering(() => [one, {}, other])
    for (const turn of ['a', 'b']) {
      for (const word of ['1', '2', '3']) {
        gather()
        one.stream.write(turn + word)
        await Promise.resolve()
      }
      gather()
      other.stream.write(turn)
      expect(one.left).toHaveLength(turn === 'a' ? 0 : 1)
      await nextTurn()
    }
    expect(one.left).toEqual(['a1a2a3', 'b1b2b3'])
    expect(other.left).toEqual(['a', 'b'])
  })

  it('are not held up by a connection that ends meanwhile', async () => {
    const { stream, left } = createStream()
    const next = createStream()
    let current = stream
    const gather = createGathering(() => [{ stream: current }])
    gather()
    stream.write('lost')
    stream.destroy()
    current = next.stream
    current.write('sent again')
    await nextTurn()
    expect(left).toEqual([])
    expect(next.left).toEqual(['sent again'])
    gather()
    current.write('more')
    await nextTurn()
    expect(next.left).toEqual(['sent again', 'more'])
  })
})

redisSuite(describe, 'the scripts', () => {
  const clients = testClients()
  let server: TestRedis
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())

  const makers: readonly [string, (port: number) => RedisClient | Promise<RedisClient>][] = [
    ['ioredis', clients.ioRedis],
    ['node-redis', clients.nodeRedis],
  ]

  it.each(makers)('through %s: their text goes to a server once', async (prefix, make) => {
    const store = redis(await make(server.port), { prefix })
    await server.cli('SCRIPT', 'FLUSH')
    await server.cli('CONFIG', 'RESETSTAT')
    for (let version = 1; version < 10; version += 1) {
      if (version === 1) expect(await store.insert('claim', sampleClaim())).toBe(true)
      expect(await store.replace('claim', sampleClaim(), version)).toBe(true)
    }
    expect(await calls('eval')).toBe(2)
    expect(await calls('evalsha')).toBe(8)
  })

  it.each(makers)(
    'through %s: where their hashes may not be asked for, the texts go',
    async (prefix, make) => {
      const own = await startRedis()
      await own.cli('ACL', 'SETUSER', 'default', '-script', '-evalsha')
      const store = redis(await make(own.port), { prefix })
      await store.insert('claim', sampleClaim())
      for (let version = 1; version < 4; version += 1) {
        expect(await store.replace('claim', sampleClaim(), version)).toBe(true)
      }
      await own.close()
    },
  )

  it.each(makers)('through %s: a server that has forgotten them is told', async (prefix, make) => {
    const store = redis(await make(server.port), { prefix: `${prefix}2` })
    await store.insert('claim', sampleClaim())
    await store.replace('claim', sampleClaim(), 1)
    await server.cli('SCRIPT', 'FLUSH')
    const answers = [1, 2, 3].map(() => store.replace('claim', sampleClaim({ value: 'new' }), 2))
    expect((await Promise.all(answers)).filter(Boolean)).toHaveLength(1)
    await server.cli('SCRIPT', 'FLUSH')
    expect(await store.take('claim', sampleClaim().id)).toMatchObject({ value: 'new' })
  })

  it('each node of a cluster is told', async () => {
    const cluster = await startCluster()
    const ports = cluster.nodes.map(({ port }) => port)
    for (const client of [clients.ioRedisCluster(ports), await clients.nodeRedisCluster(ports)]) {
      for (const { cli } of cluster.nodes) await cli('SCRIPT', 'FLUSH')
      const store = redis(client, { prefix: client.constructor.name })
      const ids = Array.from({ length: 30 }, (_, at) => `${at}`)
      const inserted = ids.map((id) => store.insert('claim', sampleClaim({ id })))
      expect((await Promise.all(inserted)).every(Boolean)).toBe(true)
    }
    await cluster.close()
  }, 60_000)

  async function calls(command: string): Promise<number> {
    const stats = await server.cli('INFO', 'commandstats')
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  }
})

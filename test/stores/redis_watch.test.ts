/** The feed of changed grants: what another instance did is heard, and a feed that broke says so. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redis, type RedisClient } from '../../src/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import { sampleClaim, sampleGrant } from '../../src/testing/contract/samples.ts'
import {
  redisSuite,
  startCluster,
  startRedis,
  type TestCluster,
  type TestRedis,
} from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import { startProxy } from '../support/redis_proxy.ts'

type Heard = (string | undefined)[]

async function watched(store: Store): Promise<{ heard: Heard; stop: () => Promise<void> }> {
  const heard: Heard = []
  const stop = await store.watch?.((id) => heard.push(id))
  if (stop === undefined) throw new Error('this store has no feed')
  return { heard, stop }
}

redisSuite(describe, 'hearing of changes', () => {
  let server: TestRedis
  let cluster: TestCluster
  let made = 0
  const fresh = (): { prefix: string } => ({ prefix: `test${(made += 1)}` })
  const clients = testClients()
  const ports = (): readonly number[] => cluster.nodes.map(({ port }) => port)
  beforeAll(async () => {
    server = await startRedis()
    cluster = await startCluster()
  }, 60_000)
  afterAll(async () => {
    await cluster.close()
    await server.close()
  })

  const makers: readonly [string, () => RedisClient | Promise<RedisClient>][] = [
    ['ioredis', () => clients.ioRedis(server.port)],
    ['node-redis', () => clients.nodeRedis(server.port)],
    ["ioredis' Cluster", () => clients.ioRedisCluster(ports())],
    ["node-redis' cluster", () => clients.nodeRedisCluster(ports())],
  ]

  it.each(makers)('through %s: replaced, taken and deleted, by others only', async (_, make) => {
    const options = fresh()
    const store = redis(await make(), options)
    const twin = redis(await make(), options)
    const { heard, stop } = await watched(store)
    const awkward = 'a\0b {c} "\ud800"\r\n'
    for (const id of ['one', awkward, 'old']) {
      await twin.insert('grant', sampleGrant({ id, expiresAt: id === 'old' ? 1 : undefined }))
    }
    await twin.insert('claim', sampleClaim())
    await twin.take('claim', 'claim')
    await store.replace('grant', sampleGrant({ id: 'one' }), 1)
    await twin.replace('grant', sampleGrant({ id: 'one' }), 1)
    await twin.replace('grant', sampleGrant({ id: 'one', endedAt: 3 }), 2)
    await expect.poll(() => heard).toEqual(['one'])
    await twin.take('grant', awkward)
    await expect.poll(() => heard).toEqual(['one', awkward])
    await twin.deleteExpired(1, 10)
    await expect.poll(() => heard).toEqual(['one', awkward, 'old'])
    await stop()
    await twin.take('grant', 'one')
    await store.close()
    await twin.close()
    expect(heard).toEqual(['one', awkward, 'old'])
  })

  it.each(makers)(
    'through %s: a connection that was cut is told, and heard again',
    async (name, make) => {
      const options = fresh()
      const store = redis(await make(), options)
      const twin = redis(await make(), options)
      const { heard, stop } = await watched(store)
      const nodes = name.includes('luster') ? cluster.nodes : [server]
      for (const node of nodes) await node.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await expect.poll(() => heard.includes(undefined), { timeout: 10_000 }).toBe(true)
      await twin.insert('grant', sampleGrant())
      // Once it is heard again nobody doubts.
      await expect
        .poll(
          async () => {
            const found = await twin.find('grant', 'grant')
            await twin.replace('grant', sampleGrant(), found?.version ?? 0)
            return heard.includes('grant')
          },
          { timeout: 15_000 },
        )
        .toBe(true)
      await stop()
      await store.close()
      await twin.close()
    },
    30_000,
  )

  it.each([
    ['ioredis', clients.ioRedis],
    ['node-redis', clients.nodeRedis],
  ] as const)(
    'ST-12 through %s: a feed whose bytes stop without an end is told each second, and given up for another',
    async (_, make) => {
      const proxy = await startProxy(server.port)
      const options = fresh()
      const store = redis(await make(proxy.port), { ...options, timeout: 1 })
      const twin = redis(clients.ioRedis(server.port), options)
      const { heard, stop } = await watched(store)
      proxy.hold()
      await expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThan(2)
      expect(new Set(heard)).toEqual(new Set([undefined]))
      proxy.release()
      await twin.insert('grant', sampleGrant())
      await expect
        .poll(
          async () => {
            const found = await twin.find('grant', 'grant')
            await twin.replace('grant', sampleGrant(), found?.version ?? 0)
            return heard.includes('grant')
          },
          { timeout: 15_000 },
        )
        .toBe(true)
      await stop()
      await store.close()
      await twin.close()
      await proxy.close()
    },
    30_000,
  )
})

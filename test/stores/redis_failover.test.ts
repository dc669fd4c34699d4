/**
 * A primary that dies: errors are outages, another takes over, and nobody starts anything again. What the
 * dead one had answered and its replica had not heard yet is lost; so after a failover a record may be as
 * it was a moment before, and never as it never was.
 */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redis } from '../../src/redis.ts'
import { type Store, StoreUnavailable } from '../../src/stores/store.ts'
import { sampleGrant, sampleRefresh } from '../../src/testing/contract/samples.ts'
import { call, refresh, signIn } from '../support/flow.ts'
import { redisSuite, startCluster, startSentinel, type TestCluster } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import { startServer } from '../support/server.ts'

interface Count {
  /** Every count that was answered, and its version. */
  readonly answered: readonly number[]
  readonly failures: readonly unknown[]
}

/** Counts up in one grant through a failover, until 20 counts are answered after the last failure. */
async function countThrough(
  store: Store,
  id: string,
  fail: () => Promise<unknown>,
): Promise<Count> {
  await store.insert('grant', sampleGrant({ id, refresh: sampleRefresh(0) }))
  const answered: number[] = []
  const failures: unknown[] = []
  let since = 0
  const until = Date.now() + 25_000
  for (let turn = 0; since < 20 || failures.length === 0; turn += 1) {
    if (turn === 50) await fail()
    if (Date.now() > until) throw new Error(`no recovery; ${failures.length} failures`)
    try {
      const found = await store.find('grant', id)
      const next = (found?.record.refresh?.generation ?? 0) + 1
      const grant = sampleGrant({ id, refresh: sampleRefresh(next) })
      if (await store.replace('grant', grant, found?.version ?? 0)) answered.push(next)
      since += 1
    } catch (error) {
      failures.push(error)
      since = 0
    }
  }
  return { answered, failures }
}

async function check(store: Store, id: string, { answered, failures }: Count): Promise<void> {
  for (const failure of failures) expect(failure).toBeInstanceOf(StoreUnavailable)
  const found = await store.find('grant', id)
  // Count and version are of one write, and the last answers are all there.
  expect(found?.version).toBe((found?.record.refresh?.generation ?? 0) + 1)
  expect(found?.record.refresh?.generation).toBe(answered.at(-1))
  const { rows } = await store.list('grant', 'subject', sampleGrant().subject, { limit: 10 })
  expect(rows.map(({ record }) => record.id)).toContain(id)
}

redisSuite(describe, 'a failover', () => {
  const clients = testClients()

  describe('of a cluster', () => {
    let cluster: TestCluster
    const ports = (): readonly number[] => cluster.nodes.map(({ port }) => port)
    beforeAll(async () => {
      cluster = await startCluster()
    }, 60_000)
    afterAll(() => cluster.close())

    it.each([
      ['ioredis', () => clients.ioRedisCluster(ports())],
      ['node-redis', () => clients.nodeRedisCluster(ports())],
    ])(
      'ST-13 through %s: outages for seconds, then it goes on',
      async (name, make) => {
        const store = redis(await make(), { timeout: 1 })
        const key = `mcp_oauth:grant:{${name}}`
        let dead: Awaited<ReturnType<TestCluster['killPrimaryOf']>> | undefined
        const count = await countThrough(store, name, async () => {
          dead = await cluster.killPrimaryOf(key)
        })
        await check(store, name, count)
        await dead?.restart()
        await store.close()
      },
      60_000,
    )

    it.each([
      ['ioredis', () => clients.ioRedisCluster(ports())],
      ['node-redis', () => clients.nodeRedisCluster(ports())],
    ])('ST-13 through %s: with waitReplicas each write is on a replica', async (name, make) => {
      // Who was killed before comes back as a replica, and has to catch up.
      await cluster.settle()
      const store = redis(await make(), { waitReplicas: 1, prefix: name })
      for (let at = 0; at < 20; at += 1) {
        expect(await store.insert('grant', sampleGrant({ id: `${at}` }))).toBe(true)
        expect(await store.take('grant', `${at}`)).toBeDefined()
      }
      const greedy = redis(await make(), { waitReplicas: 2, prefix: name })
      await expect(greedy.insert('grant', sampleGrant())).rejects.toThrow('1 of 2 replicas')
    })

    it('ST-13 a sign-in outlives it: 503 meanwhile, never 401', async () => {
      const store = redis(clients.ioRedisCluster(ports()), { timeout: 1 })
      const front = await startServer({ store, rateLimits: { token: 0 } })
      const { client, tokens } = await signIn(front)
      const { rows } = await store.scan('grant', { limit: 100 })
      const id = rows.find(({ record }) => record.client_id === client.client_id)?.record.id
      const before = await refresh(front, client, tokens.refresh_token)
      const token = String(before.body['access_token'])
      // Its replica has heard of it.
      for (const node of cluster.nodes) await node.cli('WAIT', '1', '1000').catch(() => '')
      const dead = await cluster.killPrimaryOf(`mcp_oauth:grant:{${id}}`)
      const statuses: number[] = []
      await expect
        .poll(
          async () => {
            statuses.push((await call(front, token)).status)
            return statuses.includes(503) && statuses.at(-1) === 200
          },
          { timeout: 40_000 },
        )
        .toBe(true)
      expect(new Set(statuses)).toEqual(new Set([503, 200]))
      const next = await refresh(front, client, String(before.body['refresh_token']))
      expect(next.status).toBe(200)
      await front.close()
      await dead.restart()
    }, 60_000)
  })

  it('ST-13 with waitReplicas a write that no replica has is an outage, and no answer', async () => {
    const set = await startSentinel()
    const { port } = set.primary
    for (const client of [clients.ioRedis(port), await clients.nodeRedis(port)]) {
      const store = redis(client, { waitReplicas: 1, prefix: client instanceof Redis ? 'a' : 'b' })
      expect(await store.insert('grant', sampleGrant())).toBe(true)
      expect(await store.replace('grant', sampleGrant(), 1)).toBe(true)
      expect(await store.replace('grant', sampleGrant(), 1)).toBe(false)
      set.replica.signal('SIGSTOP')
      await expect(store.replace('grant', sampleGrant(), 2)).rejects.toMatchObject({
        name: 'StoreUnavailable',
        message: 'Redis has it on 0 of 1 replicas',
      })
      expect((await store.find('grant', 'grant'))?.version).toBe(3)
      set.replica.signal('SIGCONT')
      await expect.poll(() => store.take('grant', 'grant').catch(() => 'down')).not.toBe('down')
    }
    await set.close()
  })

  it('ST-13 behind Sentinel: the replica is promoted and the store goes on', async () => {
    const set = await startSentinel()
    const store = redis(clients.sentinel(set.sentinel.port), { timeout: 1 })
    const count = await countThrough(store, 'one', async () => set.primary.signal('SIGKILL'))
    await check(store, 'one', count)
    await store.close()
    await set.close()
  }, 90_000)
})

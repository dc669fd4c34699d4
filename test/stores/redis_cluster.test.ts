import { afterAll, beforeAll, describe, it } from 'vitest'
import { redis } from '../../src/redis.ts'
import { storeContract } from '../../src/testing.ts'
import { redisSuite, startCluster, type TestCluster } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'

redisSuite(describe, 'Redis Cluster', () => {
  let cluster: TestCluster
  let made = 0
  const fresh = (): { prefix: string } => ({ prefix: `test${(made += 1)}` })
  const ports = (): readonly number[] => cluster.nodes.map(({ port }) => port)
  beforeAll(async () => {
    cluster = await startCluster()
  }, 60_000)
  afterAll(() => cluster.close())
  const clients = testClients()

  describe('ST-22 ST-26 the contract over six nodes, through ioredis', () => {
    storeContract({
      describe,
      it,
      createStore: () => redis(clients.ioRedisCluster(ports()), fresh()),
      createPair: async () => {
        const options = fresh()
        const client = clients.ioRedisCluster(ports())
        return [redis(client, options), redis(clients.ioRedisCluster(ports()), options)]
      },
    })
  })

  describe('ST-22 ST-26 the contract over six nodes, through node-redis', () => {
    storeContract({
      describe,
      it,
      createStore: async () => redis(await clients.nodeRedisCluster(ports()), fresh()),
      createPair: async () => {
        const options = fresh()
        const client = await clients.nodeRedisCluster(ports())
        return [redis(client, options), redis(clients.ioRedisCluster(ports()), options)]
      },
    })
  })
})

import { afterAll, beforeAll, describe, it } from 'vitest'
import { redis } from '../../src/redis.ts'
import { storeContract } from '../../src/testing.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'

redisSuite(describe, 'Redis', () => {
  let server: TestRedis
  let made = 0
  const fresh = (): { prefix: string } => ({ prefix: `test*[${(made += 1)}]` })
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())
  const clients = testClients()

  describe('ST-22 the contract, through ioredis', () => {
    storeContract({
      describe,
      it,
      createStore: () => redis(clients.ioRedis(server.port), fresh()),
      createPair: async () => {
        const options = fresh()
        const client = clients.ioRedis(server.port)
        return [redis(client, options), redis(clients.ioRedis(server.port), options)]
      },
    })
  })

  describe('ST-22 the contract, through node-redis', () => {
    storeContract({
      describe,
      it,
      createStore: async () => redis(await clients.nodeRedis(server.port), fresh()),
      createPair: async () => {
        const options = fresh()
        const client = await clients.nodeRedis(server.port)
        return [redis(client, options), redis(clients.ioRedis(server.port), options)]
      },
    })
  })
})

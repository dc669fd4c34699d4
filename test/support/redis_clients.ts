/** Clients as users make them, ended with the test or with the file that made them. */
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { afterAll, afterEach } from 'vitest'
import type { RedisClient } from '../../src/redis.ts'

/** Gives functions that make clients; they live as long as the test, or the file, that made them. */
export function testClients(lives: 'test' | 'file' = 'test'): {
  ioRedis(port: number): Redis
  ioRedisCluster(ports: readonly number[]): Cluster
  nodeRedis(port: number): Promise<RedisClient>
  nodeRedisCluster(ports: readonly number[]): Promise<RedisClient>
  sentinel(port: number): Redis
} {
  const ends: (() => unknown)[] = []
  const after = lives === 'test' ? afterEach : afterAll
  after(() => {
    for (const end of ends.splice(0)) end()
  })
  const quiet = (): void => undefined
  return {
    ioRedis(port) {
      const client = new Redis(port, '127.0.0.1')
      client.on('error', quiet)
      ends.push(() => client.disconnect())
      return client
    },
    ioRedisCluster(ports) {
      const client = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })))
      client.on('error', quiet)
      ends.push(() => client.disconnect())
      return client
    },
    sentinel(port) {
      const client = new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: 'main' })
      client.on('error', quiet)
      ends.push(() => client.disconnect())
      return client
    },
    async nodeRedis(port) {
      const client = createClient({ url: `redis://127.0.0.1:${port}` })
      client.on('error', quiet)
      ends.push(() => client.destroy())
      await client.connect()
      return client
    },
    async nodeRedisCluster(ports) {
      const rootNodes = ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }))
      const client = createCluster({ rootNodes })
      client.on('error', quiet)
      ends.push(() => client.destroy())
      await client.connect()
      return client
    },
  }
}

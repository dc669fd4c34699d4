export { redis, type RedisOptions, type RedisStoreOptions } from './stores/redis.ts'
export type {
  IoRedisClient,
  IoRedisCluster,
  NodeRedisClient,
  NodeRedisCluster,
  RedisClient,
} from './stores/redis_clients.ts'

export { upstash, upstashFromEnvironment, type UpstashOptions } from './stores/upstash.ts'
export type { RedisStoreOptions } from './stores/redis.ts'

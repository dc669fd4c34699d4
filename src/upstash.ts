export { upstash, upstashFromEnvironment, type UpstashOptions } from './stores/upstash.ts'
export type { RedisOptions } from './stores/redis.ts'

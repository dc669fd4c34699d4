/**
 * A store opened from the words of `--store`.
 *
 * A database's client is what the user brings, so it is loaded when it is needed, and one that is
 * missing is told with the line that installs it.
 */
import type { Cluster, Redis } from 'ioredis'
import { createExecutor } from '../stores/redis_clients.ts'
import type { RedisExecutor } from '../stores/redis_executor.ts'
import { memory } from '../stores/memory.ts'
import { postgres } from '../stores/postgres.ts'
import { redis } from '../stores/redis.ts'
import { sqlite } from '../stores/sqlite.ts'
import type { Store } from '../stores/store.ts'
import { upstashExecutor, upstashFromEnvironment } from '../stores/upstash.ts'
import type { Environment } from './read_environment.ts'
import { readStoreSetting, type StoreSetting } from './store_setting.ts'

/** A store, and the way to let go of it and of the client that it was made with. */
export interface OpenedStore {
  readonly store: Store
  close(): Promise<void>
}

type RedisSetting = Extract<StoreSetting, { readonly type: `redis${string}` }>

/** Seconds to a connection: within the time that the drivers give each call. */
const CONNECT = 4
const REDIS = {
  connectTimeout: CONNECT * 1000,
  // A connection whose other end has gone without a word is given up, and made anew.
  socketTimeout: CONNECT * 1000,
  maxRetriesPerRequest: 3,
  // Sent again, a write that was done would find its own work and be told that somebody else was faster.
  autoResendUnfulfilledCommands: false,
}

/**
 * Opens the store that `place` spells.
 * @throws RangeError when the spelling is wrong, StoreUnavailable when it cannot be opened
 */
export async function openStore(place: string, environment: Environment): Promise<OpenedStore> {
  const setting = readStoreSetting(place, environment)
  if ('fault' in setting) throw new RangeError(setting.fault)
  return await openSetting(setting)
}

/** Opens the store of a setting that has been judged. One that was built by code is handed over. */
export async function openSetting(setting: StoreSetting | Store): Promise<OpenedStore> {
  if (!('type' in setting)) return alone(setting)
  switch (setting.type) {
    case 'memory':
      return alone(memory())
    case 'sqlite':
      return alone(sqlite(setting.path))
    case 'postgres':
      return await openPostgres(setting.url)
    case 'redis':
    case 'redis_cluster':
    case 'redis_sentinel':
      return await openRedis(setting)
    case 'upstash':
      return alone(upstashFromEnvironment(setting.environment))
  }
}

/** The keys of a Redis as they are, for what another program has put there. */
export interface OpenedKeys {
  readonly executor: RedisExecutor
  close(): Promise<void>
}

/** Opens the Redis that `place` spells. @throws RangeError when it spells none */
export async function openRedisKeys(place: string, environment: Environment): Promise<OpenedKeys> {
  const setting = readStoreSetting(place, environment)
  if ('fault' in setting) throw new RangeError(setting.fault)
  switch (setting.type) {
    case 'upstash':
      return { executor: upstashExecutor(setting.environment), close: async () => {} }
    case 'redis':
    case 'redis_cluster':
    case 'redis_sentinel': {
      const client = await openRedisClient(setting)
      return { executor: createExecutor(client), close: async () => client.disconnect() }
    }
    default:
      throw new RangeError('from must be a Redis: redis://…, redis+cluster://…, or upstash')
  }
}

/** One that brought no client along. */
function alone(store: Store): OpenedStore {
  return { store, close: () => store.close() }
}

async function openPostgres(connectionString: string): Promise<OpenedStore> {
  const { default: pg } = await import('pg').catch((cause: unknown) => missing('pg@8', cause))
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: CONNECT * 1000 })
  // A connection that breaks while it is idle is replaced; whoever needs one hears of it then.
  pool.on('error', ignore)
  return withClient(postgres(pool), () => pool.end())
}

async function openRedis(setting: RedisSetting): Promise<OpenedStore> {
  const client = await openRedisClient(setting)
  return withClient(redis(client), async () => client.disconnect())
}

async function openRedisClient(setting: RedisSetting): Promise<Redis | Cluster> {
  const ioredis = await import('ioredis').catch((cause: unknown) => missing('ioredis@6', cause))
  const client = createRedisClient(ioredis, setting)
  // It connects again by itself, and what is asked meanwhile is told the outage.
  client.on('error', ignore)
  return client
}

function createRedisClient(
  { Cluster, Redis }: Pick<typeof import('ioredis'), 'Cluster' | 'Redis'>,
  setting: RedisSetting,
): Redis | Cluster {
  if (setting.type === 'redis') return new Redis(setting.url, REDIS)
  const { nodes, username, password, tls } = setting
  const options = {
    ...REDIS,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  }
  if (setting.type === 'redis_cluster') {
    return new Cluster([...nodes], { redisOptions: options })
  }
  return new Redis({
    ...options,
    sentinels: [...nodes],
    name: setting.name,
    ...(tls && { enableTLSForSentinelMode: true }),
  })
}

function withClient(store: Store, end: () => Promise<unknown>): OpenedStore {
  return {
    store,
    async close() {
      await store.close()
      await end()
    },
  }
}

/** Only a package that is not there is told so; one that fails to load has its own reason. */
function missing(name: string, cause: unknown): never {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code !== 'ERR_MODULE_NOT_FOUND') throw cause
  throw new Error(`this store needs the package ${name.split('@')[0]}: npm install ${name}`, {
    cause,
  })
}

function ignore(): void {}

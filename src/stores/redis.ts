/**
 * The store in Redis or Valkey: one server, one behind Sentinel, or a cluster.
 *
 * Each verb is one step on one key, so a cluster needs nothing else. Redis answers before its replicas
 * have heard: what was answered in the moments before a failover may be lost, and what survives a restart
 * is what the server's own settings say. It must not evict (`maxmemory-policy noeviction`).
 */
import { randomSecret } from '../crypto/random.ts'
import { isWorkers, refuseOnWorkers } from '../http/runtime.ts'
import { createExecutor, type RedisClient } from './redis_clients.ts'
import type { RedisExecutor } from './redis_executor.ts'
import { checkPolicy } from './redis_policy.ts'
import { deleteExpired } from './redis_expiry.ts'
import { createKeys } from './redis_keys.ts'
import { list, plain } from './redis_listing.ts'
import { createDraft } from './redis_record.ts'
import { find, insert, type RedisPlace, replace, take } from './redis_records.ts'
import { scan } from './redis_scan.ts'
import { watch } from './redis_watch.ts'
import { type Store, StoreUnavailable } from './store.ts'

/** Of a store over connections. */
export interface RedisOptions extends RedisStoreOptions {
  /**
   * How many replicas must have a write before it is answered (WAIT); none when left out. It narrows what
   * a failover can lose and does not close it; with fewer replicas there every write is an outage.
   */
  readonly waitReplicas?: number | undefined
}

/** Of a store however it is reached. */
export interface RedisStoreOptions {
  /** How every key begins; `mcp_oauth` when left out. */
  readonly prefix?: string | undefined
  /** Seconds after which a verb that has no answer is an outage; 5 when left out. */
  readonly timeout?: number | undefined
}

interface Opened {
  readonly place: RedisPlace
  readonly timeout: number
  readonly underWay: Set<Promise<unknown>>
  readonly watches: Set<() => void>
  /** The check of the server's policy that is under way. */
  policy: Promise<void> | undefined
  isChecked: boolean
  closed: boolean
}

/**
 * A store behind a client that you have made with ioredis (`Redis`, `Cluster`) or node-redis
 * (`createClient`, `createCluster`, connected). `close()` leaves the client open.
 * @throws RangeError on Workers, where `upstash()` is for the same database
 */
export function redis(client: RedisClient, options: RedisOptions = {}): Store {
  refuseOnWorkers('redis()', 'its connections end with a request; use upstash()')
  return createRedisStore(createExecutor(client), options)
}

/** The store over an executor. */
export function createRedisStore(executor: RedisExecutor, options: RedisOptions = {}): Store {
  const { prefix = 'mcp_oauth', timeout = 5, waitReplicas: replicas = 0 } = options
  const { subscribe } = executor
  // Who hears nothing need not know its own word. Workers have no random numbers yet.
  const instance = subscribe === undefined ? '' : randomSecret(9)
  const place = { executor, keys: createKeys(prefix), instance, replicas }
  const state: Opened = {
    place,
    timeout,
    underWay: new Set(),
    watches: new Set(),
    policy: undefined,
    isChecked: false,
    closed: false,
  }
  return {
    find: (kind, id) =>
      run(state, async () => {
        const held = await find(place, kind, id)
        return held === undefined ? undefined : plain(held)
      }),
    insert: async (kind, record) => {
      const draft = createDraft(kind, record)
      return run(state, () => insert(place, draft))
    },
    replace: async (kind, record, version) => {
      const draft = createDraft(kind, record)
      return run(state, () => replace(place, draft, version))
    },
    take: (kind, id) => run(state, () => take(place, kind, id)),
    list: (kind, index, value, page) => run(state, () => list(place, kind, index, value, page)),
    scan: (kind, page) => run(state, () => scan(place, kind, page)),
    deleteExpired: (now, limit) => run(state, () => deleteExpired(place, now, limit)),
    close: () => close(state),
    ...(subscribe !== undefined && {
      watch: async (listener) => {
        await run(state, async () => undefined)
        const { ready, stop } = watch(place, subscribe, listener)
        state.watches.add(stop)
        const end = async (): Promise<void> => {
          state.watches.delete(stop)
          stop()
        }
        return run(state, () => ready).then(
          () => end,
          (error: unknown) => end().then(() => Promise.reject(error)),
        )
      },
    }),
  }
}

/** Runs a verb within its time. Whatever keeps it from an answer is an outage. */
async function run<T>(state: Opened, verb: () => Promise<T>): Promise<T> {
  if (state.closed) throw new StoreUnavailable('the Redis store is closed')
  const answer = within(state.timeout, state.isChecked ? verb() : checkOnce(state).then(verb))
  state.underWay.add(answer)
  try {
    return await answer
  } catch (cause) {
    if (cause instanceof StoreUnavailable) throw cause
    throw new StoreUnavailable('Redis did not answer', { cause })
  } finally {
    state.underWay.delete(answer)
  }
}

/** Before the first verb, and before the next where it could not be told. */
async function checkOnce(state: Opened): Promise<void> {
  const checking = state.policy ?? checkPolicy(state.place.executor)
  if (!isWorkers) state.policy = checking
  try {
    await checking
    state.isChecked = true
  } finally {
    state.policy = undefined
  }
}

function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void =>
      reject(new StoreUnavailable(`Redis did not answer within ${seconds} seconds`))
    const timer = setTimeout(giveUp, seconds * 1000)
    const settle =
      <R>(how: (result: R) => void) =>
      (result: R): void => {
        clearTimeout(timer)
        how(result)
      }
    work.then(settle(resolve), settle(reject))
  })
}

async function close(state: Opened): Promise<void> {
  state.closed = true
  await Promise.allSettled([...state.underWay])
  for (const stop of state.watches) stop()
  state.watches.clear()
}

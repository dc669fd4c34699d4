/**
 * The store in PostgreSQL (15 is what it is tested on), for as many servers as you run.
 *
 * The pool is the user's, and so are its size, its TLS and its other times; `close()` leaves it open.
 * What was answered is as durable as the server's `synchronous_commit` makes it.
 */
import { sha256 } from '../crypto/hash.ts'
import { randomSecret } from '../crypto/random.ts'
import { refuseOnWorkers } from '../http/runtime.ts'
import { createSender, ignore, type PostgresPool, type Sender } from './postgres_pool.ts'
import { createDraft, createRecords, type Feed, type PostgresRecords } from './postgres_records.ts'
import { migrate, type Tables, tablesOf } from './postgres_schema.ts'
import { type GrantListener, watchGrants } from './postgres_watch.ts'
import { type Store, StoreUnavailable } from './store.ts'

export interface PostgresOptions {
  /** Where the tables are, made when it is not there. Left out: wherever the search path leads. */
  readonly schema?: string | undefined
  /** Seconds that a call may take, waiting for a connection included; 5 when left out. */
  readonly timeout?: number | undefined
  /** Whether statements are prepared; true when left out. False for a pooler that cannot. */
  readonly prepare?: boolean | undefined
  /**
   * A pool for `watch` alone, which keeps one of its connections and needs a direct one, without a
   * pooler in between. Left out: the same pool.
   */
  readonly listen?: PostgresPool | undefined
}

interface Opened {
  readonly sender: Sender
  readonly listening: Sender
  readonly tables: Tables
  readonly feed: Feed
  readonly records: PostgresRecords
  /** Lets go of the pools. */
  release(): void
  /** The tables are there; undefined until the first use, and after an attempt that failed. */
  ready: Promise<void> | undefined
  readonly underWay: Set<Promise<unknown>>
  readonly watches: Set<() => Promise<void>>
  closed: boolean
}

/**
 * A store over a `Pool` of pg, or one made after it. Its tables are made on first use.
 * @throws RangeError when an option cannot be right, and on Workers.
 */
export function postgres(pool: PostgresPool, options: PostgresOptions = {}): Store {
  const state = open(pool, options)
  const { records } = state
  return {
    find: (kind, id) => run(state, () => records.find(kind, id)),
    insert: async (kind, record) => {
      const draft = createDraft(kind, record)
      return run(state, () => records.insert(draft))
    },
    replace: async (kind, record, version) => {
      const draft = createDraft(kind, record)
      return run(state, () => records.replace(draft, version))
    },
    take: (kind, id) => run(state, () => records.take(kind, id)),
    list: (kind, index, value, page) => run(state, () => records.list(kind, index, value, page)),
    scan: (kind, page) => run(state, () => records.scan(kind, page)),
    deleteExpired: (now, limit) => run(state, () => records.deleteExpired(now, limit)),
    watch: (listener) => watch(state, listener),
    close: () => close(state),
  }
}

function open(pool: PostgresPool, options: PostgresOptions): Opened {
  refuseOnWorkers('postgres()', 'its connections end with a request; use upstash()')
  const { timeout = 5, prepare = true, listen = pool } = options
  if (!(timeout > 0 && timeout <= 3600)) {
    throw new RangeError(`timeout must be above 0 and at most 3600 seconds, not ${timeout}`)
  }
  const tables = tablesOf(options.schema)
  const sender = createSender(pool, timeout, prepare)
  const feed = createFeed(tables)
  const pools = new Set([pool, listen])
  // A pool tells of idle connections that broke, as after a restart of the server. If nobody listens,
  // that ends the process.
  for (const each of pools) each.on?.('error', ignore)
  return {
    sender,
    listening: createSender(listen, timeout, false),
    tables,
    feed,
    records: createRecords(sender, tables, feed),
    release() {
      for (const each of pools) each.off?.('error', ignore)
    },
    ready: undefined,
    underWay: new Set(),
    watches: new Set(),
    closed: false,
  }
}

/** A channel is known in the whole database, so each schema has its own. */
function createFeed({ schema }: Tables): Feed {
  const suffix = schema === undefined ? '' : `_${sha256(schema).slice(0, 16)}`
  return { channel: `mcp_oauth_grants${suffix}`, prefix: `${randomSecret(9)} ` }
}

/** Runs a verb once the tables are there. */
async function run<T>(state: Opened, verb: () => Promise<T>): Promise<T> {
  if (state.closed) throw new StoreUnavailable('the PostgreSQL store is closed')
  const running = makeReady(state).then(verb)
  state.underWay.add(running)
  try {
    return await running
  } finally {
    state.underWay.delete(running)
  }
}

function makeReady(state: Opened): Promise<void> {
  state.ready ??= migrate(state.sender, state.tables).catch((error: unknown) => {
    state.ready = undefined
    throw error
  })
  return state.ready
}

async function watch(state: Opened, listener: GrantListener): Promise<() => Promise<void>> {
  const { sender, listening, feed, watches } = state
  const stop = await run(state, () => watchGrants(sender, listening, feed, listener))
  watches.add(stop)
  if (state.closed) await stop()
  return async () => {
    watches.delete(stop)
    await stop()
  }
}

async function close(state: Opened): Promise<void> {
  state.closed = true
  await Promise.allSettled([...state.underWay])
  await Promise.all([...state.watches].map((stop) => stop()))
  state.watches.clear()
  state.release()
}

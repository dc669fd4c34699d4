/**
 * The store in a SQLite file: the default for one machine, and safe for several processes on it.
 *
 * Reads are answered at once, microseconds each. Writes of one turn of the event loop share a
 * transaction and are answered after its commit: what was answered survives `kill -9`, and with
 * `durability: 'power'` a power cut too.
 */
import { refuseOnWorkers } from '../http/runtime.ts'
import type { Kind } from './records.ts'
import { createCheckpointer } from './sqlite_checkpoint.ts'
import { cannotOpen, openDatabase, type SqliteDatabase } from './sqlite_database.ts'
import { createFeed, type SqliteFeed } from './sqlite_feed.ts'
import { createWriteQueue, type WriteQueue } from './sqlite_queue.ts'
import { createRecords, type SqliteRecords } from './sqlite_records.ts'
import { configure, createTables, type SqliteDurability } from './sqlite_schema.ts'
import { type Store, StoreUnavailable } from './store.ts'

export interface SqliteOptions {
  /** What an answered write survives; `process` when left out. Only for a file that is named by path. */
  readonly durability?: SqliteDurability | undefined
}

interface Opened {
  readonly records: SqliteRecords
  readonly queue: WriteQueue
  readonly feed: SqliteFeed
  /** Lets go of the database, unless it was handed in. */
  release(): void
  closed: boolean
}

/**
 * A store in the file at a path, in `:memory:`, or in a database that you have opened with node:sqlite,
 * libsql or better-sqlite3. Such a database keeps its own settings, and `close()` leaves it open.
 * @throws StoreUnavailable when the file cannot be used, saying why; RangeError on Workers
 */
export function sqlite(file: string | SqliteDatabase, options: SqliteOptions = {}): Store {
  refuseOnWorkers('sqlite()', 'they have no files; use upstash()')
  const state = typeof file === 'string' ? openFile(file, options) : openHanded(file)
  const { records } = state
  return {
    find: async (kind, id) => read(state, () => records.find(kind, id)),
    insert: async (kind, record) => {
      const draft = read(state, () => records.draft(kind, record))
      return write(state, () => records.insert(draft))
    },
    replace: async (kind, record, version) => {
      const draft = read(state, () => records.draft(kind, record))
      return told(
        state,
        draft,
        write(state, () => records.replace(draft, version)),
      )
    },
    take: async (kind, id) =>
      told(
        state,
        { kind, id },
        write(state, () => records.take(kind, id)),
      ),
    list: async (kind, index, value, page) =>
      read(state, () => records.list(kind, index, value, page)),
    scan: async (kind, page) => read(state, () => records.scan(kind, page)),
    deleteExpired: (now, limit) => deleteExpired(state, now, Math.max(Math.trunc(limit), 0)),
    close: async () => close(state),
    watch: async (listener) => {
      checkOpen(state)
      return state.feed.watch(listener)
    },
  }
}

function openFile(path: string, options: SqliteOptions): Opened {
  const database = openDatabase(path)
  try {
    configure(database, options.durability ?? 'process')
    createTables(database)
    const checkpointer = createCheckpointer(database)
    return createOpened(database, checkpointer.committed, () => {
      checkpointer.close()
      database.close()
    })
  } catch (cause) {
    database.close()
    throw cannotOpen(path, cause)
  }
}

function openHanded(database: SqliteDatabase): Opened {
  const nothing = (): void => undefined
  try {
    createTables(database)
    return createOpened(database, nothing, nothing)
  } catch (cause) {
    throw cannotOpen('database handed in', cause)
  }
}

function createOpened(database: SqliteDatabase, onCommit: () => void, release: () => void): Opened {
  return {
    records: createRecords(database),
    queue: createWriteQueue(database, onCommit),
    feed: createFeed(database),
    release,
    closed: false,
  }
}

function read<T>(state: Opened, query: () => T): T {
  checkOpen(state)
  try {
    return query()
  } catch (cause) {
    throw new StoreUnavailable('SQLite did not read', { cause })
  }
}

function write<T>(state: Opened, operation: () => T): Promise<T> {
  checkOpen(state)
  return state.queue.write(operation)
}

/** Tells whoever watches of a write to a grant, before it is answered. */
async function told<T>(
  state: Opened,
  { kind, id }: { readonly kind: Kind; readonly id: string },
  written: Promise<T>,
): Promise<T> {
  try {
    return await written
  } finally {
    if (kind === 'grant') state.feed.changed(id)
  }
}

/** A transaction for every `limit` records that are looked at: of those, some may live on. */
async function deleteExpired(state: Opened, now: number, limit: number): Promise<number> {
  let deleted = 0
  for (;;) {
    const most = limit - deleted
    const swept = await write(state, () => state.records.sweep(now, limit, most))
    deleted += swept.deleted
    if (deleted === limit || swept.seen < limit) return deleted
  }
}

function close(state: Opened): void {
  if (state.closed) return
  state.closed = true
  state.queue.flush()
  state.feed.close()
  state.release()
}

function checkOpen(state: Opened): void {
  if (state.closed) throw new StoreUnavailable('the SQLite store is closed')
}

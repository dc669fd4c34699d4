/**
 * Tells of grants that were changed. What this store wrote it knows by id. That another process has
 * written to the file SQLite tells by a number, which is read 100 times a second while somebody
 * watches; it does not say what was written, so listeners hear that they may have missed something.
 */
import type { SqliteDatabase, SqliteStatement } from './sqlite_database.ts'
import { StoreUnavailable } from './store.ts'

type Listener = (grantId: string | undefined) => void

export interface SqliteFeed {
  /** Tells of a change that this store has made. */
  changed(grantId: string): void
  /** @throws StoreUnavailable */
  watch(listener: Listener): Promise<() => Promise<void>>
  close(): void
}

/** Milliseconds between two looks. One look costs microseconds. */
const INTERVAL = 10

/** A feed of `database`. Keeps no process alive, and does nothing while nobody watches. */
export function createFeed(database: SqliteDatabase): SqliteFeed {
  const listeners = new Set<Listener>()
  const version = database.prepare('PRAGMA data_version')
  let timer: NodeJS.Timeout | undefined
  let seen: unknown

  function tell(grantId: string | undefined): void {
    for (const listener of [...listeners]) listener(grantId)
  }

  function look(): void {
    const before = seen
    seen = readVersion(version)
    // A file that cannot be read may have changed as well.
    if (seen === undefined || seen !== before) tell(undefined)
  }

  function stop(listener: Listener): void {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    changed: tell,
    async watch(listener) {
      // A listener of its own, so that one function may watch twice and stop once.
      const own: Listener = (grantId) => listener(grantId)
      if (timer === undefined) {
        seen = readVersion(version)
        if (seen === undefined) throw new StoreUnavailable('SQLite does not tell of changes')
        timer = setInterval(look, INTERVAL).unref()
      }
      listeners.add(own)
      return async () => stop(own)
    },
    close() {
      for (const listener of [...listeners]) stop(listener)
    },
  }
}

/** A number that is another one after each commit of another connection; undefined when it is not told. */
function readVersion(version: SqliteStatement): unknown {
  try {
    return (version.get() as { readonly data_version: unknown }).data_version
  } catch {
    return undefined
  }
}

/**
 * Checkpoints off the request path. A checkpoint copies SQLite's write-ahead log into the file, and
 * whoever runs it waits for the disk; so it runs once nobody has written for a while.
 */
import type { SqliteDatabase } from './sqlite_database.ts'

export interface Checkpointer {
  /** Tells of a commit. */
  committed(): void
  /** The last checkpoint, which empties the log. */
  close(): void
}

/** Seconds without a write before a checkpoint. */
const IDLE = 1

/** Checkpoints of `database` in its idle moments. Keeps no process alive. */
export function createCheckpointer(database: SqliteDatabase): Checkpointer {
  let timer: NodeJS.Timeout | undefined
  return {
    committed() {
      timer ??= setTimeout(() => checkpoint(database, 'PASSIVE'), IDLE * 1000).unref()
      timer.refresh()
    },
    close() {
      clearTimeout(timer)
      checkpoint(database, 'TRUNCATE')
    },
  }
}

function checkpoint(database: SqliteDatabase, mode: 'PASSIVE' | 'TRUNCATE'): void {
  try {
    database.prepare(`PRAGMA wal_checkpoint(${mode})`).get()
  } catch {
    // Nothing is lost: the log keeps what is not copied, and the next checkpoint copies it.
  }
}

/**
 * Opening a SQLite file: `node:sqlite` where this Node has it, else `libsql`, which has the same few
 * methods. Neither is imported when this file is, so that a program without both can still load it.
 *
 * The file is made before SQLite sees it, readable by its owner only; SQLite gives the `-wal` and
 * `-shm` files beside it the same mode.
 */
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { StoreUnavailable } from './store.ts'

/** What a statement may be given. */
export type SqliteValue = string | number | Uint8Array | null

/** What is in a column of bytes. An array buffer it is in the lists of libsql. */
export type SqliteBytes = Uint8Array | ArrayBuffer

/** What a statement has done. */
export interface SqliteResult {
  readonly changes: number | bigint
  readonly lastInsertRowid: number | bigint
}

/** The methods that are called on a prepared statement. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): SqliteResult
  get(...values: SqliteValue[]): unknown
  all(...values: SqliteValue[]): unknown[]
}

/** The methods that are called on a database: node:sqlite, libsql and better-sqlite3 have them all. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

/** One way to open a file: undefined where this machine does not have it. */
export type SqliteEngine = () => (new (path: string) => SqliteDatabase) | undefined

/** What is tried, in this order. */
export const ENGINES: readonly SqliteEngine[] = [nodeSqlite, libsql]

/** Node 22.13 and later; before that the module is absent or behind a flag. */
export function nodeSqlite(): (new (path: string) => SqliteDatabase) | undefined {
  return process.getBuiltinModule('node:sqlite')?.DatabaseSync
}

/** The optional dependency. */
export function libsql(): (new (path: string) => SqliteDatabase) | undefined {
  try {
    return createRequire(import.meta.url)('libsql') as new (path: string) => SqliteDatabase
  } catch {
    return undefined
  }
}

/**
 * The database in the file at `path`, which is made when it is not there, or `:memory:`.
 * @throws StoreUnavailable naming the path, or what to install.
 */
export function openDatabase(
  path: string,
  engines: readonly SqliteEngine[] = ENGINES,
): SqliteDatabase {
  const Database = findEngine(engines)
  if (path === ':memory:') return new Database(path)
  // An absolute path, for libsql takes `http:` and the like for a server elsewhere.
  const file = resolve(path)
  try {
    closeSync(openSync(file, 'a', 0o600))
    return new Database(file)
  } catch (cause) {
    throw cannotOpen(path, cause)
  }
}

/** Undoes the transaction under way. */
export function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // After some failures, a full disk among them, SQLite has rolled back by itself.
  }
}

/** Says which file could not be opened and why. */
export function cannotOpen(path: string, cause: unknown): StoreUnavailable {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StoreUnavailable(`the SQLite store ${path} cannot be opened: ${reason}`, { cause })
}

function findEngine(engines: readonly SqliteEngine[]): new (path: string) => SqliteDatabase {
  for (const engine of engines) {
    const found = engine()
    if (found !== undefined) return found
  }
  throw new StoreUnavailable(
    'there is no SQLite here: use Node 22.13 or later, or run `npm install libsql`',
  )
}

/**
 * The tables, and how a file is set up when it is opened.
 *
 * One table holds every record, packed, under a number of its own: an index entry names that number, and
 * the beginning of the id, which listings go by. `entry` and `sweep_at` are hints. An entry is 48 bits of
 * a hash, and each row is checked against its record. A record does not expire before its `sweep_at`; it
 * may do so later, for a replacement that moves the expiry on leaves the column as it is.
 */
import { rollBack, type SqliteDatabase } from './sqlite_database.ts'
import { StoreUnavailable } from './store.ts'

/**
 * What an acknowledged write survives. `process`: the end of this process at any moment, `kill -9`
 * included. `power`: a power cut too, at the price of one flush to the disk a transaction.
 */
export type SqliteDurability = 'process' | 'power'

const SCHEMA_VERSION = 1

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS mcp_oauth_meta (
    name TEXT PRIMARY KEY, value INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS mcp_oauth_records (
    number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    sweep_at INTEGER, record BLOB NOT NULL, UNIQUE (kind, id)
  );
  CREATE INDEX IF NOT EXISTS mcp_oauth_expiry
    ON mcp_oauth_records (sweep_at) WHERE sweep_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS mcp_oauth_index (
    entry INTEGER NOT NULL, id_start TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (entry, id_start, number)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS mcp_oauth_words (
    number INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE
  );
  INSERT OR IGNORE INTO mcp_oauth_meta VALUES ('schema_version', ${SCHEMA_VERSION});
`

/** How a file of ours is used: others may read while we write, and we wait for others for 2 s. */
export function configure(database: SqliteDatabase, durability: SqliteDurability): void {
  database.exec('PRAGMA busy_timeout = 2000')
  enterWal(database)
  database.exec(`PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`)
  // A checkpoint copies the log into the file. It is done when nobody waits; this is the last resort.
  database.exec('PRAGMA wal_autocheckpoint = 20000')
  database.exec('PRAGMA journal_size_limit = 67108864')
}

/** SQLite does not wait by itself for others that switch the same new file at the same moment. */
function enterWal(database: SqliteDatabase, attempts = 100): void {
  try {
    database.exec('PRAGMA journal_mode = WAL')
  } catch (error) {
    const locked = error instanceof Error && error.message.includes('locked')
    if (!locked || attempts === 0) throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    enterWal(database, attempts - 1)
  }
}

/**
 * Makes the tables where they are not there yet.
 * @throws StoreUnavailable when a newer release has made them.
 */
export function createTables(database: SqliteDatabase): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    database.exec(SCHEMA)
    checkSchema(database)
    database.exec('COMMIT')
  } catch (error) {
    rollBack(database)
    throw error
  }
}

function checkSchema(database: SqliteDatabase): void {
  const row = database
    .prepare(`SELECT value FROM mcp_oauth_meta WHERE name = 'schema_version'`)
    .get() as { readonly value: number | bigint }
  if (Number(row.value) <= SCHEMA_VERSION) return
  throw new StoreUnavailable(
    `its schema version is ${row.value} and this release knows ${SCHEMA_VERSION}; use the release that made it, or a later one`,
  )
}

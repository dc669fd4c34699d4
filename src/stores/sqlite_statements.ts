/**
 * The statements, and the rows that they give.
 */
import type { SqliteBytes, SqliteDatabase, SqliteStatement } from './sqlite_database.ts'
import { LAST_KIND } from './sqlite_keys.ts'

/** A limit that is a variable by itself is compiled in, and the statement anew at each call. */
const LIMIT = 'LIMIT ? + 0'

/** How much of an id an index entry has: the seconds of an id of ours. */
const START = 7

type Name =
  | 'find'
  | 'insert'
  | 'replace'
  | 'hold'
  | 'rewrite'
  | 'take'
  | 'scan'
  | 'toSweep'
  | 'sweepLater'
  | 'delete'
  | 'addEntry'
  | 'dropEntry'
  | 'list'

export type Statements = { readonly [name in Name]: SqliteStatement }

const SQL: { readonly [name in Name]: string } = {
  find: `SELECT version, record FROM mcp_oauth_records WHERE kind = ? AND id = ?`,
  insert: `INSERT INTO mcp_oauth_records (kind, id, version, sweep_at, record)
    VALUES (?, ?, 1, ?, ?) ON CONFLICT DO NOTHING`,
  // Only where its index entries stay, and it does not expire before it is looked at.
  replace: `UPDATE mcp_oauth_records SET version = version + 1, record = ?
    WHERE kind = ? AND id = ? AND version = ? AND substr(record, 1, ?) = ?
    AND ifnull(sweep_at, ${Number.MAX_SAFE_INTEGER}) <= ?`,
  hold: `SELECT number, version, record FROM mcp_oauth_records WHERE kind = ? AND id = ?`,
  rewrite: `UPDATE mcp_oauth_records SET version = version + 1, sweep_at = ?, record = ?
    WHERE number = ?`,
  take: `DELETE FROM mcp_oauth_records WHERE kind = ? AND id = ? RETURNING number, version, record`,
  scan: `SELECT id, version, record FROM mcp_oauth_records
    WHERE kind = ? AND id > ? ORDER BY id ${LIMIT}`,
  // Kinds of a later release are left alone.
  toSweep: `SELECT number, kind, id, version, record FROM mcp_oauth_records
    WHERE sweep_at <= ? AND kind <= ${LAST_KIND} ORDER BY sweep_at ${LIMIT}`,
  sweepLater: `UPDATE mcp_oauth_records SET sweep_at = ? WHERE number = ?`,
  delete: `DELETE FROM mcp_oauth_records WHERE number = ?`,
  addEntry: `INSERT OR IGNORE INTO mcp_oauth_index VALUES (?, substr(?, 1, ${START}), ?)`,
  dropEntry: `DELETE FROM mcp_oauth_index
    WHERE entry = ? AND id_start = substr(?, 1, ${START}) AND number = ?`,
  // In this order, so that a page costs what it brings. Ids that begin alike are sorted as they come.
  list: `SELECT r.id, r.version, r.record FROM mcp_oauth_index i
    CROSS JOIN mcp_oauth_records r ON r.number = i.number
    WHERE i.entry = ? AND i.id_start >= substr(?, 1, ${START}) AND r.kind = ? AND r.id > ?
    ORDER BY i.id_start, r.id ${LIMIT}`,
}

/** What `find` gives. */
export interface Row {
  readonly version: number | bigint
  readonly record: SqliteBytes
}

/** What `hold` and `take` give. */
export interface NumberedRow extends Row {
  readonly number: number | bigint
}

/** What `scan` and `list` give. */
export interface KeyedRow extends Row {
  readonly id: string
}

/** What `toSweep` gives. */
export interface SweptRow extends NumberedRow, KeyedRow {
  readonly kind: number | bigint
}

/** All of them, prepared. */
export function prepareAll(database: SqliteDatabase): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])
  return Object.fromEntries(prepared) as Statements
}

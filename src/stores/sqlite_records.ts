/**
 * The verbs as statements, without promises. Those that write must run within a transaction.
 *
 * Keys go through `keyText`, since SQLite keeps text as UTF-8, which has no form for half a surrogate
 * pair: two such ids would meet in one row. Nothing is read back from a key: a record says its own id.
 */
import { sha256 } from '../crypto/hash.ts'
import { isIndexed, pageLimit } from './listing.ts'
import { indexEntries, type Indexes, type Kind, type Records } from './records.ts'
import type { SqliteDatabase, SqliteStatement } from './sqlite_database.ts'
import type { Listing, Page, Versioned } from './store.ts'

const SQL = {
  find: `SELECT version, record FROM mcp_oauth_records WHERE kind = ? AND id = ?`,
  insert: `INSERT INTO mcp_oauth_records (kind, id, version, expires_at, hints, record)
    VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT DO NOTHING`,
  replace: `UPDATE mcp_oauth_records SET version = version + 1, expires_at = ?, record = ?
    WHERE kind = ? AND id = ? AND version = ? AND hints = ?`,
  setHints: `UPDATE mcp_oauth_records SET hints = ? WHERE kind = ? AND id = ?`,
  take: `DELETE FROM mcp_oauth_records WHERE kind = ? AND id = ? RETURNING version, record`,
  expired: `SELECT kind, version, record FROM mcp_oauth_records WHERE expires_at <= ? LIMIT ?`,
  scan: `SELECT version, record FROM mcp_oauth_records
    WHERE kind = ? AND id > ? ORDER BY id LIMIT ?`,
  addIndex: `INSERT OR IGNORE INTO mcp_oauth_index (kind, name, value, id) VALUES (?, ?, ?, ?)`,
  dropIndex: `DELETE FROM mcp_oauth_index WHERE kind = ? AND name = ? AND value = ? AND id = ?`,
  list: `SELECT r.version, r.record FROM mcp_oauth_index i
    JOIN mcp_oauth_records r ON r.kind = i.kind AND r.id = i.id
    WHERE i.kind = ? AND i.name = ? AND i.value = ? AND i.id > ? ORDER BY i.id LIMIT ?`,
} as const

type Statements = { readonly [name in keyof typeof SQL]: SqliteStatement }

/** A record as it goes into the tables, taken down when the verb was called. */
export interface Draft {
  readonly kind: Kind
  readonly id: string
  readonly expiresAt: number | undefined
  readonly json: string
  readonly entries: readonly (readonly [string, string])[]
  /** A fingerprint of `entries`. */
  readonly hints: string
}

/** The verbs of a store, each at once. */
export interface SqliteRecords {
  find<K extends Kind>(kind: K, id: string): Versioned<Records[K]> | undefined
  insert(draft: Draft): boolean
  replace(draft: Draft, version: number): boolean
  take<K extends Kind>(kind: K, id: string): Records[K] | undefined
  list<K extends Kind>(kind: K, index: Indexes[K], value: string, page: Page): Listing<Records[K]>
  scan<K extends Kind>(kind: K, page: Page): Listing<Records[K]>
  deleteExpired(now: number, limit: number): number
}

/** The draft of `record`. */
export function createDraft<K extends Kind>(kind: K, record: Records[K]): Draft {
  const entries = indexEntries(kind, record)
  const hints = entries.length === 0 ? '' : sha256(JSON.stringify(entries)).slice(0, 16)
  const { id, expiresAt } = record
  return { kind, id, expiresAt, json: JSON.stringify(record), entries, hints }
}

/** The verbs over the tables of `database`, their statements prepared. */
export function createRecords(database: SqliteDatabase): SqliteRecords {
  const sql = prepareAll(database)
  return {
    find: (kind, id) => find(sql, kind, id),
    insert: (draft) => insert(sql, draft),
    replace: (draft, version) => replace(sql, draft, version),
    take: (kind, id) => take(sql, kind, id),
    list: (kind, index, value, page) => list(sql, kind, index, value, page),
    scan: (kind, page) => scan(sql, kind, page),
    deleteExpired: (now, limit) => deleteExpired(sql, now, limit),
  }
}

function prepareAll(database: SqliteDatabase): Statements {
  return {
    find: database.prepare(SQL.find),
    insert: database.prepare(SQL.insert),
    replace: database.prepare(SQL.replace),
    setHints: database.prepare(SQL.setHints),
    take: database.prepare(SQL.take),
    scan: database.prepare(SQL.scan),
    expired: database.prepare(SQL.expired),
    addIndex: database.prepare(SQL.addIndex),
    dropIndex: database.prepare(SQL.dropIndex),
    list: database.prepare(SQL.list),
  }
}

function find<K extends Kind>(sql: Statements, kind: K, id: string): Row<K> | undefined {
  const row = sql.find.get(kind, keyText(id))
  return row === undefined ? undefined : readRow<K>(row)
}

function insert(sql: Statements, draft: Draft): boolean {
  const { kind, id, expiresAt, hints, json } = draft
  const result = sql.insert.run(kind, keyText(id), expiresAt ?? null, hints, json)
  if (!changed(result)) return false
  addEntries(sql, draft)
  return true
}

function replace(sql: Statements, draft: Draft, version: number): boolean {
  if (update(sql, draft, version)) return true
  // Either the record has moved on, or its index entries change with this replacement.
  const held = find(sql, draft.kind, draft.id)
  if (held === undefined || held.version !== version) return false
  const old = createDraft(draft.kind, held.record)
  dropEntries(sql, old)
  addEntries(sql, draft)
  sql.setHints.run(draft.hints, draft.kind, keyText(draft.id))
  return update(sql, draft, version)
}

function update(sql: Statements, draft: Draft, version: number): boolean {
  const { kind, id, expiresAt, hints, json } = draft
  return changed(sql.replace.run(expiresAt ?? null, json, kind, keyText(id), version, hints))
}

function take<K extends Kind>(sql: Statements, kind: K, id: string): Records[K] | undefined {
  const row = sql.take.get(kind, keyText(id))
  if (row === undefined) return undefined
  const { record } = readRow<K>(row)
  dropEntries(sql, createDraft(kind, record))
  return record
}

function list<K extends Kind>(
  sql: Statements,
  kind: K,
  index: Indexes[K],
  value: string,
  page: Page,
): Listing<Records[K]> {
  const limit = pageLimit(page)
  const after = keyText(page.cursor ?? '')
  const found = sql.list.all(kind, index, keyText(value), after, limit + 1)
  const rows = found.slice(0, limit).map((row) => readRow<K>(row))
  return {
    rows: rows.filter(({ record }) => isIndexed(kind, record, index, value)),
    cursor: found.length > limit ? rows.at(-1)?.record.id : undefined,
  }
}

function scan<K extends Kind>(sql: Statements, kind: K, page: Page): Listing<Records[K]> {
  const limit = pageLimit(page)
  const found = sql.scan.all(kind, keyText(page.cursor ?? ''), limit + 1)
  const rows = found.slice(0, limit).map((row) => readRow<K>(row))
  return { rows, cursor: found.length > limit ? rows.at(-1)?.record.id : undefined }
}

function deleteExpired(sql: Statements, now: number, limit: number): number {
  const found = sql.expired.all(now, Math.max(Math.trunc(limit), 0))
  for (const row of found) {
    const { kind } = row as { readonly kind: Kind }
    take(sql, kind, readRow(row).record.id)
  }
  return found.length
}

function addEntries(sql: Statements, { kind, id, entries }: Draft): void {
  for (const [name, value] of entries) sql.addIndex.run(kind, name, keyText(value), keyText(id))
}

function dropEntries(sql: Statements, { kind, id, entries }: Draft): void {
  for (const [name, value] of entries) sql.dropIndex.run(kind, name, keyText(value), keyText(id))
}

function changed(result: { readonly changes: number | bigint }): boolean {
  return Number(result.changes) === 1
}

type Row<K extends Kind> = Versioned<Records[K]>

function readRow<K extends Kind>(row: unknown): Row<K> {
  const { version, record } = row as { readonly version: number | bigint; readonly record: string }
  return { record: JSON.parse(record) as Records[K], version: Number(version) }
}

/** A text without UTF-8 form is escaped behind U+FFFE; so is what starts with that, to stay distinct. */
function keyText(text: string): string {
  return /^\ufffe|\p{Surrogate}/u.test(text) ? `\ufffe${JSON.stringify(text)}` : text
}

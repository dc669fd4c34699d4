/**
 * The verbs as statements, without promises. Those that write must run within a transaction.
 */
import { isIndexed, pageLimit } from './listing.ts'
import { indexEntries, type Indexes, type Kind, type Records } from './records.ts'
import type { SqliteBytes, SqliteDatabase } from './sqlite_database.ts'
import { entryOf, isReadable, keyText, kindNumber, kindOf } from './sqlite_keys.ts'
import { pack, type Packed, unpack, type Words } from './sqlite_packing.ts'
import {
  type KeyedRow,
  type NumberedRow,
  prepareAll,
  type Row,
  type Statements,
  type SweptRow,
} from './sqlite_statements.ts'
import { createWords } from './sqlite_words.ts'
import type { Listing, Page, Versioned } from './store.ts'

/** A record as it goes into the tables, taken down when the verb was called. */
export interface Draft<K extends Kind = Kind> extends Packed {
  readonly kind: K
  readonly id: string
  readonly expiresAt: number | undefined
}

/** How many records a sweep has looked at, and how many of them it has deleted. */
export interface Swept {
  readonly seen: number
  readonly deleted: number
}

/** The verbs of a store, each at once. */
export interface SqliteRecords {
  draft<K extends Kind>(kind: K, record: Records[K]): Draft
  find<K extends Kind>(kind: K, id: string): Versioned<Records[K]> | undefined
  insert(draft: Draft): boolean
  replace(draft: Draft, version: number): boolean
  take<K extends Kind>(kind: K, id: string): Records[K] | undefined
  list<K extends Kind>(kind: K, index: Indexes[K], value: string, page: Page): Listing<Records[K]>
  scan<K extends Kind>(kind: K, page: Page): Listing<Records[K]>
  /** Looks at `limit` records that may have expired at `now`, and deletes `most` of them at most. */
  sweep(now: number, limit: number, most: number): Swept
}

interface Tables {
  readonly sql: Statements
  readonly words: Words
}

/** The verbs over the tables of `database`, their statements prepared. */
export function createRecords(database: SqliteDatabase): SqliteRecords {
  const tables = { sql: prepareAll(database), words: createWords(database) }
  return {
    draft: (kind, record) => createDraft(tables, kind, record),
    find: (kind, id) => find(tables, kind, id),
    insert: (draft) => insert(tables, draft),
    replace: (draft, version) => replace(tables, draft, version),
    take: (kind, id) => take(tables, kind, id),
    list: (kind, index, value, page) => list(tables, kind, index, value, page),
    scan: (kind, page) => scan(tables, kind, page),
    sweep: (now, limit, most) => sweep(tables, now, limit, most),
  }
}

function createDraft<K extends Kind>({ words }: Tables, kind: K, record: Records[K]): Draft {
  const { id, expiresAt } = record
  const { bytes, indexed } = pack(kind, record, words, isReadable(keyText(id)))
  return { kind, id, expiresAt, bytes, indexed }
}

function find<K extends Kind>(
  { sql, words }: Tables,
  kind: K,
  id: string,
): Versioned<Records[K]> | undefined {
  const row = sql.find.get(kindNumber(kind), keyText(id)) as Row | undefined
  if (row === undefined) return undefined
  return { record: unpack(kind, row.record, words, id), version: Number(row.version) }
}

function insert(tables: Tables, draft: Draft): boolean {
  const { kind, id, expiresAt, bytes } = draft
  const { insert: statement } = tables.sql
  const result = statement.run(kindNumber(kind), keyText(id), expiresAt ?? null, bytes)
  if (!changed(result)) return false
  addEntries(tables, draft, Number(result.lastInsertRowid))
  return true
}

function replace(tables: Tables, draft: Draft, version: number): boolean {
  if (replaceAlike(tables, draft, version)) return true
  // The record has moved on, or its index entries change, or it expires earlier.
  const { sql } = tables
  const { kind, id, expiresAt, bytes } = draft
  const held = sql.hold.get(kindNumber(kind), keyText(id)) as NumberedRow | undefined
  if (held === undefined || Number(held.version) !== version) return false
  const number = Number(held.number)
  dropEntries(tables, { kind, id, bytes: held.record }, number)
  addEntries(tables, draft, number)
  return changed(sql.rewrite.run(expiresAt ?? null, bytes, number))
}

/** Replaces a record by one with the same index entries, which lives as long at least. */
function replaceAlike({ sql }: Tables, draft: Draft, version: number): boolean {
  const { kind, id, expiresAt = Number.MAX_SAFE_INTEGER, bytes, indexed } = draft
  const beginning = bytes.subarray(0, indexed)
  const number = kindNumber(kind)
  const key = keyText(id)
  return changed(sql.replace.run(bytes, number, key, version, indexed, beginning, expiresAt))
}

function take<K extends Kind>(tables: Tables, kind: K, id: string): Records[K] | undefined {
  const { sql, words } = tables
  const row = sql.take.get(kindNumber(kind), keyText(id)) as NumberedRow | undefined
  if (row === undefined) return undefined
  dropEntries(tables, { kind, id, bytes: row.record }, Number(row.number))
  return unpack(kind, row.record, words, id)
}

function list<K extends Kind>(
  { sql, words }: Tables,
  kind: K,
  index: Indexes[K],
  value: string,
  page: Page,
): Listing<Records[K]> {
  const entry = entryOf(kind, index, value)
  const after = keyText(page.cursor ?? '')
  const limit = pageLimit(page)
  const found = sql.list.all(entry, after, kindNumber(kind), after, limit + 1)
  const { rows, cursor } = pageOf(kind, found, limit, words)
  return { rows: rows.filter(({ record }) => isIndexed(kind, record, index, value)), cursor }
}

function scan<K extends Kind>({ sql, words }: Tables, kind: K, page: Page): Listing<Records[K]> {
  const limit = pageLimit(page)
  const found = sql.scan.all(kindNumber(kind), keyText(page.cursor ?? ''), limit + 1)
  return pageOf(kind, found, limit, words)
}

/** What was found, which is one row more than `limit` where more is to come. */
function pageOf<K extends Kind>(
  kind: K,
  found: readonly unknown[],
  limit: number,
  words: Words,
): Listing<Records[K]> {
  const rows = (found as readonly KeyedRow[]).slice(0, limit).map(({ id, version, record }) => ({
    record: unpack(kind, record, words, id),
    version: Number(version),
  }))
  return { rows, cursor: found.length > limit ? rows.at(-1)?.record.id : undefined }
}

function sweep({ sql, words }: Tables, now: number, limit: number, most: number): Swept {
  const tables = { sql, words }
  let [seen, deleted] = [0, 0]
  for (const row of sql.toSweep.all(now, limit) as readonly SweptRow[]) {
    if (deleted === most) break
    seen += 1
    const kind = kindOf(row.kind)
    const { expiresAt, id } = unpack(kind, row.record, words, row.id)
    const number = Number(row.number)
    if (expiresAt === undefined || expiresAt > now) {
      sql.sweepLater.run(expiresAt ?? null, number)
      continue
    }
    sql.delete.run(number)
    dropEntries(tables, { kind, id, bytes: row.record }, number)
    deleted += 1
  }
  return { seen, deleted }
}

type Stored = Readonly<{ kind: Kind; id: string; bytes: SqliteBytes }>

function addEntries(tables: Tables, stored: Stored, number: number): void {
  for (const entry of entriesOf(tables, stored))
    tables.sql.addEntry.run(entry, keyText(stored.id), number)
}

function dropEntries(tables: Tables, stored: Stored, number: number): void {
  for (const entry of entriesOf(tables, stored))
    tables.sql.dropEntry.run(entry, keyText(stored.id), number)
}

function entriesOf({ words }: Tables, { kind, id, bytes }: Stored): readonly number[] {
  const named = indexEntries(kind, unpack(kind, bytes, words, id))
  return named.map(([name, value]) => entryOf(kind, name, value))
}

function changed(result: { readonly changes: number | bigint }): boolean {
  return Number(result.changes) === 1
}

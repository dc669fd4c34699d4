/**
 * The verbs, each as one statement whose rows say who won.
 *
 * A statement that writes a grant tells whoever watches in the same breath: PostgreSQL delivers the
 * notification with the commit, or not at all.
 */
import { isIndexed, pageLimit } from './listing.ts'
import { keyOf } from './postgres_keys.ts'
import { isRefusal, type PostgresRow, type Sender } from './postgres_pool.ts'
import type { Tables } from './postgres_schema.ts'
import {
  COLUMNS,
  createStatements,
  type Index,
  type WriteStatement,
} from './postgres_statements.ts'
import { gatherTurn } from './postgres_turn.ts'
import { indexEntries, type Indexes, type Kind, type Records } from './records.ts'
import type { Listing, Page, Versioned } from './store.ts'

/** A record as it goes into the table, taken down when the verb was called. */
export interface Draft {
  readonly kind: Kind
  /** In the order of the columns: kind, id, expires_at, record, subject, client_id, connection_id. */
  readonly values: readonly (string | number | null)[]
}

interface Key {
  readonly kind: Kind
  readonly key: string
}

interface Replacement {
  readonly draft: Draft
  readonly version: number
}

/** Where changes to grants are told, and what is put before the id. */
export interface Feed {
  readonly channel: string
  readonly prefix: string
}

/** The verbs of a store, each one statement. */
export interface PostgresRecords {
  find<K extends Kind>(kind: K, id: string): Promise<Versioned<Records[K]> | undefined>
  insert(draft: Draft): Promise<boolean>
  replace(draft: Draft, version: number): Promise<boolean>
  take<K extends Kind>(kind: K, id: string): Promise<Records[K] | undefined>
  list<K extends Kind>(
    kind: K,
    index: Indexes[K],
    value: string,
    page: Page,
  ): Promise<Listing<Records[K]>>
  scan<K extends Kind>(kind: K, page: Page): Promise<Listing<Records[K]>>
  deleteExpired(now: number, limit: number): Promise<number>
}

/** A statement deletes at most so many, to be done soon and hold few rows. */
const DELETE_BATCH = 500

/** The draft of `record`. */
export function createDraft<K extends Kind>(kind: K, record: Records[K]): Draft {
  const entries = new Map(indexEntries(kind, record))
  const indexed = Object.keys(COLUMNS).map((index) => {
    const value = entries.get(index)
    return value === undefined ? null : keyOf(value)
  })
  const { id, expiresAt = null } = record
  return { kind, values: [kind, keyOf(id), expiresAt, JSON.stringify(record), ...indexed] }
}

/** The verbs over the tables that `sender` reaches. */
export function createRecords(sender: Sender, tables: Tables, feed: Feed): PostgresRecords {
  const sql = createStatements(tables)
  const write = (
    kind: Kind,
    statement: WriteStatement,
    values: readonly unknown[],
  ): Promise<readonly PostgresRow[]> =>
    kind === 'grant'
      ? sender.send(statement.telling, [...values, feed.channel, feed.prefix])
      : sender.send(statement.silent, values)
  const find = gatherTurn<Key, readonly PostgresRow[]>({
    isRefusal,
    async together(asked) {
      const values = [asked.map(({ kind }) => kind), asked.map(({ key }) => key)]
      const found = byPlace(await sender.send(sql.findTogether, values, asked.length))
      return asked.map((_, at) => found.get(at) ?? [])
    },
    alone: ({ kind, key }) => sender.send(sql.find, [kind, key]),
  })
  const replace = gatherTurn<Replacement, boolean>({
    isRefusal,
    async together(asked) {
      const rows = asked.map(({ draft, version }) => [...draft.values, version])
      const values = [...turned(rows), feed.channel, feed.prefix]
      const written = byPlace(await sender.send(sql.replaceTogether, values, asked.length))
      return asked.map((_, at) => written.has(at) || undefined)
    },
    alone: async ({ draft: { kind, values }, version }) =>
      (await write(kind, sql.replace, [...values, version])).length === 1,
  })

  return {
    async find<K extends Kind>(kind: K, id: string) {
      const [row] = await find({ kind, key: keyOf(id) })
      return row && readRow<K>(row)
    },
    async insert({ kind, values }) {
      return (await write(kind, sql.insert, values)).length === 1
    },
    replace: (draft, version) => replace({ draft, version }),
    async take<K extends Kind>(kind: K, id: string) {
      const [row] = await write(kind, sql.take, [kind, keyOf(id)])
      return row && readRow<K>(row).record
    },
    async list(kind, index, value, page) {
      const values = [kind, keyOf(page.cursor ?? ''), pageLimit(page) + 1, keyOf(value)]
      const found = pageOf<typeof kind>(await sender.send(sql.list[index as Index], values), page)
      const rows = found.rows.filter(({ record }) => isIndexed(kind, record, index, value))
      return { ...found, rows }
    },
    async scan(kind, page) {
      const values = [kind, keyOf(page.cursor ?? ''), pageLimit(page) + 1]
      return pageOf(await sender.send(sql.scan, values), page)
    },
    async deleteExpired(now, limit) {
      let left = Math.max(Math.trunc(limit), 0)
      let deleted = 0
      while (left > 0) {
        const batch = Math.min(left, DELETE_BATCH)
        const values = [now, batch, feed.channel, feed.prefix]
        const due = await sender.send(sql.deleteExpired, values)
        const gone = due.filter((row) => row['deleted'] === true).length
        deleted += gone
        left -= gone
        if (due.length < batch) break
      }
      return deleted
    },
  }
}

/** The rows by their place among what was asked, from 0. */
function byPlace(rows: readonly PostgresRow[]): ReadonlyMap<number, readonly PostgresRow[]> {
  return new Map(rows.map((row) => [Number(row['at']) - 1, [row]]))
}

/** Columns of rows, for `unnest`. */
function turned(rows: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]))
}

function pageOf<K extends Kind>(found: readonly PostgresRow[], page: Page): Listing<Records[K]> {
  const limit = pageLimit(page)
  const rows = found.slice(0, limit).map((row) => readRow<K>(row))
  return { rows, cursor: found.length > limit ? rows.at(-1)?.record.id : undefined }
}

function readRow<K extends Kind>({ version, record }: PostgresRow): Versioned<Records[K]> {
  return { record: JSON.parse(String(record)) as Records[K], version: Number(version) }
}

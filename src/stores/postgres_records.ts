/**
 * The verbs, each as one statement whose rows say who won.
 *
 * A statement that writes a grant tells whoever watches in the same breath: PostgreSQL delivers the
 * notification with the commit, or not at all.
 */
import { isIndexed, pageLimit } from './listing.ts'
import { keyOf } from './postgres_keys.ts'
import type { PostgresRow, Sender } from './postgres_pool.ts'
import type { Tables } from './postgres_schema.ts'
import { indexEntries, type Indexes, type Kind, type Records } from './records.ts'
import type { Listing, Page, Versioned } from './store.ts'

/** The column of each index. */
const COLUMNS = {
  subject: 'subject',
  client_id: 'client_id',
  connectionId: 'connection_id',
} as const

type Index = keyof typeof COLUMNS

/** A record as it goes into the table, taken down when the verb was called. */
export interface Draft {
  readonly kind: Kind
  /** In the order of the columns: kind, id, expires_at, record, subject, client_id, connection_id. */
  readonly values: readonly (string | number | null)[]
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

  return {
    async find(kind, id) {
      const [row] = await sender.send(sql.find, [kind, keyOf(id)])
      return row && readRow(row)
    },
    async insert({ kind, values }) {
      return (await write(kind, sql.insert, values)).length === 1
    },
    async replace({ kind, values }, version) {
      return (await write(kind, sql.replace, [...values, version])).length === 1
    },
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
        const { length } = await sender.send(sql.deleteExpired, values)
        deleted += length
        left -= length
        if (length < batch) break
      }
      return deleted
    },
  }
}

/** A statement that writes, without and with a word to whoever watches. */
interface WriteStatement {
  readonly silent: string
  readonly telling: string
}

interface Statements {
  readonly find: string
  readonly insert: WriteStatement
  readonly replace: WriteStatement
  readonly take: WriteStatement
  readonly list: { readonly [I in Index]: string }
  readonly scan: string
  readonly deleteExpired: string
}

function createStatements({ records }: Tables): Statements {
  const listBy = (index: Index): string =>
    `SELECT version, record FROM ${records}
     WHERE kind = $1 AND id > $2 AND ${COLUMNS[index]} = $4 ORDER BY id LIMIT $3`
  return {
    find: `SELECT version, record FROM ${records} WHERE kind = $1 AND id = $2`,
    insert: writing(
      7,
      `INSERT INTO ${records}
         (kind, id, expires_at, record, subject, client_id, connection_id, version)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 1) ON CONFLICT DO NOTHING RETURNING id`,
    ),
    replace: writing(
      8,
      `UPDATE ${records} SET version = version + 1, expires_at = $3, record = $4, subject = $5,
         client_id = $6, connection_id = $7
       WHERE kind = $1 AND id = $2 AND version = $8 RETURNING id`,
    ),
    take: writing(
      2,
      `DELETE FROM ${records} WHERE kind = $1 AND id = $2 RETURNING id, version, record`,
    ),
    list: {
      subject: listBy('subject'),
      client_id: listBy('client_id'),
      connectionId: listBy('connectionId'),
    },
    scan: `SELECT version, record FROM ${records}
      WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3`,
    // Rows that another cleaner or a request holds are left for the next time, and nobody waits.
    deleteExpired: `WITH expired AS (
        SELECT kind, id FROM ${records} WHERE expires_at <= $1
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
      ), deleted AS (
        DELETE FROM ${records} USING expired
        WHERE ${records}.kind = expired.kind AND ${records}.id = expired.id
        RETURNING ${records}.kind, ${records}.id
      )
      SELECT CASE WHEN kind = 'grant' THEN pg_notify($3, $4 || id) END FROM deleted`,
  }
}

/** `statement` with so many parameters, which returns the `id` of what it has written. */
function writing(parameters: number, statement: string): WriteStatement {
  const notify = `pg_notify($${parameters + 1}, $${parameters + 2} || id)`
  return {
    silent: statement,
    telling: `WITH written AS (${statement}) SELECT *, ${notify} FROM written`,
  }
}

function pageOf<K extends Kind>(found: readonly PostgresRow[], page: Page): Listing<Records[K]> {
  const limit = pageLimit(page)
  const rows = found.slice(0, limit).map((row) => readRow<K>(row))
  return { rows, cursor: found.length > limit ? rows.at(-1)?.record.id : undefined }
}

function readRow<K extends Kind>({ version, record }: PostgresRow): Versioned<Records[K]> {
  return { record: JSON.parse(String(record)) as Records[K], version: Number(version) }
}

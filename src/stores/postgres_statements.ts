/**
 * The statements. Each that decides who won is one by itself; those for several records at once are a
 * short way to the same: what they answer holds, and what they leave open is asked alone.
 *
 * They reach each row over the primary key, whatever the planner thinks of the table's size, and wait
 * for no row that somebody else is writing: so two of them cannot wait for each other.
 */
import type { Tables } from './postgres_schema.ts'

/** The column of each index. */
export const COLUMNS = {
  subject: 'subject',
  client_id: 'client_id',
  connectionId: 'connection_id',
} as const

export type Index = keyof typeof COLUMNS

/** A statement that writes, without and with a word to whoever watches. */
export interface WriteStatement {
  readonly silent: string
  readonly telling: string
}

export interface Statements {
  readonly find: string
  readonly findTogether: string
  readonly insert: WriteStatement
  readonly replace: WriteStatement
  readonly replaceTogether: string
  readonly take: WriteStatement
  readonly list: { readonly [I in Index]: string }
  readonly scan: string
  readonly deleteExpired: string
}

export function createStatements({ records }: Tables): Statements {
  const listBy = (index: Index): string =>
    `SELECT version, record FROM ${records}
     WHERE kind = $1 AND id > $2 AND ${COLUMNS[index]} = $4 ORDER BY id LIMIT $3`
  return {
    find: `SELECT version, record FROM ${records} WHERE kind = $1 AND id = $2`,
    // `at` is the place in the arrays, from 1.
    findTogether: `SELECT at, version, record
      FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (kind, id, at)
      CROSS JOIN LATERAL (
        SELECT version, record FROM ${records} WHERE kind = asked.kind AND id = asked.id OFFSET 0
      ) AS found`,
    insert: writing(
      7,
      `INSERT INTO ${records}
         (kind, id, expires_at, sweep_at, record, subject, client_id, connection_id, version)
       VALUES ($1, $2, $3, $3, $4, $5, $6, $7, 1) ON CONFLICT DO NOTHING RETURNING id`,
    ),
    // No index has to hear of it when a record expires later than before.
    replace: writing(
      8,
      `UPDATE ${records} SET version = version + 1, expires_at = $3, record = $4, subject = $5,
         client_id = $6, connection_id = $7, sweep_at = LEAST(sweep_at, $3)
       WHERE kind = $1 AND id = $2 AND version = $8 RETURNING id`,
    ),
    replaceTogether: `WITH asked AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::float8[], $4::text[], $5::text[],
          $6::text[], $7::text[], $8::bigint[]) WITH ORDINALITY
        AS asked (kind, id, expires_at, record, subject, client_id, connection_id, version, at)
      ), held AS (
        SELECT asked.*, found.place FROM asked CROSS JOIN LATERAL (
          SELECT ctid AS place FROM ${records}
          WHERE kind = asked.kind AND id = asked.id AND version = asked.version
          FOR NO KEY UPDATE SKIP LOCKED
        ) AS found
      ), written AS (
        UPDATE ${records} AS old SET version = old.version + 1, expires_at = held.expires_at,
          record = held.record, subject = held.subject, client_id = held.client_id,
          connection_id = held.connection_id, sweep_at = LEAST(old.sweep_at, held.expires_at)
        FROM held WHERE old.ctid = held.place RETURNING old.kind, old.id, held.at
      )
      SELECT at, CASE WHEN kind = 'grant' THEN pg_notify($9, $10 || id) END FROM written`,
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
    deleteExpired: `WITH due AS (
        SELECT kind, id, expires_at FROM ${records} WHERE sweep_at <= $1
        ORDER BY sweep_at LIMIT $2 FOR UPDATE SKIP LOCKED
      ), prolonged AS (
        UPDATE ${records} AS old SET sweep_at = due.expires_at FROM due
        WHERE old.kind = due.kind AND old.id = due.id AND (due.expires_at <= $1) IS NOT TRUE
      ), deleted AS (
        DELETE FROM ${records} AS old USING due
        WHERE old.kind = due.kind AND old.id = due.id AND due.expires_at <= $1
        RETURNING old.kind, old.id
      )
      SELECT deleted.id IS NOT NULL AS deleted,
        CASE WHEN deleted.kind = 'grant' THEN pg_notify($3, $4 || deleted.id) END
      FROM due LEFT JOIN deleted ON deleted.kind = due.kind AND deleted.id = due.id`,
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

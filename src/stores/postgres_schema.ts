/**
 * The tables, made on first use. Several servers may start at once: the statements that make them run
 * as one transaction under an advisory lock, and find them there when somebody else was faster.
 *
 * One table holds every record as JSON. What is listed by has a column of its own, so that a verb is
 * one statement; `COLLATE "C"` sorts by bytes. A record is looked at for its expiry from `sweep_at` on,
 * which stays as it is when a replacement expires later: so most replacements change no indexed column,
 * and with the room that is left on each page they write no index.
 */
import type { Sender } from './postgres_pool.ts'
import { StoreUnavailable } from './store.ts'

const SCHEMA_VERSION = 1

/** The names of the tables, quoted, within `schema` or wherever the search path leads. */
export interface Tables {
  readonly schema: string | undefined
  readonly records: string
  readonly meta: string
}

/**
 * The names within `schema`.
 * @throws RangeError when the name of the schema cannot be one.
 */
export function tablesOf(schema: string | undefined): Tables {
  if (schema !== undefined && !/^[a-z_][a-z0-9_-]{0,62}$/i.test(schema)) {
    throw new RangeError(
      `schema must be 1 to 63 of the characters A-Z a-z 0-9 _ -, not ${JSON.stringify(schema)}`,
    )
  }
  const prefix = schema === undefined ? '' : `"${schema}".`
  return { schema, records: `${prefix}mcp_oauth_records`, meta: `${prefix}mcp_oauth_meta` }
}

/**
 * Makes the tables where they are not there yet. Where they are, no right to make any is needed.
 * @throws StoreUnavailable when a newer release has made them, or the database does not hold Unicode.
 */
export async function migrate(sender: Sender, tables: Tables): Promise<void> {
  const found = await inspect(sender, tables)
  if (found.encoding !== 'UTF8') {
    throw new StoreUnavailable(
      `the database's encoding is ${String(found.encoding)}; it must be UTF8`,
    )
  }
  if (found.made !== true) await sender.sendAll(statements(tables))
  const [row] = await sender.send(
    `SELECT value FROM ${tables.meta} WHERE name = 'schema_version'`,
    [],
  )
  const version = Number(row?.['value'])
  if (version === SCHEMA_VERSION) return
  throw new StoreUnavailable(
    `its schema version is ${version} and this release knows ${SCHEMA_VERSION}; use the release that made it, or a later one`,
  )
}

async function inspect(sender: Sender, { meta }: Tables): Promise<Inspection> {
  const [row] = await sender.send(
    `SELECT current_setting('server_encoding') AS encoding, to_regclass($1) IS NOT NULL AS made`,
    [meta],
  )
  return row ?? {}
}

interface Inspection {
  readonly encoding?: unknown
  readonly made?: unknown
}

/** Sent at once, statements are one transaction: that of the lock. */
function statements({ schema, records, meta }: Tables): string {
  const makeSchema =
    schema === undefined
      ? ''
      : `DO $$ BEGIN
           IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '${schema}') THEN
             CREATE SCHEMA "${schema}";
           END IF;
         END $$;`
  return `
    SELECT pg_advisory_xact_lock(hashtextextended('mcp_oauth migration', 0));
    ${makeSchema}
    CREATE TABLE IF NOT EXISTS ${records} (
      version bigint NOT NULL, expires_at double precision, sweep_at double precision,
      kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, subject text COLLATE "C",
      client_id text COLLATE "C", connection_id text COLLATE "C", record text NOT NULL,
      PRIMARY KEY (kind, id)
    ) WITH (fillfactor = 85);
    CREATE INDEX IF NOT EXISTS mcp_oauth_expiry
      ON ${records} (sweep_at) WHERE sweep_at IS NOT NULL;
    CREATE INDEX IF NOT EXISTS mcp_oauth_subject
      ON ${records} (kind, subject, id) WHERE subject IS NOT NULL;
    CREATE INDEX IF NOT EXISTS mcp_oauth_client
      ON ${records} (kind, client_id, id) WHERE client_id IS NOT NULL;
    CREATE INDEX IF NOT EXISTS mcp_oauth_connection
      ON ${records} (kind, connection_id, id) WHERE connection_id IS NOT NULL;
    CREATE TABLE IF NOT EXISTS ${meta} (name text PRIMARY KEY, value integer NOT NULL);
    INSERT INTO ${meta} VALUES ('schema_version', ${SCHEMA_VERSION}) ON CONFLICT DO NOTHING;`
}

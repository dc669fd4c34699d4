/** The engines that are measured, each started with nothing in it, and how each tells its size. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { postgres } from '../src/postgres.ts'
import { redis } from '../src/redis.ts'
import { sqlite } from '../src/sqlite.ts'
import type { Store } from '../src/stores/store.ts'
import { startPostgres } from '../test/support/postgres.ts'
import { startRedis } from '../test/support/redis.ts'

export interface Measured {
  readonly store: Store
  /** Bytes by what holds them, when all that was written has come to rest. */
  sizes(): Promise<Sizes>
  close(): Promise<void>
}

export type Sizes = Readonly<{ [what: string]: number }>

export const ENGINES: ReadonlyMap<string, () => Promise<Measured>> = new Map([
  ['sqlite', startSqlite],
  ['postgres', startPostgresTables],
  ['redis', startRedisMemory],
])

async function startSqlite(): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-sizes-'))
  const file = join(directory, 'store.db')
  const store = sqlite(file)
  return {
    store,
    async sizes() {
      // A store that is closed copies the log into the file.
      await sqlite(file).close()
      const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
      return { file: statSync(file).size, log }
    },
    async close() {
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function startPostgresTables(): Promise<Measured> {
  const server = await startPostgres()
  const store = postgres(server.pool({ max: 16 }), { timeout: 60 })
  return {
    store,
    async sizes() {
      // As autovacuum does in its own time: rows that were deleted become room for new ones.
      await server.run('VACUUM ANALYZE mcp_oauth_records')
      const [row = {}] = await server.run(`
        SELECT pg_total_relation_size('mcp_oauth_records') AS both,
          pg_table_size('mcp_oauth_records') AS rows, pg_indexes_size('mcp_oauth_records') AS indexes`)
      return {
        'table and indexes': Number(row['both']),
        table: Number(row['rows']),
        indexes: Number(row['indexes']),
      }
    },
    async close() {
      await store.close()
      await server.stop()
      await server.close()
    },
  }
}

async function startRedisMemory(): Promise<Measured> {
  const server = await startRedis(['--appendonly', 'yes', '--appendfsync', 'everysec'])
  const client = new Redis(server.port, '127.0.0.1', { socketTimeout: 60_000 })
  client.on('error', () => undefined)
  const store = redis(client, { timeout: 60 })
  const info = async (section: string, name: string): Promise<number> => {
    const line = new RegExp(`^${name}:(\\d+)`, 'm').exec(await server.cli('INFO', section))
    return Number(line?.[1] ?? NaN)
  }
  return {
    store,
    sizes: async () => ({
      memory: await info('memory', 'used_memory'),
      'memory of the process': await info('memory', 'used_memory_rss'),
      AOF: await info('persistence', 'aof_current_size'),
    }),
    async close() {
      await store.close()
      client.disconnect()
      await server.close()
    },
  }
}

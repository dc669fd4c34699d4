/** The stores that the faults are tried on, each fresh and in a directory of its own. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgres, startPostgres } from '../test/support/postgres.ts'
import { startRedis } from '../test/support/redis.ts'

export interface Engine {
  readonly name: string
  /** What it must have been installed with; undefined when it is there. */
  missing(): string | undefined
  start(): Promise<Ground>
}

/** A store that several server processes may open. */
export interface Ground {
  /** As `--store` spells it. */
  readonly store: string
  /** Every byte that the engine has written to its disk since it was started. */
  bytes(): Promise<readonly Buffer[]>
  /** Where there is a server: how it is reached, and reached over another port. */
  readonly network?: { readonly port: number; storeAt(port: number): string }
  /** Where there is a server: kills it, and starts it again on what it has written. */
  crash?(): Promise<void>
  close(): Promise<void>
}

export const ENGINES: readonly Engine[] = [
  { name: 'SQLite', missing: () => undefined, start: startSqlite },
  {
    name: 'PostgreSQL',
    missing: () => (findPostgres() === undefined ? 'postgresql' : undefined),
    start: startPostgresGround,
  },
  {
    name: 'Redis',
    missing: () => (existsSync('/usr/bin/redis-server') ? undefined : 'redis-server'),
    start: startRedisGround,
  },
]

async function startSqlite(): Promise<Ground> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-faults-'))
  return {
    store: `sqlite:${join(directory, 'store.db')}`,
    bytes: async () => bytesBelow(directory, 0),
    close: async () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** The server keeps what was committed when it is killed; what a power cut leaves is not tried here. */
async function startPostgresGround(): Promise<Ground> {
  const server = await startPostgres()
  const started = Date.now()
  const storeAt = (port: number): string => `postgres://test@127.0.0.1:${port}/postgres`
  return {
    store: storeAt(server.port),
    network: { port: server.port, storeAt },
    async bytes() {
      await server.run('CHECKPOINT')
      return bytesBelow(server.data, started)
    },
    async crash() {
      await server.stop()
      await server.start()
    },
    async close() {
      // Stopped first: nothing is left then that could end while it is signalled.
      await server.stop()
      await server.close()
    },
  }
}

/** AOF, flushed each second: written before the answer, which is what the kill of a process needs. */
async function startRedisGround(): Promise<Ground> {
  const server = await startRedis(['--appendonly', 'yes', '--appendfsync', 'everysec'])
  const storeAt = (port: number): string => `redis://127.0.0.1:${port}`
  return {
    store: storeAt(server.port),
    network: { port: server.port, storeAt },
    async bytes() {
      const [, directory = ''] = (await server.cli('CONFIG', 'GET', 'dir')).split('\n')
      return bytesBelow(directory, 0)
    },
    async crash() {
      server.signal('SIGKILL')
      await server.restart()
    },
    close: () => server.close(),
  }
}

/** The files that were changed since `since`, in milliseconds. */
function bytesBelow(directory: string, since: number): readonly Buffer[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).mtimeMs >= since)
    .map((path) => readFileSync(path))
}

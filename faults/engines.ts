/** The stores that the faults are tried on, each fresh and in a directory of its own. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgres, startPostgres } from '../test/support/postgres.ts'
import { startRedis } from '../test/support/redis.ts'
import { bytesBelow } from './disk.ts'
import { startClusterGround } from './engine_cluster.ts'
import { startUpstashGround } from './engine_upstash.ts'
import type { Ground, StorePlace } from './ground.ts'
import { APPEND, directoryOf } from './redis_disk.ts'

export interface Engine {
  readonly name: string
  /** What it must have been installed with; undefined when it is there. */
  missing(): string | undefined
  start(): Promise<Ground>
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
    missing: missingRedis,
    start: startRedisGround,
  },
  { name: 'Redis Cluster', missing: missingRedis, start: startClusterGround },
  { name: 'Upstash', missing: missingRedis, start: startUpstashGround },
]

function missingRedis(): string | undefined {
  return existsSync('/usr/bin/redis-server') ? undefined : 'redis-server'
}

async function startSqlite(): Promise<Ground> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-faults-'))
  return {
    store: { text: `sqlite:${join(directory, 'store.db')}` },
    bytes: async () => bytesBelow(directory, 0),
    close: async () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** The server keeps what was committed when it is killed; what a power cut leaves is not tried here. */
async function startPostgresGround(): Promise<Ground> {
  const server = await startPostgres()
  const started = Date.now()
  const storeAt = (port: number): StorePlace => ({
    text: `postgres://test@127.0.0.1:${port}/postgres`,
  })
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
  const server = await startRedis(APPEND)
  const storeAt = (port: number): StorePlace => ({ text: `redis://127.0.0.1:${port}` })
  return {
    store: storeAt(server.port),
    network: { port: server.port, storeAt },
    async bytes() {
      return bytesBelow(await directoryOf(server), 0)
    },
    async crash() {
      server.signal('SIGKILL')
      await server.restart()
    },
    close: () => server.close(),
  }
}

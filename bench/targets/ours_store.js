/** The store of a target of ours, and how large it is. Engines that are servers have been started before. */
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { DIST } from './dist.js'

/** Loads a driver as the package itself does where it is installed beside it. */
const load = createRequire(import.meta.url)

export async function openStore({ store: kind, place, durability }) {
  return await STORES[kind](place, durability)
}

const STORES = {
  async memory() {
    const { memory } = await import(`${DIST}/memory.js`)
    return { store: memory(), sizes: () => ({}) }
  },
  async sqlite(file, durability = 'process') {
    const { sqlite } = await import(`${DIST}/sqlite.js`)
    return {
      store: sqlite(file, { durability }),
      async sizes() {
        // A store that is closed copies the log into the file.
        await sqlite(file).close()
        return { disk: statSync(file).size }
      },
    }
  },
  async postgres(port) {
    const { postgres } = await import(`${DIST}/postgres.js`)
    const { Pool } = load('pg')
    const pool = new Pool({ host: '127.0.0.1', port, user: 'bench', database: 'postgres', max: 16 })
    const size = "SELECT pg_total_relation_size(to_regclass('mcp_oauth_records')) AS disk"
    return {
      store: postgres(pool),
      sizes: async () => ({ disk: Number((await pool.query(size)).rows[0].disk) }),
    }
  },
  async redis(port) {
    const { redis } = await import(`${DIST}/redis.js`)
    const { Redis } = load('ioredis')
    const client = new Redis(port, '127.0.0.1')
    client.on('error', () => {})
    return {
      store: redis(client),
      sizes: async () => ({
        memory: Number(/used_memory:(\d+)/.exec(await client.info('memory'))[1]),
      }),
    }
  },
}

/** Runs the store contract on the stores that keep connections: `REDIS_PORT`, `POSTGRES_PORT`. */
import { Redis } from 'ioredis'
import pg from 'pg'
import { postgres } from '@mcp-oauth/server/stores/postgres'
import { redis } from '@mcp-oauth/server/stores/redis'
import { storeContract } from '@mcp-oauth/server/testing'
import { holds } from './doors.ts'

const { REDIS_PORT, POSTGRES_PORT = '' } = process.env
const client = new Redis(Number(REDIS_PORT), '127.0.0.1')
let count = 0
const prefix = () => `contract_${process.pid}_${(count += 1)}`
console.log(`redis: ${await holds(storeContract, () => redis(client, { prefix: prefix() }))} hold`)
client.disconnect()

if (POSTGRES_PORT !== '') {
  const place = { host: '127.0.0.1', port: Number(POSTGRES_PORT), user: 'test' }
  const pool = new pg.Pool({ ...place, database: 'postgres' })
  const createStore = () => postgres(pool, { schema: prefix() })
  console.log(`postgres: ${await holds(storeContract, createStore)} hold`)
  await pool.end()
}

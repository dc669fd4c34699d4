/**
 * The floor of a store: the bare server that reads one record and replaces it by compare-and-set for each
 * refresh, with the driver itself, and knows no client, no limit and no token but its own.
 */
import { createRequire } from 'node:module'
import { readText, writeJson } from './tool.js'

const load = createRequire(import.meta.url)

export async function start({ server, origin, settings: { store, place } }) {
  const records = await OPEN[store](place)
  server.on('request', (req, res) => {
    answer(records, req, res).catch((error) => {
      process.stderr.write(`${error.stack}\n`)
      res.destroy()
    })
  })
  return {
    place: { paths: { token: '/token' }, resource: `${origin}/mcp` },
    async seed(count) {
      const seats = Array.from({ length: count }, (_, at) => seatOf(`${at}`.padStart(8, '0'), 0))
      for (const { refresh_token } of seats) await records.insert(idOf(refresh_token), recordOf(0))
      return seats
    },
  }
}

async function answer(records, req, res) {
  const token = new URLSearchParams(await readText(req)).get('refresh_token')
  const id = idOf(token)
  const held = await records.find(id)
  const generation = held === undefined ? -1 : JSON.parse(held).generation
  if (!token.startsWith(seatOf(id, generation).refresh_token)) return refuse(res)
  const isReplaced = await records.replace(id, held, recordOf(generation + 1))
  if (!isReplaced) return refuse(res)
  const tokens = { ...seatOf(id, generation + 1), token_type: 'Bearer', expires_in: 3600 }
  writeJson(res, JSON.stringify(tokens))
}

function refuse(res) {
  writeJson(res, '{"error":"invalid_grant"}', 400)
}

/** Of the length that a grant has. */
function recordOf(generation) {
  return JSON.stringify({ generation, text: 'x'.repeat(1100) })
}

function seatOf(id, generation) {
  const access_token = `at_${id}_${generation}_${'a'.repeat(200)}`
  return {
    client_id: 'client',
    access_token,
    refresh_token: `rt_${id}_${generation}_${'r'.repeat(120)}`,
  }
}

function idOf(token) {
  return token.slice(3, 11)
}

const OPEN = { postgres: openPostgres, redis: openRedis }

async function openPostgres(port) {
  const { Pool } = load('pg')
  const pool = new Pool({ host: '127.0.0.1', port, user: 'bench', database: 'postgres', max: 16 })
  await pool.query('CREATE TABLE IF NOT EXISTS floor (id text PRIMARY KEY, record text NOT NULL)')
  const named = (name, text) => (values) => pool.query({ name, text, values })
  const insert = named('insert', 'INSERT INTO floor VALUES ($1, $2)')
  const find = named('find', 'SELECT record FROM floor WHERE id = $1')
  const replace = named('replace', 'UPDATE floor SET record = $3 WHERE id = $1 AND record = $2')
  return {
    insert: (id, record) => insert([id, record]),
    find: async (id) => (await find([id])).rows[0]?.record,
    replace: async (id, held, record) => (await replace([id, held, record])).rowCount === 1,
  }
}

const REPLACE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2]) return 1`

async function openRedis(port) {
  const { Redis } = load('ioredis')
  const client = new Redis(port, '127.0.0.1', { enableAutoPipelining: true })
  client.defineCommand('swap', { numberOfKeys: 1, lua: REPLACE })
  return {
    insert: (id, record) => client.set(id, record),
    find: async (id) => (await client.get(id)) ?? undefined,
    replace: async (id, held, record) => (await client.swap(id, held, record)) === 1,
  }
}

/**
 * The words of `--store` as code, and which store a project seems to have already.
 */
import type { Part } from './part.ts'

export const STORES = ['sqlite', 'postgres', 'redis', 'upstash', 'memory'] as const

export type StoreName = (typeof STORES)[number]

export interface StoreChoice extends Part {
  readonly name: StoreName
  /** Files that it makes, as patterns of an ignore file. */
  readonly ignored?: readonly string[]
}

/** What is asked of the project. */
export interface StoreSurroundings {
  readonly packages: Readonly<{ [name: string]: string }>
  /** Whether it is deployed at Vercel, where no file lasts. */
  readonly onVercel: boolean
  /** Whether a module may wait for something. */
  readonly topLevelAwait: boolean
}

export function isStore(word: string): word is StoreName {
  return STORES.some((name) => name === word)
}

/** The store that the project has a client for; SQLite where it has none. */
export function storeOf({ packages, onVercel }: StoreSurroundings): StoreName {
  const has = (...names: readonly string[]) => names.some((name) => packages[name] !== undefined)
  if (onVercel || has('@upstash/redis', '@vercel/kv')) return 'upstash'
  if (has('ioredis', 'redis')) return 'redis'
  return has('pg') ? 'postgres' : 'sqlite'
}

export function readStore(name: StoreName, surroundings: StoreSurroundings): StoreChoice {
  switch (name) {
    case 'sqlite':
      return {
        ...simple(name, `sqlite('mcp-oauth.db')`),
        ignored: ['mcp-oauth.db', 'mcp-oauth.db-*'],
      }
    case 'memory':
      return simple(name, 'memory()')
    case 'postgres':
      return POSTGRES
    case 'redis':
      return surroundings.packages['ioredis'] === undefined &&
        surroundings.packages['redis'] !== undefined
        ? nodeRedis(surroundings.topLevelAwait)
        : IOREDIS
    case 'upstash':
      return UPSTASH
  }
}

function simple(name: 'sqlite' | 'memory', value: string): StoreChoice {
  return { name, imports: [[`@mcp-oauth/server/stores/${name}`, name]], variables: [], value }
}

const POSTGRES: StoreChoice = {
  name: 'postgres',
  imports: [
    ['@mcp-oauth/server/stores/postgres', 'postgres'],
    ['pg', 'default pg'],
  ],
  variables: [
    {
      name: 'DATABASE_URL',
      local: 'connectionString',
      example: 'postgres://localhost:5432/mcp_oauth',
      about: 'The PostgreSQL database that keeps who is signed in.',
    },
  ],
  value: 'postgres(new pg.Pool({ connectionString }))',
  packages: { pg: '^8.16.0' },
  typePackages: { '@types/pg': '^8.15.0' },
}

const REDIS_URL = {
  name: 'REDIS_URL',
  local: 'redisUrl',
  example: 'redis://localhost:6379',
  about: 'The Redis that keeps who is signed in.',
}

const IOREDIS: StoreChoice = {
  name: 'redis',
  imports: [
    ['@mcp-oauth/server/stores/redis', 'redis'],
    ['ioredis', 'Redis'],
  ],
  variables: [REDIS_URL],
  value: 'redis(new Redis(redisUrl))',
  packages: { ioredis: '^5.6.0 || ^6.0.0' },
}

/** A client without a listener for errors ends the process when the connection breaks. */
function nodeRedis(topLevelAwait: boolean): StoreChoice {
  return {
    name: 'redis',
    imports: [
      ['@mcp-oauth/server/stores/redis', 'redis'],
      ['redis', 'createClient'],
    ],
    variables: [REDIS_URL],
    before: `const client = createClient({ url: redisUrl });
client.on('error', (error) => console.error(error));
${topLevelAwait ? 'await client.connect();' : 'void client.connect();'}`,
    value: 'redis(client)',
  }
}

const UPSTASH: StoreChoice = {
  name: 'upstash',
  imports: [['@mcp-oauth/server/stores/upstash', 'upstashFromEnvironment']],
  variables: [
    {
      name: 'KV_REST_API_URL',
      local: '',
      example: '',
      about: 'The Upstash database that keeps who is signed in, as Vercel names it.',
    },
    { name: 'KV_REST_API_TOKEN', local: '', example: '', about: 'Its token.' },
  ],
  value: 'upstashFromEnvironment(process.env)',
}

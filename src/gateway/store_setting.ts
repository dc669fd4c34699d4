/**
 * Where records are kept, in words: what `--store` may say, read and judged without opening anything.
 *
 * A fault never quotes the text, since a password may stand in it.
 */
import { upstashFromEnvironment } from '../stores/upstash.ts'

type Environment = Parameters<typeof upstashFromEnvironment>[0]

export const STORE = 'sqlite:./mcp-oauth.db'

/** A Redis server, or a node of a cluster, or a sentinel. */
export interface RedisNode {
  readonly host: string
  readonly port: number
}

/** What the nodes of one deployment are spoken to with. */
export interface RedisAccess {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: boolean
}

export type StoreSetting =
  | { readonly type: 'memory' }
  | { readonly type: 'sqlite'; readonly path: string }
  | { readonly type: 'postgres'; readonly url: string }
  | { readonly type: 'redis'; readonly url: string }
  | ({ readonly type: 'redis_cluster'; readonly nodes: readonly RedisNode[] } & RedisAccess)
  | ({
      readonly type: 'redis_sentinel'
      readonly nodes: readonly RedisNode[]
      /** What the sentinels call the primary. */
      readonly name: string
    } & RedisAccess)
  | { readonly type: 'upstash'; readonly environment: Environment }

interface Fault {
  readonly fault: string
}

/** Every spelling, as the help shows them. */
export const STORES =
  'sqlite:<path>, postgres://…, redis://…, rediss://…, redis+cluster://host:port,…, redis+sentinel://host:port,…?name=…, upstash or memory'

const REDIS_PORT = 6379
const SENTINEL_PORT = 26_379

/** The setting that `text` spells, or what is wrong with it. `environment` is asked for Upstash only. */
export function readStoreSetting(text: string, environment: Environment): StoreSetting | Fault {
  if (text === 'memory') return { type: 'memory' }
  if (text === 'upstash') return readUpstash(environment)
  const [, scheme = '', rest = ''] = /^([a-z+]+):(.+)$/s.exec(text) ?? []
  switch (scheme) {
    case 'sqlite':
      return { type: 'sqlite', path: rest }
    case 'postgres':
    case 'postgresql':
      return isUrl(text) ? { type: 'postgres', url: text } : { fault: urlFault(scheme) }
    case 'redis':
    case 'rediss':
      return isUrl(text) ? { type: 'redis', url: text } : { fault: urlFault(scheme) }
    case 'redis+cluster':
    case 'rediss+cluster':
      return readCluster(text)
    case 'redis+sentinel':
    case 'rediss+sentinel':
      return readSentinel(text)
    default:
      return { fault: `store must be ${STORES}` }
  }
}

function isUrl(text: string): boolean {
  return /^[a-z]+:\/\/[^/?#]/.test(text) && URL.canParse(text)
}

function urlFault(scheme: string): string {
  return `store is no URL; write ${scheme}://host:port/database, and percent-encode what is special in user and password`
}

function readUpstash(environment: Environment): StoreSetting | Fault {
  try {
    // Nothing is asked: the address and the token are read and judged.
    upstashFromEnvironment(environment)
    return { type: 'upstash', environment }
  } catch (error) {
    return { fault: `store is upstash: ${error instanceof Error ? error.message : ''}` }
  }
}

function readCluster(text: string): StoreSetting | Fault {
  const parts = readNodes(text, REDIS_PORT)
  if (parts === undefined) {
    return { fault: 'store must name the nodes as redis+cluster://host:port,host:port' }
  }
  const { nodes, access } = parts
  return { type: 'redis_cluster', nodes, ...access }
}

function readSentinel(text: string): StoreSetting | Fault {
  const parts = readNodes(text, SENTINEL_PORT)
  const name = parts?.query.get('name') ?? ''
  if (parts === undefined || name === '') {
    return {
      fault:
        'store must name sentinels and primary as redis+sentinel://host:port,host:port?name=primary',
    }
  }
  const { nodes, access } = parts
  return { type: 'redis_sentinel', nodes, name, ...access }
}

interface Parts {
  readonly nodes: readonly RedisNode[]
  readonly access: RedisAccess
  readonly query: URLSearchParams
}

/** Several hosts in one authority, which URL does not read: each is read as a URL of its own. */
function readNodes(text: string, port: number): Parts | undefined {
  const [, scheme = '', user = '', hosts = '', query = ''] =
    /^(rediss?)\+\w+:\/\/(?:([^@/?#]*)@)?([^@/?#]+)\/?(?:\?([^#]*))?$/.exec(text) ?? []
  const urls = hosts.split(',').map((host) => `redis://${user}${user && '@'}${host}`)
  if (hosts === '' || !urls.every((url) => URL.canParse(url))) return undefined
  const read = urls.map((url) => new URL(url))
  const access = readAccess(read[0], scheme === 'rediss')
  if (access === undefined) return undefined
  return {
    nodes: read.map((url) => ({
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? port : Number(url.port),
    })),
    access,
    query: new URLSearchParams(query),
  }
}

function readAccess(url: URL | undefined, tls: boolean): RedisAccess | undefined {
  try {
    return {
      username: decodeURIComponent(url?.username ?? '') || undefined,
      password: decodeURIComponent(url?.password ?? '') || undefined,
      tls,
    }
  } catch {
    return undefined
  }
}

/**
 * The store in Upstash Redis, over its REST interface: for servers that keep no connection.
 *
 * The keys and the steps are those of `redis()`, so a database may be used over both. Several commands go
 * as one pipeline, and texts come back in base64, which no answer can break. There is no `watch`.
 */
import { createKeptFetch } from '../http/kept_fetch.ts'
import type { SafeFetch } from '../http/safe_fetch.ts'
import { createRedisStore, type RedisStoreOptions } from './redis.ts'
import type { Command, RedisExecutor, Reply } from './redis_executor.ts'
import type { Store } from './store.ts'

export interface UpstashOptions extends RedisStoreOptions {
  /** The database's REST address, `https://….upstash.io`. */
  readonly url: string
  /** Its token, not the one that may only read. */
  readonly token: string
}

type Environment = Readonly<{ [name: string]: string | undefined }>

// A page of a thousand large records.
const MAX_BYTES = 256 * 1024 * 1024

/**
 * A store in the database at `url`.
 * @throws TypeError when `url` is no https address, or http on this machine, or there is no token
 */
export function upstash(options: UpstashOptions): Store {
  return createRedisStore(createUpstashExecutor(options), options)
}

function createUpstashExecutor({ url, token, timeout = 5 }: UpstashOptions): RedisExecutor {
  const { origin, protocol } = URL.canParse(url) ? new URL(url) : { origin: '', protocol: '' }
  if (!/^https?:$/.test(protocol)) throw new TypeError('url must be the https address of Upstash')
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('token must be the token of Upstash')
  // Each command may be taken twice: a script knows the write of its own that it has done already.
  const reach = createKeptFetch({
    trustedOrigins: [origin],
    dangerouslyAllowPrivateAddresses: false,
  })
  return overRest(reach, url.replace(/\/+$/, ''), token, timeout)
}

/**
 * The store that the environment of Vercel (`KV_REST_API_URL`, `KV_REST_API_TOKEN`) or of Upstash
 * (`UPSTASH_REDIS_REST_URL`, `UPSTASH_REDIS_REST_TOKEN`) names.
 * @throws TypeError naming what is missing
 */
export function upstashFromEnvironment(
  environment: Environment,
  options: RedisStoreOptions = {},
): Store {
  return upstash({ ...options, ...readEnvironment(environment) })
}

/** The way to the keys of that database. @throws TypeError as `upstashFromEnvironment` does */
export function upstashExecutor(environment: Environment): RedisExecutor {
  return createUpstashExecutor(readEnvironment(environment))
}

function readEnvironment(environment: Environment): Pick<UpstashOptions, 'url' | 'token'> {
  for (const names of [
    ['KV_REST_API_URL', 'KV_REST_API_TOKEN'],
    ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'],
  ] as const) {
    const [url = '', token = ''] = names.map((name) => environment[name])
    if (url !== '' && token !== '') return { url, token }
  }
  throw new TypeError(
    'the environment has neither KV_REST_API_URL and KV_REST_API_TOKEN nor UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN',
  )
}

function overRest(reach: SafeFetch, url: string, token: string, timeout: number): RedisExecutor {
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await reach(`${url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'upstash-encoding': 'base64',
      },
      body: JSON.stringify(body),
      maxBytes: MAX_BYTES,
      timeout,
    })
    return readAnswer(answer.status, Buffer.from(answer.body).toString())
  }
  const one = async (command: Command): Promise<Reply> => readResult(await post('/', command))
  return {
    send: ({ command }) => one(command),
    async sendAll(commands) {
      const [first, ...others] = commands.map(({ command }) => command)
      if (first === undefined) return []
      if (others.length === 0) return [await one(first)]
      const results = await post('/pipeline', [first, ...others])
      if (!Array.isArray(results) || results.length !== commands.length) throw strange()
      return results.map(readResult)
    },
    primaries: async () => [one],
  }
}

function readAnswer(status: number, text: string): unknown {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Error(`Upstash answered ${status} without JSON`)
  }
  if (status === 200) return answer
  const reason = (answer as { readonly error?: unknown } | null)?.error
  throw new Error(typeof reason === 'string' ? reason : `Upstash answered ${status}`)
}

function readResult(answer: unknown): Reply {
  if (typeof answer !== 'object' || answer === null) throw strange()
  if ('error' in answer && answer.error !== undefined) throw new Error(String(answer.error))
  if (!('result' in answer)) throw strange()
  return decoded(answer.result)
}

function decoded(result: unknown): Reply {
  if (typeof result === 'string') {
    // Upstash leaves this one word as it is; as base64 it would stand for no text.
    return result === 'OK' ? result : Buffer.from(result, 'base64').toString()
  }
  if (Array.isArray(result)) return result.map(decoded)
  return typeof result === 'number' ? result : null
}

function strange(): Error {
  return new Error('Upstash answered with what is no answer')
}

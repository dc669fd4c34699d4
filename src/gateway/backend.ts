/**
 * The way to one backend: its URL, and a pool of kept connections to it.
 *
 * Nothing is retried and no redirect is followed: a tool call may have had its effect although its
 * answer was lost, and only the configured origin may ever see what the gateway sends.
 */
import { Pool } from 'undici'

/** Seconds; 0 is no limit. */
export interface Timeouts {
  /** For a connection to stand. */
  readonly connect: number
  /** From the request to the head of its answer. */
  readonly headers: number
  /** Between two pieces of an answer that is not a stream. */
  readonly idle: number
  /** Between two pieces of an event stream. */
  readonly stream: number
  /** For a client to take what was written to it. */
  readonly stall: number
}

export const TIMEOUTS: Timeouts = { connect: 5, headers: 60, idle: 300, stream: 0, stall: 60 }

export interface Backend {
  readonly url: URL
  readonly pool: Pool
  readonly timeouts: Timeouts
}

/** Why `to` cannot be a backend; undefined when it can. */
export function judgeBackend(to: string): string | undefined {
  if (!URL.canParse(to)) return 'is not a URL such as http://127.0.0.1:9000/mcp'
  const url = new URL(to)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'is not an http(s) URL'
  if (url.username !== '' || url.password !== '') return 'has a user or password before the host'
  return url.hash === '' ? undefined : 'has a fragment'
}

/** @throws RangeError for what `judgeBackend` finds, and where undici is not what it is on Node. */
export function createBackend(to: string, timeouts: Timeouts): Backend {
  // Bun puts an empty class in its place.
  if (typeof Reflect.get(Pool.prototype, 'dispatch') !== 'function') {
    throw new RangeError('createGateway() cannot run on Bun: run the gateway on Node')
  }
  const fault = judgeBackend(to)
  if (fault !== undefined) throw new RangeError(`the backend's URL ${fault}`)
  const url = new URL(to)
  const pool = new Pool(url.origin, {
    connect: { timeout: timeouts.connect * 1000 },
    pipelining: 1,
    // Below the 5 seconds after which Node's own servers close an idle connection.
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 60_000,
    // The clock of each exchange is in `proxy.ts`, for 1xx answers must not wind it up again.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  })
  return { url, pool, timeouts }
}

/** Whether anything at all answers at `to`, with whatever status. For a warning, never for a decision. */
export async function isReachable(to: string): Promise<boolean> {
  const { url, pool } = createBackend(to, TIMEOUTS)
  try {
    const { body } = await pool.request({
      path: url.pathname,
      method: 'HEAD',
      headersTimeout: 3000,
    })
    await body.dump()
    return true
  } catch {
    return false
  } finally {
    await pool.destroy()
  }
}

/**
 * The calls under way: how many each caller has, and what ends them from outside.
 *
 * An event stream may outlive everything that was checked when it began, so while it flows its token
 * is judged again and again, and its end is the stream's end.
 */
import type { AuthInfo } from '../guard/verifier.ts'
import type { Exchange } from './proxy.ts'

export interface Calls {
  /** One more for `caller`, and the function that gives the place back; undefined when he has enough. */
  enter(caller: string): (() => void) | undefined
  /** Holds `exchange` to its end; with `token`, no longer than that holds. */
  hold(exchange: Exchange, token: HeldToken | undefined): void
  /** Ends the streams, waits up to `seconds` for the rest, then breaks them off. */
  drain(seconds: number): Promise<void>
}

export interface HeldToken {
  readonly authInfo: AuthInfo
  /** Whether the token still holds. A failure to tell throws. */
  stillHolds(): Promise<boolean>
}

/** Checks that failed one after the other until a stream is ended though nothing is known. */
const MAX_BLIND_CHECKS = 4
/** Seconds between two looks at an answer whose token is over and which may yet become a stream. */
const LATE = 1

export function createCalls(perCaller: number, recheck: number): Calls {
  const counts = new Map<string, number>()
  const open = new Set<Exchange>()
  return {
    enter(caller) {
      const count = counts.get(caller) ?? 0
      if (perCaller > 0 && count >= perCaller) return undefined
      counts.set(caller, count + 1)
      return () => leave(counts, caller)
    },
    hold(exchange, token) {
      open.add(exchange)
      const release = token === undefined ? () => {} : watchToken(exchange, token, recheck)
      void exchange.done.then(() => {
        open.delete(exchange)
        release()
      })
    },
    async drain(seconds) {
      for (const exchange of open) if (exchange.streaming()) exchange.stop('shutting_down')
      await ended(open, seconds)
      for (const exchange of open) exchange.stop('shutting_down')
    },
  }
}

function leave(counts: Map<string, number>, caller: string): void {
  const left = (counts.get(caller) ?? 1) - 1
  if (left <= 0) counts.delete(caller)
  else counts.set(caller, left)
}

async function ended(open: ReadonlySet<Exchange>, seconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000)
  })
  await Promise.race([Promise.all([...open].map(({ done }) => done)), timeUp])
  clearTimeout(timer)
}

/** Stops a stream when its token ends. Gives the function that stops watching. */
function watchToken(exchange: Exchange, token: HeldToken, recheck: number): () => void {
  let blind = 0
  let checking = false
  async function check(): Promise<void> {
    if (checking || !exchange.streaming()) return
    checking = true
    try {
      if (!(await token.stillHolds())) exchange.stop('token_ended')
      blind = 0
    } catch {
      // A store that is down ends nothing at once: the client would have to sign in for no reason.
      blind += 1
      if (blind >= MAX_BLIND_CHECKS) exchange.stop('token_not_verifiable')
    } finally {
      checking = false
    }
  }
  const timer = recheck === 0 ? undefined : setInterval(() => void check(), recheck * 1000)
  function onExpiry(): void {
    if (exchange.streaming()) exchange.stop('token_expired')
    // What begins to flow only now must not flow for ever.
    else expiry = setTimeout(onExpiry, LATE * 1000)
  }
  let expiry = setTimeout(
    onExpiry,
    Math.min(Math.max(token.authInfo.expiresAt * 1000 - Date.now(), 0), 2 ** 31 - 1),
  )
  return () => {
    clearInterval(timer)
    clearTimeout(expiry)
  }
}

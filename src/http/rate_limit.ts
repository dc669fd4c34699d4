/**
 * Rate limits: of one key no more than so many in any sixty seconds, all of them at once if need be.
 *
 * What passed is counted second by second and forgotten a minute later, in this process: several replicas
 * each count for themselves. The table is bounded: when it is full the half that was quiet longest goes,
 * which can only let somebody through.
 */

/** What a limit says: pass, or come back in so many seconds. */
export type RateVerdict =
  { readonly pass: true } | { readonly pass: false; readonly retryAfter: number }

export interface RateLimiter {
  /** Counts one request of `key` against `perMinute` (0: no limit) at `now`, in seconds. */
  take(key: string, perMinute: number, now: number): RateVerdict
}

/** How many passed in the second that begins `at`. */
interface Second {
  readonly at: number
  readonly passed: number
}

const MINUTE = 60
const MAX_KEYS = 100_000

/** @param maxKeys how many keys are remembered */
export function createRateLimiter(maxKeys: number = MAX_KEYS): RateLimiter {
  // By key, the one heard of longest ago first.
  const seen = new Map<string, readonly Second[]>()
  return {
    take(key, perMinute, now) {
      if (perMinute === 0) return { pass: true }
      const at = Math.floor(now)
      const recent = (seen.get(key) ?? []).filter((second) => isRecent(second, at))
      const passed = recent.reduce((sum, second) => sum + second.passed, 0)
      const pass = passed < perMinute
      seen.delete(key)
      seen.set(key, pass ? countOne(recent, at) : recent)
      if (seen.size > maxKeys) dropQuietest(seen, maxKeys / 2)
      return pass ? { pass } : { pass, retryAfter: retryAfter(recent, at) }
    },
  }
}

/** Whether less than a minute may lie between it and now. One far ahead was written before the clock was set back. */
function isRecent(second: Second, now: number): boolean {
  return Math.abs(now - second.at) <= MINUTE
}

function countOne(recent: readonly Second[], at: number): readonly Second[] {
  const last = recent.at(-1)
  // The later of the two, when the clock has gone back: so the list stays in order and nothing is forgotten early.
  if (last === undefined || last.at < at) return [...recent, { at, passed: 1 }]
  return [...recent.slice(0, -1), { at: last.at, passed: last.passed + 1 }]
}

/** Seconds until the oldest that counts is forgotten. */
function retryAfter(recent: readonly Second[], now: number): number {
  return (recent[0]?.at ?? now) + MINUTE + 1 - now
}

function dropQuietest(seen: Map<string, readonly Second[]>, count: number): void {
  let left = count
  for (const key of seen.keys()) {
    if (left <= 0) break
    seen.delete(key)
    left -= 1
  }
}

/**
 * Rate limits by the generic cell rate algorithm, kept in this process.
 *
 * Several replicas each count for themselves. The table is bounded: when it is full the oldest half
 * goes, which can only let somebody through.
 */

/** What a limit says: pass, or come back in so many seconds. */
export type RateVerdict =
  { readonly pass: true } | { readonly pass: false; readonly retryAfter: number }

export interface RateLimiter {
  /** Counts one request of `key` against `perMinute` (0: no limit) at `now`, in seconds. */
  take(key: string, perMinute: number, now: number): RateVerdict
}

const MAX_KEYS = 100_000

export function createRateLimiter(): RateLimiter {
  // The theoretical arrival time of the next request of each key.
  const arrivals = new Map<string, number>()
  return {
    take(key, perMinute, now) {
      if (perMinute === 0) return { pass: true }
      const interval = 60 / perMinute
      const arrival = Math.max(arrivals.get(key) ?? now, now)
      // A burst of one minute's worth is let through at once.
      const wait = arrival + interval - now - 60
      if (wait > 0) return { pass: false, retryAfter: Math.ceil(wait) }
      arrivals.delete(key)
      arrivals.set(key, arrival + interval)
      if (arrivals.size > MAX_KEYS) dropOldest(arrivals)
      return { pass: true }
    },
  }
}

function dropOldest(arrivals: Map<string, number>): void {
  let left = MAX_KEYS / 2
  for (const key of arrivals.keys()) {
    if (left-- <= 0) break
    arrivals.delete(key)
  }
}

/**
 * How long a fetched document stays fresh by its own headers: RFC 9111. The one door to http-cache-semantics.
 */
import CachePolicy from 'http-cache-semantics'
import type { FetchResult } from '../../http/safe_fetch.ts'

/** The bounds that the operator sets around what the headers say, in seconds. */
export interface FreshnessBounds {
  readonly minFresh: number
  readonly maxFresh: number
}

/**
 * Seconds for which the answer to a plain GET is fresh. CIMD §4.3: the server SHOULD respect HTTP
 * caching within bounds of its own. The lower one also holds for `no-store`: it is what keeps a
 * stranger from making this server fetch one document over and over.
 */
export function freshFor(
  { status, headers }: FetchResult,
  { minFresh, maxFresh }: FreshnessBounds,
): number {
  const policy = new CachePolicy(
    { method: 'GET', url: '/', headers: {} },
    { status, headers },
    // What is cached is what anybody gets, so a cookie beside it, as some CDNs set, changes nothing.
    { shared: false },
  )
  // Rounded, as `age` counts the moments since the answer came by a clock of its own.
  const seconds = Math.round(policy.maxAge() - policy.age())
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, minFresh), maxFresh) : minFresh
}

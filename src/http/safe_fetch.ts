/**
 * The one way out of the process for HTTP (with `gateway/proxy` for the backend).
 *
 * https only, no redirects, the address checked and then connected to, bytes and time limited, and
 * nothing ambient: no cookies, no proxy, no credentials but those the caller gives.
 */
import { exchange } from './exchange.ts'
import { exchangeByFetch } from './exchange_fetch.ts'
import { FetchError, type FetchPolicy, type SafeFetch } from './fetch_interface.ts'
import { judgeTarget, resolveTarget } from './fetch_target.ts'
import { isPublicAddress } from './address.ts'
import { resolveHost, type ResolveHost } from './resolve_host.ts'
import { isWorkers } from './runtime.ts'

export { FetchError } from './fetch_interface.ts'
export type { FetchPolicy, FetchRequest, FetchResult, SafeFetch } from './fetch_interface.ts'

/** The edge of the network, for tests to put their own in its place. */
export interface FetchEdge {
  readonly resolve?: ResolveHost
  readonly isPublic?: (address: string) => boolean
  /** Certificates to trust instead of the system's, in PEM. */
  readonly ca?: string
}

/** A fetch that goes only where `policy` lets it. */
export function createSafeFetch(policy: FetchPolicy, edge: FetchEdge = {}): SafeFetch {
  const { resolve = resolveHost, isPublic = isPublicAddress, ca } = edge
  const rules = { policy, resolve, isPublic }
  return (url, request) =>
    withDeadline(request.timeout, async (signal) => {
      if (isWorkers) return await exchangeByFetch(judgeTarget(url, rules), request, signal)
      const target = await resolveTarget(url, rules, signal)
      // Whoever gave up while the name was looked up does not begin to connect.
      signal.throwIfAborted()
      return await exchange(target, request, ca, signal)
    })
}

/** Runs `work` for `seconds` at most. What it does after that is heard by nobody. */
export function withDeadline<T>(
  seconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new FetchError('timeout', `no answer within ${seconds} seconds`))
      controller.abort()
    }, seconds * 1000)
    void work(controller.signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}

/**
 * The way out to a server of the operator's, over connections that are kept: for requests that may be taken
 * twice without harm, and for nothing else.
 *
 * A request on a kept connection that breaks before an answer came is sent once more, over a connection of
 * its own. A look-up is made and judged for each new connection, so that what is kept is vetted, too.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from './address.ts'
import { exchangeOver, KeptConnectionBroke, pinned, type Route } from './exchange.ts'
import type { FetchPolicy, SafeFetch } from './fetch_interface.ts'
import { checkUrl, literalOf, resolveTarget, type TargetRules } from './fetch_target.ts'
import { resolveHost } from './resolve_host.ts'
import { isWorkers } from './runtime.ts'
import { createSafeFetch, type FetchEdge, withDeadline } from './safe_fetch.ts'

/** Idle connections in the thousands help nobody, and old ones are found broken. Milliseconds. */
const KEPT = { keepAlive: true, maxFreeSockets: 16, timeout: 15_000 }

/** As `createSafeFetch`, for requests that may be taken twice. On Workers the platform keeps connections. */
export function createKeptFetch(policy: FetchPolicy, edge: FetchEdge = {}): SafeFetch {
  if (isWorkers) return createSafeFetch(policy, edge)
  const { resolve = resolveHost, isPublic = isPublicAddress, ca } = edge
  const rules = { policy, resolve, isPublic }
  const agents = { 'http:': new HttpAgent(KEPT), 'https:': new HttpsAgent(KEPT) }
  return (text, request) =>
    withDeadline(request.timeout, async (signal) => {
      const alone = { ...(await openRoute(text, rules, signal)), ca }
      const kept = alone.url.protocol === 'http:' ? agents['http:'] : agents['https:']
      try {
        return await exchangeOver({ ...alone, kept }, request, signal)
      } catch (error) {
        if (!(error instanceof KeptConnectionBroke)) throw error
        return await exchangeOver(alone, request, signal)
      }
    })
}

/** Judged now where an address stands in the URL, else with each look-up. */
async function openRoute(
  text: string,
  rules: TargetRules,
  signal: AbortSignal,
): Promise<Pick<Route, 'url' | 'lookup'>> {
  const url = checkUrl(text)
  if (literalOf(url.hostname) !== undefined) {
    const { addresses } = await resolveTarget(text, rules, signal)
    return { url, lookup: pinned(addresses) }
  }
  const lookup: LookupFunction = (host, options, callback) => {
    resolveTarget(text, rules, signal).then(
      ({ addresses }) => pinned(addresses)(host, options, callback),
      (error: NodeJS.ErrnoException) => callback(error, ''),
    )
  }
  return { url, lookup }
}

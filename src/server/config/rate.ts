/**
 * Rate limits of the endpoints, counted for each caller's address.
 */
import { clientAddress, networkOf, rateKey } from '../../http/client_address.ts'
import { headerValues, type HttpRequest } from '../../http/message.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { Context } from './context.ts'
import type { RateLimits } from './options.ts'

/**
 * Counts one request against `limit`. Each `bucket` has a budget of its own, so that a storm of one kind
 * does not lock a client out of another.
 * @throws OAuthError `temporarily_unavailable` with 429 and `Retry-After` when the budget is used up
 */
export function checkRate(
  context: Context,
  request: HttpRequest,
  limit: keyof RateLimits,
  bucket: string = limit,
): void {
  const perMinute = context.config.rateLimits[limit]
  if (perMinute === 0) return
  const address = clientAddress(request, context.config.trustedProxies)
  const verdict = context.limiter.take(`${bucket} ${rateKey(address)}`, perMinute, context.clock())
  if (verdict.pass) return
  context.events.emit({
    type: 'rate_limited',
    about: bucket,
    reason: sharedBy(request, address),
    network: networkOf(address),
  })
  // RFC 6585 §4. The code is the one that tells a client to come back with what it has.
  throw new OAuthError('temporarily_unavailable', 'too many requests; try again later', {
    status: 429,
    retryAfter: verdict.retryAfter,
  })
}

/** Why this limit may be one of many callers together, with the mend; undefined where nothing says so. */
function sharedBy(request: HttpRequest, address: string | undefined): string | undefined {
  if (address === undefined) {
    return 'no caller has an address: all share one limit; hand remoteAddress to fetch'
  }
  const forwarded = headerValues(request, 'x-forwarded-for').length > 0
  return forwarded && address === clientAddress(request, [])
    ? 'a proxy that is not in trustedProxies: all callers behind it share one limit'
    : undefined
}

/** The caller's network, for events: an address cut short. */
export function callerNetwork(context: Context, request: HttpRequest): string | undefined {
  return networkOf(clientAddress(request, context.config.trustedProxies))
}

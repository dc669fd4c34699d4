/**
 * Rate limits of the endpoints, counted for each caller's address.
 */
import { clientAddress, networkOf, rateKey } from '../../http/client_address.ts'
import type { HttpRequest } from '../../http/message.ts'
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
  const address = clientAddress(request, context.config.trustedProxies)
  const perMinute = context.config.rateLimits[limit]
  const verdict = context.limiter.take(`${bucket} ${rateKey(address)}`, perMinute, context.clock())
  if (verdict.pass) return
  context.events.emit({ type: 'rate_limited', about: bucket, network: networkOf(address) })
  // RFC 6585 §4. The code is the one that tells a client to come back with what it has.
  throw new OAuthError('temporarily_unavailable', 'too many requests; try again later', {
    status: 429,
    retryAfter: verdict.retryAfter,
  })
}

/** The caller's network, for events: an address cut short. */
export function callerNetwork(context: Context, request: HttpRequest): string | undefined {
  return networkOf(clientAddress(request, context.config.trustedProxies))
}

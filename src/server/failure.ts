/**
 * What a thrown error becomes: a page for a person, JSON for a program. Anything that is neither a
 * refusal nor an outage is a bug, and tells nothing of itself.
 */
import { failureResponse } from '../adapters/failure.ts'
import { randomSecret } from '../crypto/random.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { OAuthError } from '../protocol/errors.ts'
import { StoreUnavailable } from '../stores/store.ts'
import { UpstreamError } from '../upstream/upstream.ts'
import type { Context } from './config/context.ts'
import { tellOutage } from './config/outage.ts'
import { callerNetwork } from './config/rate.ts'
import type { ErrorKind } from './consent/error_page.ts'
import { refuse } from './consent/refuse.ts'
import type { Route } from './routes.ts'

/** Seconds after which a client may try again when the store was down. */
const RETRY = 5

export function failure(
  context: Context,
  request: HttpRequest,
  { channel, refusal }: Pick<Route, 'channel' | 'refusal'>,
  error: unknown,
): HttpResponse {
  return channel === 'front'
    ? pageOf(context, request, error)
    : responseOf(context, request, refusal, error)
}

function pageOf(context: Context, request: HttpRequest, error: unknown): HttpResponse {
  if (error instanceof StoreUnavailable) {
    return refuse(context, request, {
      kind: 'unavailable',
      type: 'store_failed',
      retryAfter: RETRY,
      error,
    })
  }
  // The app's own login was asked who is there, and failed to say.
  if (error instanceof UpstreamError) {
    return refuse(context, request, { kind: 'upstream_failed', type: 'upstream_failed', error })
  }
  if (!(error instanceof OAuthError)) {
    return refuse(context, request, { kind: 'internal', type: 'internal_error', error })
  }
  return refuse(context, request, {
    kind: kindOf(error),
    reason: error.reason,
    detail: error.description,
    retryAfter: error.retryAfter,
  })
}

function kindOf({ code, status }: OAuthError): ErrorKind {
  switch (code) {
    case 'invalid_client':
    case 'invalid_client_metadata':
      return 'invalid_client'
    case 'invalid_redirect_uri':
      return 'invalid_redirect_uri'
    case 'temporarily_unavailable':
      // Thrown on the way to a page for two things only: too many requests, and a client's document.
      return status === 429 ? 'rate_limited' : 'client_unreachable'
    case 'server_error':
      return 'internal'
    default:
      return 'invalid_request'
  }
}

function responseOf(
  context: Context,
  request: HttpRequest,
  type: Route['refusal'],
  error: unknown,
): HttpResponse {
  const about = request.path
  if (error instanceof OAuthError) {
    const network = callerNetwork(context, request)
    const reason = `${error.code}: ${error.reason}`
    // A limit that was reached has been told of where it was.
    if (error.status !== 429) context.events.emit({ type, about, reason, network })
    return failureResponse(error)
  }
  if (error instanceof StoreUnavailable) {
    tellOutage(context, about, error)
    return failureResponse(error)
  }
  const reference = randomSecret(6)
  context.events.emit({ type: 'internal_error', about, reference, error })
  return failureResponse(error, reference)
}

/**
 * The answer to what was thrown: a refusal in its own words, an outage as 503, a bug without a word.
 */
import type { HttpResponse } from '../http/message.ts'
import { errorResponse } from '../http/respond.ts'
import { OAuthError } from '../protocol/errors.ts'
import { StoreUnavailable } from '../stores/store.ts'

/** @param reference what a bug is called in the log, so that whoever meets it can tell which it was. */
export function failureResponse(error: unknown, reference?: string): HttpResponse {
  if (error instanceof OAuthError) return errorResponse(error)
  if (error instanceof StoreUnavailable) {
    const description = 'this server cannot reach its store; try again'
    return errorResponse(new OAuthError('temporarily_unavailable', description, { retryAfter: 5 }))
  }
  const named = reference === undefined ? '' : ` (${reference})`
  return errorResponse(new OAuthError('server_error', `something went wrong here${named}`))
}

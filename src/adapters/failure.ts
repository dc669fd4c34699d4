/**
 * The answer to what was thrown: a refusal in its own words, an outage as 503, a bug without a word.
 */
import type { HttpResponse } from '../http/message.ts'
import { errorResponse } from '../http/respond.ts'
import { OAuthError } from '../protocol/errors.ts'
import { StoreUnavailable } from '../stores/store.ts'

export function failureResponse(error: unknown): HttpResponse {
  if (error instanceof OAuthError) return errorResponse(error)
  if (error instanceof StoreUnavailable) {
    const description = 'this server cannot reach its store; try again'
    return errorResponse(new OAuthError('temporarily_unavailable', description, { retryAfter: 5 }))
  }
  return errorResponse(new OAuthError('server_error', 'something went wrong here'))
}

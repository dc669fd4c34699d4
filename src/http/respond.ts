/**
 * The few shapes of response that the endpoints give, with the headers that each must carry.
 */
import type { OAuthError } from '../protocol/errors.ts'
import type { HttpResponse } from './message.ts'

/** Further headers of a response, names in lower case. */
export type Headers = HttpResponse['headers']

// RFC 6749 §5.1: no-store on everything that holds a credential; here on everything that is not told otherwise.
const BASE: Headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** The headers of a JSON document that has none of its own. */
export const OF_JSON: Headers = { ...BASE, 'content-type': 'application/json' }

/** A JSON document. Members that are undefined are left out: a `null` breaks clients. */
export function json(status: number, value: unknown, headers?: Headers): HttpResponse {
  return {
    status,
    headers: headers === undefined ? OF_JSON : { ...OF_JSON, ...headers },
    body: JSON.stringify(value),
  }
}

/** A response without a body. */
export function empty(status: number, headers: Headers = {}): HttpResponse {
  return { status, headers: { ...BASE, ...headers }, body: undefined }
}

/** RFC 9700 §4.12: 303, so that no browser repeats a POST body at the place it is sent to. */
export function redirect(location: string, headers: Headers = {}): HttpResponse {
  return {
    status: 303,
    headers: { ...BASE, location, 'referrer-policy': 'no-referrer', ...headers },
    body: undefined,
  }
}

/** RFC 6749 §5.2: an error of the back channel. */
export function errorResponse(error: OAuthError, headers: Headers = {}): HttpResponse {
  const retry = error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }
  const body = { error: error.code, error_description: error.description }
  return json(error.status, body, { ...retry, ...error.headers, ...headers })
}

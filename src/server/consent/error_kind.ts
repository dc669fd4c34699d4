/**
 * The kinds of error page and the status of each.
 */

/** What went wrong, as far as the person in front of the page may know. */
export type ErrorKind =
  | 'invalid_client'
  | 'invalid_redirect_uri'
  | 'invalid_request'
  | 'expired'
  | 'wrong_browser'
  | 'csrf'
  | 'not_allowed'
  | 'upstream_failed'
  | 'client_unreachable'
  | 'rate_limited'
  | 'unavailable'
  | 'internal'
  | 'not_found'
  | 'method'

export const ERROR_STATUS: { readonly [K in ErrorKind]: number } = {
  invalid_client: 400,
  invalid_redirect_uri: 400,
  invalid_request: 400,
  expired: 400,
  wrong_browser: 403,
  csrf: 403,
  not_allowed: 403,
  upstream_failed: 502,
  client_unreachable: 503,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
  not_found: 404,
  method: 405,
}

/**
 * The one error that an endpoint throws on purpose. Anything else thrown is a bug or an outage.
 *
 * What the caller is told (`code`, `description`) and what the log is told (`reason`) are two fields:
 * the first follows the RFCs and never tells an attacker more than the protocol needs.
 */

/** Every error code this server answers, with the text that defines it. */
export type OAuthErrorCode =
  // RFC 6749 §4.1.2.1 and §5.2
  | 'invalid_request'
  | 'unauthorized_client'
  | 'access_denied'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'server_error'
  | 'temporarily_unavailable'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  // RFC 6750 §3.1
  | 'invalid_token'
  | 'insufficient_scope'
  // RFC 7591 §3.2.2
  | 'invalid_redirect_uri'
  | 'invalid_client_metadata'
  | 'invalid_software_statement'
  | 'unapproved_software_statement'
  // RFC 8707 §2
  | 'invalid_target'
  // OpenID Connect Core §3.1.2.6
  | 'login_required'
  | 'consent_required'
  | 'interaction_required'
  | 'request_not_supported'
  | 'request_uri_not_supported'

/** What a thrown `OAuthError` may carry beside its code and description. */
export interface OAuthErrorDetails {
  /** HTTP status on the back channel; 400 where the RFC names none, 401 for `invalid_client`. */
  readonly status?: number
  /** For the log and the event stream only; may name what the caller must not learn. Never a secret. */
  readonly reason?: string
  /** Seconds, sent as `Retry-After`. */
  readonly retryAfter?: number
  /** Further response headers, e.g. `www-authenticate`. */
  readonly headers?: Readonly<{ [name: string]: string }>
  readonly cause?: unknown
}

// RFC 6749 §5.2 and RFC 6750 §3: error_description MUST NOT have other characters.
const NOT_DESCRIPTIVE = /[^\x20-\x21\x23-\x5B\x5D-\x7E]/g

/**
 * A refusal in the words of the protocol. `description` is for developers: no user input, no secret.
 * What RFC 6749 §5.2 does not allow in it becomes a question mark.
 */
export class OAuthError extends Error {
  override readonly name: string = 'OAuthError'
  readonly code: OAuthErrorCode
  readonly description: string
  readonly status: number
  readonly reason: string
  readonly retryAfter: number | undefined
  readonly headers: Readonly<{ [name: string]: string }>

  constructor(code: OAuthErrorCode, description: string, details: OAuthErrorDetails = {}) {
    super(`${code}: ${description}`, { cause: details.cause })
    this.code = code
    this.description = description.replace(NOT_DESCRIPTIVE, '?')
    this.status = details.status ?? defaultStatus(code)
    this.reason = details.reason ?? description
    this.retryAfter = details.retryAfter
    this.headers = details.headers ?? {}
  }
}

function defaultStatus(code: OAuthErrorCode): number {
  switch (code) {
    case 'invalid_client':
    case 'invalid_token':
      return 401
    case 'insufficient_scope':
      return 403
    case 'server_error':
      return 500
    case 'temporarily_unavailable':
      return 503
    default:
      return 400
  }
}

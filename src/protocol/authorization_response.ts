/**
 * The authorization response: OAuth 2.1 §4.1.2 and §4.1.2.1, with `iss` on both kinds by RFC 9207 §2.
 */
import type { OAuthErrorCode } from './errors.ts'

/** Success or error; `state` is what the client sent, undefined when it sent none. */
export type AuthorizationResponse =
  | { readonly code: string; readonly state: string | undefined; readonly iss: string }
  | {
      readonly error: OAuthErrorCode
      readonly error_description: string
      readonly state: string | undefined
      readonly iss: string
    }

/**
 * Where the browser is sent: the redirect URI as it was asked for, to the letter, and the parameters
 * behind it. A query of its own is kept (RFC 6749 §3.1.2). `redirect_uri` has been checked before.
 */
export function responseLocation(redirect_uri: string, response: AuthorizationResponse): string {
  const pairs = Object.entries(response).flatMap(([name, value]: [string, string | undefined]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return `${redirect_uri}${separator(redirect_uri)}${pairs.join('&')}`
}

function separator(redirect_uri: string): string {
  if (!redirect_uri.includes('?')) return '?'
  return /[?&]$/.test(redirect_uri) ? '' : '&'
}

/**
 * The Bearer challenge: RFC 6750 §3, in the grammar of RFC 9110 §11.6.1, with RFC 9728 §5.1.
 *
 * Clients read it with anything from a parser to a regular expression, so it keeps to the one form that
 * all of them read: every value quoted, none with an escape. What cannot stand so is replaced, and
 * therefore no value can end its quotes, begin another parameter or break the line.
 */
import type { OAuthErrorCode } from './errors.ts'
import { formatScope, isScopeToken } from './scope.ts'

/** What a challenge says. What is left out or empty is not said. */
export interface BearerChallenge {
  /** RFC 6750 §3.1: none where the request had no credentials at all. */
  readonly error?: OAuthErrorCode | undefined
  readonly error_description?: string | undefined
  readonly scope?: readonly string[] | undefined
  /** Absolute; clients without it do not begin to sign in. */
  readonly resource_metadata?: string | undefined
}

// RFC 6750 §3: neither the quote nor the backslash, and nothing outside printable ASCII.
const FORBIDDEN = /[^\x20-\x21\x23-\x5B\x5D-\x7E]/gu

/** The value of a `WWW-Authenticate` header. */
export function bearerChallenge(challenge: BearerChallenge): string {
  const { error, error_description, scope, resource_metadata } = challenge
  const written = [
    parameter('error', error),
    parameter('scope', scope && formatScope(scope.filter(isScopeToken))),
    parameter('resource_metadata', resource_metadata),
    parameter('error_description', error_description),
  ].filter((text) => text !== undefined)
  return written.length === 0 ? 'Bearer' : `Bearer ${written.join(', ')}`
}

function parameter(name: string, value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined
  return `${name}="${value.replace(FORBIDDEN, '?')}"`
}

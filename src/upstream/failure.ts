/**
 * What a failure of the upstream means: whether it may pass, or only the user can mend it.
 *
 * A wrong `permanent` signs people out, a wrong `transient` only keeps them waiting. So permanent is
 * what the upstream says in the words of the protocol, and everything else is transient.
 */
import { UpstreamError } from './upstream.ts'

const MAX_WAIT = 3600
const MAX_TEXT = 200

// RFC 6749 §5.2 and OpenID Connect Core §3.1.2.6: what no repetition of the same request will change.
const PERMANENT = new Set([
  'invalid_grant',
  // Atlassian's and Okta's word for a refresh token that is no longer good.
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'access_denied',
  'login_required',
  'consent_required',
  'interaction_required',
])

/** An error that the token endpoint answered in the words of RFC 6749 §5.2. */
export function tokenFailure(
  who: string,
  error: string,
  description: string | undefined,
): UpstreamError {
  // `invalid_client` is the operator's fault: a secret that was rolled or mistyped. It comes for every
  // user at once, so to call it permanent would sign out everybody; it waits for the operator instead.
  const failure = PERMANENT.has(error) ? 'permanent' : 'transient'
  return new UpstreamError(
    failure,
    `${who}: the token endpoint answers ${clean(error)}${because(description)}`,
  )
}

/** An error that came with the browser: RFC 6749 §4.1.2.1. */
export function callbackFailure(
  who: string,
  error: string,
  description: string | undefined,
): UpstreamError {
  const message = `${who}: the sign-in came back with ${clean(error)}${because(description)}`
  if (error === 'access_denied') return new UpstreamError('denied', message)
  const passes = error === 'server_error' || error === 'temporarily_unavailable'
  return new UpstreamError(passes ? 'transient' : 'permanent', message)
}

/** An answer that refuses everybody just now, or makes no sense. */
export function answerFailure(
  who: string,
  what: string,
  headers: Readonly<{ [name: string]: string }>,
  now: number,
): UpstreamError {
  return new UpstreamError('transient', `${who}: ${what}`, {
    retryAfter: readRetryAfter(headers['retry-after'], now),
  })
}

/** RFC 9110 §10.2.3: seconds or a date, as seconds from now; an hour at most, undefined when it is neither. */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  // `Date.parse` alone would take -5 for a year. §5.6.7: IMF-fixdate is what is sent.
  const date = /^[A-Z][a-z]{2}, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN
  const seconds = /^\d{1,10}$/.test(text) ? Number(text) : Math.ceil(date / 1000) - now
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), MAX_WAIT) : undefined
}

function because(description: string | undefined): string {
  return description === undefined || description === '' ? '' : ` (${clean(description)})`
}

/**
 * Upstream text as the log may have it: printable, short, and without anything as long as a token, as
 * some upstreams quote what they refuse.
 */
export function clean(text: string): string {
  return text
    .slice(0, 1000)
    .replace(/[^\x20-\x7E]+/g, ' ')
    .replace(/[A-Za-z0-9_\-.~+/=%]{24,}/g, '...')
    .slice(0, MAX_TEXT)
}

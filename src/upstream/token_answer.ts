/**
 * The answer of a token endpoint, brought into the form of RFC 6749 §5 before anything is made of it.
 *
 * Real upstreams answer 200 with an error, put the scopes into a list, write numbers as text and null
 * for what they leave out. All of that is mended here; what makes no sense is refused.
 */
import { isScopeToken } from '../protocol/scope.ts'
import type { JsonObject } from './send.ts'

/** A token answer of which each member is as RFC 6749 §5.1 or §5.2 has it. */
export type TokenAnswer =
  | { readonly outcome: 'tokens'; readonly tokens: PlainTokens }
  | {
      readonly outcome: 'error'
      readonly error: string
      readonly error_description: string | undefined
    }
  | { readonly outcome: 'garbage'; readonly fault: string }

export interface PlainTokens {
  readonly access_token: string
  readonly refresh_token: string | undefined
  readonly expires_in: number | undefined
  readonly scope: readonly string[] | undefined
  readonly id_token: string | undefined
}

const MAX_TOKEN = 64 * 1024
// 68 years, which is what upstreams say that mean "never" and count in 32 bits.
const MAX_LIFETIME = 2 ** 31 - 1
const MAX_SCOPES = 500

/** Reads `json`. `errors` translates an upstream's own words into those of RFC 6749 §5.2. */
export function readTokenAnswer(
  status: number,
  json: JsonObject | undefined,
  errors: Readonly<{ [error: string]: string }> = {},
): TokenAnswer {
  if (json === undefined) return garbage(`answers ${status} without JSON`)
  // RFC 6749 §5.2 wants 400 here; GitHub and Slack answer 200. An error beside a token is an error.
  const error = json['error'] ?? (json['ok'] === false ? 'unknown_error' : undefined)
  if (error !== undefined && error !== '') {
    if (typeof error !== 'string') return garbage(`answers ${status} with an error that is no text`)
    const description = json['error_description']
    return {
      outcome: 'error',
      error: Object.hasOwn(errors, error) ? (errors[error] ?? error) : error,
      error_description: typeof description === 'string' ? description : undefined,
    }
  }
  if (status < 200 || status > 299) return garbage(`answers ${status} without an error`)
  return readTokens(json)
}

function readTokens(json: JsonObject): TokenAnswer {
  const { access_token, refresh_token, id_token, token_type } = json
  if (!isToken(access_token)) return garbage('gives no access_token that can be sent')
  // RFC 6749 §7.1: a type that is not understood is not used. Left out, it is bearer at all who do so.
  if (token_type !== undefined && token_type !== null) {
    if (typeof token_type !== 'string' || token_type.toLowerCase() !== 'bearer') {
      return garbage('gives a token_type that is not Bearer')
    }
  }
  const expires_in = readLifetime(json['expires_in'])
  if (expires_in === 'fault') return garbage('gives an expires_in that is no lifetime')
  const kept = refresh_token ?? undefined
  if (kept !== undefined && kept !== '' && !isToken(kept)) {
    return garbage('gives a refresh_token that cannot be sent')
  }
  return {
    outcome: 'tokens',
    tokens: {
      access_token,
      refresh_token: kept === '' ? undefined : kept,
      expires_in,
      scope: readScope(json['scope']),
      id_token: typeof id_token === 'string' && id_token !== '' ? id_token : undefined,
    },
  }
}

/** RFC 6749 appendices A.12 and A.17: visible ASCII, so that no token can break out of a header. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TOKEN && /^[\x21-\x7E]+$/.test(value)
}

/** RFC 6749 §5.1 has a number; a text of digits is one too. */
function readLifetime(value: unknown): number | undefined | 'fault' {
  if (value === undefined || value === null || value === '') return undefined
  const seconds = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= MAX_LIFETIME)) return 'fault'
  return Math.floor(seconds)
}

/** Parted by blanks (RFC 6749 §3.3) or commas (GitHub, Slack, Linear), or a list. */
function readScope(value: unknown): readonly string[] | undefined {
  const texts = typeof value === 'string' ? value.split(/[\s,]+/) : value
  if (!Array.isArray(texts)) return undefined
  const tokens = texts.filter((text) => typeof text === 'string').filter(isScopeToken)
  return [...new Set(tokens)].slice(0, MAX_SCOPES)
}

function garbage(fault: string): TokenAnswer {
  return { outcome: 'garbage', fault }
}

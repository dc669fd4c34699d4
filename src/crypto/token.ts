/**
 * Tokens that carry their own claims under a MAC: `<prefix><kid>.<claims>.<mac>`.
 *
 * The MAC is checked before anything else is believed, so a forged or random token costs one HMAC and
 * no I/O. It is compared as text: a base64url text has spare bits in its last character, and a token
 * must have one spelling only. The prefixes let secret scanners find what leaked.
 */
import { equal } from './hash.ts'
import type { Keyring } from './keyring.ts'
import { mac } from './mac.ts'

/** The kinds of token, each under a key of its own, so that none can pass for another. */
export type TokenKind = 'access_token' | 'refresh_token' | 'code' | 'registration'

const PREFIX: { readonly [kind in TokenKind]: string } = {
  access_token: 'mcp_at_',
  refresh_token: 'mcp_rt_',
  code: 'mcp_ac_',
  registration: 'mcp_rg_',
}

/** No token we make is longer, in characters. */
export const MAX_TOKEN_LENGTH = 4096

/**
 * A token of `kind` around `claims`, which anyone who holds it can read: nothing secret but the token itself.
 * @throws RangeError when it would be longer than `MAX_TOKEN_LENGTH`.
 */
export function makeToken(keys: Keyring, kind: TokenKind, claims: readonly unknown[]): string {
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
  const text = `${PREFIX[kind]}${keys.newest.kid}.${body}`
  const token = `${text}.${mac(keys.newest, kind, text)}`
  if (token.length > MAX_TOKEN_LENGTH) throw new RangeError('the claims are too long for a token')
  return token
}

/** The claims of an authentic token of `kind`; undefined for anything else. No I/O. */
export function readToken(
  keys: Keyring,
  kind: TokenKind,
  token: string,
): readonly unknown[] | undefined {
  const prefix = PREFIX[kind]
  if (token.length > MAX_TOKEN_LENGTH || !token.startsWith(prefix)) return undefined
  const first = token.indexOf('.', prefix.length)
  const last = token.lastIndexOf('.')
  if (first < 0 || last <= first) return undefined
  const key = keys.find(token.slice(prefix.length, first))
  if (key === undefined) return undefined
  if (!equal(token.slice(last + 1), mac(key, kind, token.slice(0, last)))) return undefined
  const claims: unknown = JSON.parse(
    Buffer.from(token.slice(first + 1, last), 'base64url').toString(),
  )
  return Array.isArray(claims) ? claims : undefined
}

/** Which kind of token `token` claims to be by its prefix; nothing is verified. */
export function tokenKind(token: string): TokenKind | undefined {
  const kinds: readonly TokenKind[] = ['access_token', 'refresh_token', 'code', 'registration']
  return kinds.find((kind) => token.startsWith(PREFIX[kind]))
}

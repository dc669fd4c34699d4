/**
 * Refresh tokens: grant, generation and the id of one answer, under a MAC. The grant keeps only that id.
 *
 * The MAC is the secret in it: 256 bits that nobody can make without the key (RFC 6749 §10.10). It is also
 * what tells an old token from a guess: a stranger who knows a grant's id cannot end it.
 */
import type { Keyring } from '../../crypto/keyring.ts'
import { makeToken, readToken } from '../../crypto/token.ts'

/** A refresh token that was presented and is authentic. */
export interface RefreshToken {
  readonly grantId: string
  readonly generation: number
  /** Which of the grant's tokens it is. */
  readonly jti: string
}

/**
 * A refresh token. Its `jti` is that of the access token beside it, drawn at random; equal arguments make
 * equal tokens.
 */
export function makeRefreshToken(
  keys: Keyring,
  grantId: string,
  generation: number,
  jti: string,
): string {
  return makeToken(keys, 'refresh_token', [grantId, generation, jti])
}

/** What an authentic refresh token says; undefined for anything else. */
export function readRefreshToken(keys: Keyring, token: string): RefreshToken | undefined {
  const [grantId, generation, jti] = readToken(keys, 'refresh_token', token) ?? []
  const isWhole =
    typeof grantId === 'string' && typeof generation === 'number' && typeof jti === 'string'
  return isWhole ? { grantId, generation, jti } : undefined
}

/**
 * Refresh tokens: grant, generation and the id of one answer, under a MAC. The grant keeps only a hash of
 * the whole.
 *
 * The MAC is the secret in it: 256 bits that nobody can make without the key (RFC 6749 §10.10). It is also
 * what tells an old token from a guess: a stranger who knows a grant's id cannot end it.
 */
import { sha256, type Hash } from '../../crypto/hash.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import { makeToken, readToken } from '../../crypto/token.ts'

/** A refresh token that was presented and is authentic. */
export interface RefreshToken {
  readonly grantId: string
  readonly generation: number
  readonly hash: Hash
}

/**
 * A refresh token and the hash to store. Its `jti` is that of the access token beside it, drawn at random;
 * equal arguments make equal tokens.
 */
export function makeRefreshToken(
  keys: Keyring,
  grantId: string,
  generation: number,
  jti: string,
): { token: string; hash: Hash } {
  const token = makeToken(keys, 'refresh_token', [grantId, generation, jti])
  return { token, hash: sha256(token) }
}

/** What an authentic refresh token says; undefined for anything else. */
export function readRefreshToken(keys: Keyring, token: string): RefreshToken | undefined {
  const [grantId, generation] = readToken(keys, 'refresh_token', token) ?? []
  if (typeof grantId !== 'string' || typeof generation !== 'number') return undefined
  return { grantId, generation, hash: sha256(token) }
}

/**
 * Refresh tokens: grant, generation and a secret under a MAC. The grant keeps only a hash of the whole.
 *
 * The MAC is what tells an old token from a guess: a stranger who knows a grant's id cannot end it.
 */
import { sha256, type Hash } from '../../crypto/hash.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import { randomSecret } from '../../crypto/random.ts'
import { makeToken, readToken } from '../../crypto/token.ts'

/** A refresh token that was presented and is authentic. */
export interface RefreshToken {
  readonly grantId: string
  readonly generation: number
  readonly hash: Hash
}

/** A refresh token and the hash to store; a new one unless its `secret` is given. */
export function makeRefreshToken(
  keys: Keyring,
  grantId: string,
  generation: number,
  secret: string = randomSecret(32),
): { token: string; hash: Hash } {
  const token = makeToken(keys, 'refresh_token', [grantId, generation, secret])
  return { token, hash: sha256(token) }
}

/** What an authentic refresh token says; undefined for anything else. */
export function readRefreshToken(keys: Keyring, token: string): RefreshToken | undefined {
  const [grantId, generation] = readToken(keys, 'refresh_token', token) ?? []
  if (typeof grantId !== 'string' || typeof generation !== 'number') return undefined
  return { grantId, generation, hash: sha256(token) }
}

/**
 * Access tokens: what they carry, how they are made and read.
 *
 * A token carries its own claims under a MAC and is stored nowhere. Whether it still holds is asked of
 * its grant at each use, which is what makes revocation immediate.
 */
import type { Keyring } from '../../crypto/keyring.ts'
import { randomSecret } from '../../crypto/random.ts'
import { makeToken, readToken } from '../../crypto/token.ts'

/** The claims of an access token. */
export interface AccessToken {
  readonly grantId: string
  /** The id of this one token: RFC 7519 §4.1.7. */
  readonly jti: string
  /** Seconds since the epoch; from this second on it is expired. */
  readonly exp: number
  /** The audience, canonical: RFC 8707 §2. */
  readonly resource: string
  /** Wire form. */
  readonly scope: string
}

/** A fresh id of an access token. */
export function makeJti(): string {
  return randomSecret(16)
}

/** An access token; a new one unless its `jti` is given. Equal claims and keys make equal tokens. */
export function makeAccessToken(
  keys: Keyring,
  claims: Omit<AccessToken, 'jti'> & { readonly jti?: string },
): string {
  const { grantId, jti = makeJti(), exp, resource, scope } = claims
  return makeToken(keys, 'access_token', [grantId, jti, exp, resource, scope])
}

/** The claims of an authentic access token, expired or not; undefined for anything else. */
export function readAccessToken(keys: Keyring, token: string): AccessToken | undefined {
  const claims = readToken(keys, 'access_token', token)
  if (claims === undefined) return undefined
  const [grantId, jti, exp, resource, scope] = claims
  if (typeof grantId !== 'string' || typeof jti !== 'string' || typeof exp !== 'number')
    return undefined
  if (typeof resource !== 'string' || typeof scope !== 'string') return undefined
  return { grantId, jti, exp, resource, scope }
}

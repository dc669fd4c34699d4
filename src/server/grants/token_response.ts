/**
 * The successful answer of the token endpoint: RFC 6749 §5.1.
 *
 * What is random or timely in an answer is drawn first, and the answer made from it. The same draw
 * makes the same answer, to the byte, so the little that was drawn is all that has to be kept of it.
 */
import type { Keyring } from '../../crypto/keyring.ts'
import { formatScope } from '../../protocol/scope.ts'
import type { GrantRecord } from '../../stores/records.ts'
import type { Context } from '../config/context.ts'
import { makeAccessToken, makeJti } from '../tokens/access_token.ts'

/** RFC 6749 §5.1, spelt as on the wire. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly refresh_token?: string
  readonly scope: string
}

/** What one access token is made of beside its grant. */
export interface Draw {
  readonly jti: string
  readonly issuedAt: number
  readonly exp: number
  readonly scope: readonly string[]
}

/** A draw at `now`. An access token never outlives what its grant allows. */
export function drawAccessToken(
  context: Context,
  scope: readonly string[],
  absoluteExpiresAt: number | undefined,
  now: number,
): Draw {
  const exp = Math.min(now + context.config.lifetimes.accessToken, absoluteExpiresAt ?? Infinity)
  return { jti: makeJti(), issuedAt: now, exp, scope }
}

/** The answer that a draw makes, with the refresh token that goes along. Made with the newest of `keys`. */
export function tokenResponse(
  keys: Keyring,
  grant: GrantRecord,
  { jti, issuedAt, exp, scope }: Draw,
  refresh_token: string | undefined,
): TokenResponse {
  const access_token = makeAccessToken(keys, {
    grantId: grant.id,
    jti,
    exp,
    resource: grant.resource,
    // OpenID Connect Core §11: offline_access is about the refresh token and means nothing to a resource.
    scope: formatScope(scope.filter((token) => token !== 'offline_access')),
  })
  return {
    access_token,
    token_type: 'Bearer',
    expires_in: exp - issuedAt,
    ...(refresh_token === undefined ? {} : { refresh_token }),
    // RFC 6749 §5.1: required where it differs from what was asked; always sent, so that nobody has to compare.
    scope: formatScope(scope),
  }
}

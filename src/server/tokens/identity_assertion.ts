/**
 * A JWT that says who calls, for whoever stands behind: RFC 7519, signed with a key of `/jwks`.
 */
import { signJwt } from '../../crypto/jwt.ts'
import { randomSecret } from '../../crypto/random.ts'
import type { AuthInfo } from '../../guard/verifier.ts'
import type { Context } from '../config/context.ts'

/** Seconds for which an identity assertion is good: longer than a call is on its way, shorter than a coffee. */
const ASSERTION_LIFETIME = 60

export function assertIdentity(
  { config, keys, clock }: Context,
  { clientId, scopes, extra }: AuthInfo,
  audience: string,
): Promise<string> {
  const { user, subject } = extra
  const now = clock()
  return signJwt(keys, 'mcp-identity+jwt', {
    iss: config.issuer,
    aud: audience,
    sub: subject,
    iat: now,
    exp: now + ASSERTION_LIFETIME,
    jti: randomSecret(16),
    client_id: clientId,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    upstream_iss: user.issuer,
    upstream_sub: user.sub,
    ...(user.name === undefined ? {} : { name: user.name }),
    ...(user.email === undefined ? {} : { email: user.email, email_verified: user.email_verified }),
  })
}

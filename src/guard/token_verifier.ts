/**
 * What the MCP SDKs ask about a token: the `OAuthTokenVerifier` of v1 and of v2.
 *
 * Each SDK knows a bad token by its own class of error, and answers 500 to anything else. So whoever uses
 * the SDK makes that error, and this package needs neither. An outage passes through as what it is.
 */
import type { AuthInfo, Verifier } from './verifier.ts'

export interface TokenVerifier {
  /** @throws the error that the SDK takes for a bad token; StoreUnavailable, which it answers with 500 */
  verifyAccessToken(token: string): Promise<AuthInfo>
}

/** Makes the error by which an SDK knows a bad token. `description` is for developers. */
export type InvalidToken = (description: string) => Error

/** A verifier of tokens for `resource`. */
export function createTokenVerifier(
  verifier: Verifier,
  resource: string,
  invalidToken: InvalidToken,
): TokenVerifier {
  return {
    async verifyAccessToken(token) {
      const verification = await verifier.verify(token, resource)
      if (verification.outcome === 'verified') return verification.authInfo
      // RFC 6750 §3.1: invalid_token, in the same words for every reason.
      throw invalidToken('the token does not hold here; sign in again')
    },
  }
}

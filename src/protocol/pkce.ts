/**
 * Proof Key for Code Exchange: RFC 7636, with S256 as the only method (OAuth 2.1 §7.5.2).
 */
import { equal, sha256 } from '../crypto/hash.ts'
import { OAuthError } from './errors.ts'

// RFC 7636 §4.2: an S256 challenge is 32 bytes in base64url, which is 43 characters, no more and no less.
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/
// RFC 7636 §4.1: 43 to 128 unreserved characters.
const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/

/** @throws OAuthError `invalid_request` unless this is an S256 challenge, named as such. */
export function checkCodeChallenge(
  challenge: string | undefined,
  method: string | undefined,
): string {
  // OAuth 2.1 §4.1.1: the challenge is required; RFC 7636 §4.4.1 names the error.
  if (challenge === undefined) {
    throw new OAuthError('invalid_request', 'code_challenge is missing; PKCE with S256 is required')
  }
  // RFC 7636 §4.3: an absent method means `plain`, which this server does not support.
  if (method !== 'S256') {
    throw new OAuthError('invalid_request', 'code_challenge_method must be S256')
  }
  if (!CHALLENGE.test(challenge)) {
    throw new OAuthError('invalid_request', 'code_challenge must be 43 base64url characters')
  }
  return challenge
}

/** Whether `verifier` is well formed and hashes to `challenge`: RFC 7636 §4.6. */
export function verifiesChallenge(verifier: string, challenge: string): boolean {
  return VERIFIER.test(verifier) && equal(sha256(verifier), challenge)
}

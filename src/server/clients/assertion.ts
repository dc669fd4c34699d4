/**
 * `private_key_jwt`: a client signs a short-lived statement with a key it has published. RFC 7523 §3.
 */
import { sha256 } from '../../crypto/hash.ts'
import { peekJwt, verifyJwt, type JwtMembers, type VerificationKey } from '../../crypto/jwt.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { Context } from '../config/context.ts'
import { CLOCK_SKEW } from '../config/defaults.ts'
import type { Client } from './client.ts'
import { resolveClientKeys } from './client_keys.ts'
import { refusedClient } from './credentials.ts'

// Clocks may differ by this much.
const SKEW = 30
// An assertion is made for one request. RFC 7523 §3 lets the server refuse one that is good for long.
const MAX_LIFETIME = 60 * 60

/** @throws OAuthError `invalid_client`, or `temporarily_unavailable` when the client's keys cannot be had. */
export async function checkAssertion(
  context: Context,
  client: Client,
  assertion: string,
): Promise<void> {
  const claims = await verifyJwt(assertion, await keysOf(context, client, assertion))
  if (claims === undefined) throw refused('no published key signed the assertion')
  const fault = judgeClaims(claims, client.client_id, context.config.issuer, context.clock())
  if (fault !== undefined) throw refused(fault)
  // Last, as it uses the assertion up: RFC 7523 §3 item 7.
  if (!(await claimOnce(context, client, assertion, claims)))
    throw refused('the assertion is replayed')
}

async function keysOf(
  context: Context,
  client: Client,
  assertion: string,
): Promise<readonly VerificationKey[]> {
  const kid = peekJwt(assertion)?.header['kid']
  try {
    return await resolveClientKeys(context, client, typeof kid === 'string' ? kid : undefined)
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_client') throw refused(error.reason)
    throw error
  }
}

/** RFC 7523 §3. Pure. */
export function judgeClaims(
  { iss, sub, aud, exp, nbf, iat }: JwtMembers,
  client_id: string,
  issuer: string,
  now: number,
): string | undefined {
  if (iss !== client_id || sub !== client_id) return 'iss and sub are not the client_id'
  if (!isAudience(aud, issuer)) return 'aud is not the issuer'
  if (!isTime(exp)) return 'exp is missing'
  if (now >= exp + SKEW) return 'expired'
  if (exp > now + MAX_LIFETIME + SKEW) return 'exp is too far ahead'
  if (nbf !== undefined && !(isTime(nbf) && nbf <= now + SKEW)) return 'nbf is ahead'
  if (iat !== undefined && !(isTime(iat) && iat <= now + SKEW)) return 'iat is ahead'
  return undefined
}

/**
 * The audience is this issuer and nobody else. RFC 7523 §3 would let it be the token endpoint too; but a
 * server that lies about its token endpoint could then pass an assertion on (the attack behind RFC 7523bis).
 */
function isAudience(aud: unknown, issuer: string): boolean {
  const only: unknown = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
  // Clients that parse and print an issuer without a path put a slash behind it.
  return only === issuer || (only === `${issuer}/` && new URL(issuer).pathname === '/')
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Of all instances one wins. Without a `jti` the signed text itself is the id; the signature is not, as it has spellings. */
function claimOnce(
  { store }: Context,
  { client_id }: Client,
  assertion: string,
  { jti, exp }: JwtMembers,
): Promise<boolean> {
  const name =
    typeof jti === 'string' ? `jti ${jti}` : assertion.slice(0, assertion.lastIndexOf('.'))
  const id = `assertion/${sha256(JSON.stringify([client_id, name]))}`
  return store.insert('claim', {
    id,
    // The instance whose clock is ahead deletes it, and one that is behind must not take the assertion again.
    expiresAt: Math.ceil(Number(exp)) + SKEW + CLOCK_SKEW + 1,
    value: undefined,
  })
}

function refused(reason: string): OAuthError {
  return refusedClient('private_key_jwt', reason)
}

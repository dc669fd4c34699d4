/**
 * The verifier of this server's own access tokens.
 *
 * A token that was once found authentic is remembered by itself, so that a warm call costs a look-up
 * instead of a MAC. The grant is asked for each time: nothing about being live is remembered here.
 */
import { MAX_TOKEN_LENGTH } from '../../crypto/token.ts'
import type { AuthInfo, RefusedToken, Verification, Verifier } from '../../guard/verifier.ts'
import { expandScope, parseScope } from '../../protocol/scope.ts'
import type { GrantRecord } from '../../stores/records.ts'
import type { Context } from '../config/context.ts'
import { tellOutage } from '../config/outage.ts'
import type { GrantCache } from './grant_cache.ts'
import { readAccessToken, type AccessToken } from './access_token.ts'

/** An authentic token: its claims, and what of its AuthInfo is made once and shared by its calls. */
interface KnownToken {
  readonly claims: AccessToken
  readonly scopes: readonly string[]
  readonly resource: URL
}

const MAX_REMEMBERED = 10_000

/**
 * A verifier over this server's keys and grants, which `findGrant` gives as they are now: from the store
 * when left out. Its `verify` throws `StoreUnavailable` in an outage.
 */
export function createLocalVerifier(
  context: Context,
  findGrant: GrantCache['find'] = async (id) => (await context.store.find('grant', id))?.record,
): Verifier {
  const tokens = rememberTokens((token) => readKnown(context, token))
  return {
    async verify(token, resource) {
      // The order is by cost: a forged, expired or foreign token never reaches the store.
      const known = tokens.find(token)
      if (known === undefined) return refused('not_authentic')
      const { claims } = known
      if (context.clock() >= claims.exp) {
        tokens.forget(token)
        return refused('expired')
      }
      // MCP, Token Handling: the server MUST check that the token was issued for it. RFC 8707 §2.
      if (claims.resource !== resource) return refused('wrong_resource')
      let grant: GrantRecord | undefined
      try {
        grant = await findGrant(claims.grantId)
      } catch (error) {
        tellOutage(context, resource, error)
        throw error
      }
      if (grant === undefined) return refused('unknown_grant')
      const reason = judgeGrant(grant, claims)
      if (reason !== undefined) return refused(reason)
      return { outcome: 'verified', authInfo: authInfoOf(token, known, grant) }
    },
  }
}

/** Why a token of this grant does not hold; undefined when it does. Expiry is in the token itself. */
export function judgeGrant(
  grant: GrantRecord | undefined,
  claims: AccessToken,
): RefusedToken | undefined {
  if (grant === undefined) return 'unknown_grant'
  if (grant.endedAt !== undefined) return 'grant_ended'
  if (grant.revokedTokens.some(({ jti }) => jti === claims.jti)) return 'revoked'
  return undefined
}

function readKnown(context: Context, token: string): KnownToken | undefined {
  const claims = readAccessToken(context.keys, token)
  if (claims === undefined) return undefined
  const scopes = expandScope(parseScope(claims.scope), context.config.hierarchy)
  return { claims, scopes, resource: new URL(claims.resource) }
}

function authInfoOf(token: string, known: KnownToken, grant: GrantRecord): AuthInfo {
  return {
    token,
    clientId: grant.client_id,
    // A copy, as the SDKs type it mutable: a tool that adds to it must not add to later calls.
    scopes: [...known.scopes],
    expiresAt: known.claims.exp,
    resource: known.resource,
    extra: { subject: grant.subject, grantId: grant.id, user: { ...grant.user } },
  }
}

interface TokenMemory {
  find(token: string): KnownToken | undefined
  forget(token: string): void
}

/** Remembers what authentic tokens said, the newest 10,000 of them. Failures are not remembered. */
function rememberTokens(read: (token: string) => KnownToken | undefined): TokenMemory {
  const held = new Map<string, KnownToken>()
  return {
    find(token) {
      // Even a look-up reads the whole text, so what cannot be ours is not looked up.
      if (token.length > MAX_TOKEN_LENGTH) return undefined
      const remembered = held.get(token)
      if (remembered !== undefined) return remembered
      const known = read(token)
      if (known === undefined) return undefined
      if (held.size >= MAX_REMEMBERED) held.delete(held.keys().next().value ?? '')
      held.set(token, known)
      return known
    },
    forget(token) {
      held.delete(token)
    },
  }
}

function refused(reason: RefusedToken): Verification {
  return { outcome: 'refused', reason }
}

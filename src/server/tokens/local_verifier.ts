/**
 * The verifier of this server's own access tokens.
 *
 * That a token is authentic is remembered (`known_tokens.ts`). Its grant is asked for each time.
 */
import type { AuthInfo, RefusedToken, Verification, Verifier } from '../../guard/verifier.ts'
import { remembered } from '../../protocol/remembered.ts'
import { expandScope, parseScope } from '../../protocol/scope.ts'
import type { GrantRecord } from '../../stores/records.ts'
import type { Context } from '../config/context.ts'
import { tellOutage } from '../config/outage.ts'
import type { GrantCache } from './grant_cache.ts'
import { readAccessToken, type AccessToken } from './access_token.ts'
import { createKnownTokens, type KnownToken } from './known_tokens.ts'

/**
 * A verifier over this server's keys and grants, which `findGrant` gives as they are now: from the store
 * when left out. Its `verify` throws `StoreUnavailable` in an outage.
 */
export function createLocalVerifier(
  context: Context,
  findGrant: GrantCache['find'] = async (id) => (await context.store.find('grant', id))?.record,
): Verifier {
  const tokens = createKnownTokens()
  const scopesOf = remembered((scope) => expandScope(parseScope(scope), context.config.hierarchy))

  function read(token: string): KnownToken | undefined {
    const claims = readAccessToken(context.keys, token)
    if (claims === undefined) return undefined
    const { grantId, jti, exp, resource, scope } = claims
    const url = new URL(resource)
    return { token, grantId, jti, exp, resource, url, href: url.href, scopes: scopesOf(scope) }
  }

  return {
    async verify(token, resource) {
      // The order is by cost: a forged, expired or foreign token never reaches the store.
      const held = tokens.find(token)
      const known = held ?? read(token)
      if (known === undefined) return refused('not_authentic')
      if (context.clock() >= known.exp) {
        tokens.forget(token)
        return refused('expired')
      }
      if (held === undefined) tokens.keep(known)
      // MCP, Token Handling: the server MUST check that the token was issued for it. RFC 8707 §2.
      if (known.resource !== resource) return refused('wrong_resource')
      let grant: GrantRecord | undefined
      try {
        grant = await findGrant(known.grantId)
      } catch (error) {
        tellOutage(context, resource, error)
        throw error
      }
      if (grant === undefined) return refused('unknown_grant')
      const reason = judgeGrant(grant, known)
      if (reason !== undefined) return refused(reason)
      return { outcome: 'verified', authInfo: authInfoOf(known, grant) }
    },
  }
}

/** Why a token of this grant does not hold; undefined when it does. Expiry is in the token itself. */
export function judgeGrant(
  grant: GrantRecord | undefined,
  claims: Pick<AccessToken, 'jti'>,
): RefusedToken | undefined {
  if (grant === undefined) return 'unknown_grant'
  if (grant.endedAt !== undefined) return 'grant_ended'
  if (grant.revokedTokens.some(({ jti }) => jti === claims.jti)) return 'revoked'
  return undefined
}

function authInfoOf(known: KnownToken, grant: GrantRecord): AuthInfo {
  return {
    token: known.token,
    clientId: grant.client_id,
    // Copies, as the SDKs type them mutable: what a tool changes must not change later calls.
    scopes: [...known.scopes],
    expiresAt: known.exp,
    resource: urlOf(known),
    extra: { subject: grant.subject, grantId: grant.id, user: { ...grant.user } },
  }
}

/** One URL for all calls of a token, and a new one after a tool has changed it. */
function urlOf(known: KnownToken): URL {
  if (known.url.href !== known.href) known.url = new URL(known.resource)
  return known.url
}

function refused(reason: RefusedToken): Verification {
  return { outcome: 'refused', reason }
}

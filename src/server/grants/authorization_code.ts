/**
 * `grant_type=authorization_code`: RFC 6749 §4.1.3, OAuth 2.1 §4.1.3, RFC 7636 §4.6.
 *
 * The code is used up last, by one compare-and-set: a request with any fault leaves it as it was.
 */
import type { Form } from '../../http/form.ts'
import { OAuthError } from '../../protocol/errors.ts'
import { verifiesChallenge } from '../../protocol/pkce.ts'
import { matchResource } from '../../protocol/resource.ts'
import type { GrantCode, GrantRecord, GrantRefresh } from '../../stores/records.ts'
import type { Versioned } from '../../stores/store.ts'
import type { Client } from '../clients/client.ts'
import { extendClient } from '../clients/extend.ts'
import type { Context } from '../config/context.ts'
import { readCode } from '../tokens/code.ts'
import { makeRefreshToken } from '../tokens/refresh_token.ts'
import { applyToGrant } from './apply.ts'
import { redeem } from './grant.ts'
import { drawAccessToken, tokenResponse, type Draw, type TokenResponse } from './token_response.ts'
import { checkStillWelcome } from './welcome.ts'

/** Redeems a code. @throws OAuthError `invalid_request`, `invalid_grant`, `invalid_target`, `temporarily_unavailable` */
export async function authorizationCode(
  context: Context,
  client: Client,
  form: Form,
): Promise<TokenResponse> {
  const grantId = readCode(context.keys, form.required('code'))
  const verifier = form.required('code_verifier')
  const redirect_uri = form.get('redirect_uri')
  const resource = matchResource(
    form.all('resource'),
    context.config.resources.map((known) => known.resource),
  )

  // One answer for unknown, foreign and late codes: RFC 6749 §10.10, nothing for somebody who guesses.
  if (grantId === undefined) throw invalidCode('not authentic')
  const found = await context.store.find('grant', grantId)
  const grant = found?.record
  if (found === undefined || grant?.code === undefined) throw invalidCode('unknown or ended grant')
  // RFC 6749 §4.1.3: issued to this client. A stranger's try leaves the grant alone.
  if (grant.client_id !== client.client_id) throw invalidCode('issued to another client')
  // OAuth 2.1 §10.2 dropped redirect_uri here; a client that sends it must send the same one.
  // The code keeps the one it was sent to, so an absent parameter opens no hole.
  const sentTo = grant.code.redirect_uri
  if (redirect_uri !== undefined && sentTo !== undefined && redirect_uri !== sentTo) {
    throw invalidCode('redirect_uri differs')
  }
  // RFC 7636 §4.6. Whoever lacks the verifier holds a stolen code, and must not end the owner's grant with it.
  if (!verifiesChallenge(verifier, grant.code.code_challenge))
    throw invalidCode('wrong code_verifier')
  // RFC 8707 §2.2: the resource of the grant and no other.
  if (resource !== undefined && resource !== grant.resource) {
    throw new OAuthError('invalid_target', 'the code was issued for another resource')
  }

  // A code that cannot be redeemed any more asks nobody: nothing may delay the alarm of a second use.
  if (isRedeemable(grant.code, context.clock())) await checkStillWelcome(context, found)
  return redeemCode(context, client, found)
}

function isRedeemable({ redeemedAt, expiresAt }: GrantCode, now: number): boolean {
  return redeemedAt === undefined && now < expiresAt
}

async function redeemCode(
  context: Context,
  client: Client,
  found: Versioned<GrantRecord>,
): Promise<TokenResponse> {
  const now = context.clock()
  const grant = found.record
  const absoluteExpiresAt = issuesRefreshToken(client, grant)
    ? now + context.config.lifetimes.refreshTokenAbsolute
    : undefined
  const draw = drawAccessToken(context, grant.scope, absoluteExpiresAt, now)
  const refresh =
    absoluteExpiresAt === undefined
      ? undefined
      : firstRefresh(context, grant, draw, absoluteExpiresAt)
  // The client must outlast its grant. It is extended first, as a store that fails here burns no code.
  if (grant.code !== undefined && isRedeemable(grant.code, now)) {
    await extendClient(context, client, absoluteExpiresAt ?? draw.exp)
  }
  const next = { refresh: refresh?.record, accessExpiresAt: draw.exp }
  const result = await applyToGrant(context, found, (current) => redeem(current, next, now))
  if (result?.outcome !== 'redeemed') {
    if (result?.outcome === 'reused') announceReuse(context, grant)
    throw invalidCode(result?.outcome ?? 'gone')
  }
  return tokenResponse(context.keys, grant, draw, refresh?.token)
}

/** Clients that can refresh say so in grant_types; some hosts only ask for offline_access. */
function issuesRefreshToken(client: Client, grant: GrantRecord): boolean {
  return (
    client.metadata.grant_types.includes('refresh_token') || grant.scope.includes('offline_access')
  )
}

function firstRefresh(
  context: Context,
  grant: GrantRecord,
  { jti, issuedAt }: Draw,
  absoluteExpiresAt: number,
): { readonly token: string; readonly record: GrantRefresh } {
  const token = makeRefreshToken(context.keys, grant.id, 1, jti)
  const { refreshTokenIdle } = context.config.lifetimes
  const idleExpiresAt = Math.min(issuedAt + refreshTokenIdle, absoluteExpiresAt)
  return {
    token,
    record: { generation: 1, jti, previous: undefined, idleExpiresAt, absoluteExpiresAt },
  }
}

function announceReuse(context: Context, { client_id, subject, id }: GrantRecord): void {
  context.events.emit({
    type: 'grant_ended',
    client_id,
    subject,
    grantId: id,
    reason: 'code_reused',
  })
}

function invalidCode(reason: string): OAuthError {
  return new OAuthError(
    'invalid_grant',
    'the code is unknown, expired, used, or not for this client',
    { reason },
  )
}

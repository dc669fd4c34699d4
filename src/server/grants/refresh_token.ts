/**
 * `grant_type=refresh_token`: RFC 6749 §6, rotation by OAuth 2.1 §4.3.1.
 *
 * Everything is validated before the token is rotated, and rotated by one compare-and-set before the
 * answer leaves. What it was made from is kept, for a client that never got it.
 */
import type { Form } from '../../http/form.ts'
import { OAuthError } from '../../protocol/errors.ts'
import { matchResource } from '../../protocol/resource.ts'
import { parseScope } from '../../protocol/scope.ts'
import type { GrantRecord } from '../../stores/records.ts'
import type { Versioned } from '../../stores/store.ts'
import type { Client } from '../clients/client.ts'
import type { Context } from '../config/context.ts'
import { CLOCK_SKEW } from '../config/defaults.ts'
import { makeJti } from '../tokens/access_token.ts'
import { readForeignToken } from '../tokens/adopted_token.ts'
import { makeRefreshToken, readRefreshToken, type RefreshToken } from '../tokens/refresh_token.ts'
import { applyToGrant } from './apply.ts'
import { isCurrent, rotate, type Rotation, type Successor } from './grant.ts'
import { isHeldBy, keepHolder, UNBOUND } from './holder.ts'
import { keepAnswer, recallAnswer } from './kept_answer.ts'
import { drawAccessToken, tokenResponse, type Draw, type TokenResponse } from './token_response.ts'
import { checkStillWelcome } from './welcome.ts'

/** Rotates a refresh token. @throws OAuthError `invalid_request`, `invalid_grant`, `invalid_scope`, `invalid_target`, `temporarily_unavailable` */
export async function refreshToken(
  context: Context,
  client: Client,
  form: Form,
): Promise<TokenResponse> {
  const token = form.required('refresh_token')
  const asked = parseScope(form.get('scope')) ?? []
  const resource = matchResource(
    form.all('resource'),
    context.config.resources.map((known) => known.resource),
  )

  const presented = readRefreshToken(context.keys, token) ?? readForeignToken(token)
  if (presented === undefined) throw invalidToken('not authentic')
  const found = await context.store.find('grant', presented.grantId)
  if (found === undefined) throw invalidToken('unknown grant')
  const grant = found.record
  // RFC 6749 §6: issued to this client. A stranger's try leaves the grant alone.
  if (!isHeldBy(grant, client)) throw invalidToken('issued to another client')
  if (grant.endedAt !== undefined) throw invalidToken('the grant has ended')
  // RFC 8707 §2.2: the resource of the grant and no other.
  if (resource !== undefined && resource !== grant.resource) {
    throw new OAuthError('invalid_target', 'the refresh token was issued for another resource')
  }
  // RFC 6749 §6: nothing that was not granted. Narrower is fine, and later the whole again.
  if (!asked.every((one) => grant.scope.includes(one))) {
    throw new OAuthError('invalid_scope', 'the scope exceeds what the user granted')
  }
  // Asked where something new is to be given: nothing may delay the alarm of an old token's use.
  if (isCurrent(grant, presented.jti)) await checkStillWelcome(context, found)
  if (grant.client_id === UNBOUND) await keepHolder(context, grant, client)
  const scope = asked.length === 0 ? grant.scope : asked
  return rotateGrant(context, found, { presented, scope, client })
}

interface Presented {
  readonly presented: RefreshToken
  readonly scope: readonly string[]
  readonly client: Client
}

async function rotateGrant(
  context: Context,
  found: Versioned<GrantRecord>,
  request: Presented,
): Promise<TokenResponse> {
  const now = context.clock()
  const grant = found.record
  const { answer, successor } = prepare(context, grant, request, now)
  const { client_id } = request.client
  const result = await applyToGrant(context, found, (current) =>
    isHeldBy(current, request.client)
      ? rotate(boundTo(current, client_id), request.presented.jti, successor, now)
      : { outcome: 'issued to another client' as const },
  )
  const about = { client_id, subject: grant.subject, grantId: grant.id }
  switch (result?.outcome) {
    case 'rotated':
      context.events.emit({ type: 'grant_refreshed', ...about })
      return answer
    case 'repeated':
      context.events.emit({ type: 'grant_repeated', ...about })
      return repeat(context, grant, request, result)
    case 'reused':
      context.events.emit({ type: 'grant_ended', ...about, reason: 'refresh_token_reused' })
      throw invalidToken('used before: the grant has ended')
    default:
      throw invalidToken(result?.outcome ?? 'gone')
  }
}

/** The answer that a rotation would give, and what the grant would keep of it. */
function prepare(
  context: Context,
  grant: GrantRecord,
  { presented, scope }: Presented,
  now: number,
): { readonly answer: TokenResponse; readonly successor: Successor } {
  const { keys } = context
  const { refreshTokenIdle, replayWindow } = context.config.lifetimes
  const draw = drawAccessToken(context, scope, grant.refresh?.absoluteExpiresAt, now)
  const next = makeRefreshToken(keys, grant.id, presented.generation + 1, draw.jti)
  const replay =
    replayWindow === 0 ? undefined : { answer: keepAnswer(keys, draw), until: now + replayWindow }
  return {
    answer: tokenResponse(keys, grant, draw, next),
    successor: {
      jti: draw.jti,
      replay,
      idleExpiresAt: now + refreshTokenIdle,
      accessExpiresAt: draw.exp,
    },
  }
}

/** The answer that was given before, made again from what the grant kept of it. */
function repeat(
  context: Context,
  grant: GrantRecord,
  { presented, scope }: Presented,
  { answer, jti }: Rotation & { readonly outcome: 'repeated' },
): TokenResponse {
  const recalled = recallAnswer(context.keys, answer, jti)
  if (recalled === undefined) throw invalidToken('the key that made the kept answer is gone')
  const { keys, draw } = recalled
  const next = makeRefreshToken(keys, grant.id, presented.generation + 1, jti)
  // Who can write to the store gets nothing signed that lives longer.
  const { accessToken } = context.config.lifetimes
  const exp = Math.min(draw.exp, context.clock() + accessToken + CLOCK_SKEW)
  return tokenResponse(keys, grant, drawAgain({ ...draw, exp }, scope), next)
}

/**
 * RFC 6749 §6 binds the access token to the scope asked for. A client that asks again for another scope
 * gets an access token of its own, beside the same refresh token.
 */
function drawAgain(draw: Draw, scope: readonly string[]): Draw {
  const same =
    scope.length === draw.scope.length && scope.every((token) => draw.scope.includes(token))
  return same ? draw : { ...draw, jti: makeJti(), scope }
}

/** An adopted grant belongs to the first who comes with its token. */
function boundTo(grant: GrantRecord, client_id: string): GrantRecord {
  return grant.client_id === client_id ? grant : { ...grant, client_id }
}

function invalidToken(reason: string): OAuthError {
  return new OAuthError(
    'invalid_grant',
    'the refresh token is unknown, expired, used, or not for this client',
    { reason },
  )
}

/**
 * Whether the user of a grant is still welcome: asked before new tokens leave.
 *
 * Somebody who lost access upstream, or whom the operator no longer lets in, is out at the next refresh.
 * That it cannot be told is an outage and ends nothing.
 */
import { OAuthError } from '../../protocol/errors.ts'
import type { EndReason, GrantRecord, User } from '../../stores/records.ts'
import type { Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'
import { applyToGrant } from './apply.ts'
import { endGrant } from './grant.ts'

/** Seconds. Clients give the token endpoint ten. */
const ALLOW_TIMEOUT = 5

/**
 * Whether `allow` lets this user in.
 * @throws OAuthError `temporarily_unavailable` when it throws or does not answer within 5 seconds.
 */
export async function isAllowed(context: Context, user: User): Promise<boolean> {
  try {
    const answer = context.config.allow(user)
    return typeof answer === 'boolean' ? answer : await inTime(answer)
  } catch (cause) {
    throw new OAuthError(
      'temporarily_unavailable',
      'it cannot be told just now whether the user may sign in',
      { reason: 'allow failed', retryAfter: 5, cause },
    )
  }
}

/**
 * @throws OAuthError `invalid_grant` after ending the grant, where its user is not welcome any more;
 * `invalid_target` where the grant is for a resource that this server does not have.
 */
export async function checkStillWelcome(
  context: Context,
  found: Versioned<GrantRecord>,
): Promise<void> {
  const { user, connectionId, resource } = found.record
  // RFC 8707 §2: unknown here. Another server's sign-in in the same store is for that one to judge, so it
  // goes on there, and so it does where a resource is new and this instance has not heard of it yet.
  if (!context.config.resources.some((known) => known.resource === resource)) {
    throw new OAuthError('invalid_target', 'the sign-in is for a resource of another server')
  }
  if (!(await isAllowed(context, user))) await turnAway(context, found, 'revoked_by_operator')
  if (connectionId === undefined) return
  const connection = await context.store.find('connection', connectionId)
  if (connection === undefined || connection.record.deadAt !== undefined) {
    await turnAway(context, found, 'upstream_refused')
  }
}

async function turnAway(
  context: Context,
  found: Versioned<GrantRecord>,
  reason: EndReason,
): Promise<never> {
  await endNow(context, found, reason)
  throw new OAuthError('invalid_grant', 'the sign-in has ended; sign in again', { reason })
}

/** Ends a grant. Nothing happens, and nothing is told, where it is over or gone already. */
export async function endNow(
  context: Context,
  found: Versioned<GrantRecord>,
  reason: EndReason,
): Promise<void> {
  const now = context.clock()
  const result = await applyToGrant(context, found, (grant) =>
    grant.endedAt === undefined
      ? { outcome: 'ended', grant: endGrant(grant, reason, now) }
      : { outcome: 'over' },
  )
  if (result?.outcome !== 'ended') return
  const { client_id, subject, id } = found.record
  context.events.emit({ type: 'grant_ended', client_id, subject, grantId: id, reason })
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ALLOW_TIMEOUT * 1000)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

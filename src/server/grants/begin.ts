/**
 * The one place where a grant begins and its code is made. Every door that gives a code calls this.
 */
import { randomId } from '../../crypto/random.ts'
import type { AuthorizationTicket, GrantRecord, User } from '../../stores/records.ts'
import { StoreUnavailable, type Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'
import { CLOCK_SKEW } from '../config/defaults.ts'
import { makeCode } from '../tokens/code.ts'
import { isLive } from './grant.ts'
import { endNow } from './welcome.ts'

/** Somebody who has consented and signed in. */
export interface SignedIn {
  readonly subject: string
  readonly user: User
  readonly connectionId: string | undefined
}

// How long a grant whose code is never redeemed is kept: long enough to tell a late code from a forged one.
const KEEP_UNREDEEMED = 60 * 60

// What a sign-in reads of the grants before it, at most, and how many dead ones of them it leaves.
const MAX_READ = 1000
const MAX_DEAD = 50

/** Begins a grant from a ticket that was taken, and returns its code. Each sign-in is a grant of its own. */
export async function beginGrant(
  context: Context,
  ticket: AuthorizationTicket,
  { subject, user, connectionId }: SignedIn,
): Promise<string> {
  const now = context.clock()
  const id = randomId(now)
  const expiresAt = now + context.config.lifetimes.code
  const { client_id, resource, scope, redirect_uri, code_challenge } = ticket
  const grant: GrantRecord = {
    id,
    expiresAt: expiresAt + KEEP_UNREDEEMED,
    subject,
    client_id,
    resource,
    scope,
    connectionId,
    user,
    createdAt: now,
    endedAt: undefined,
    endReason: undefined,
    code: { redirect_uri, code_challenge, expiresAt, redeemedAt: undefined },
    refresh: undefined,
    revokedTokens: [],
  }
  if (!(await context.store.insert('grant', grant))) {
    throw new StoreUnavailable('the id of a new grant is taken')
  }
  context.events.emit({ type: 'grant_begun', client_id, subject, grantId: id, resource, scope })
  await bound(context, grant)
  return makeCode(context.keys, id)
}

/**
 * Two laptops with one client must not sign each other out, but their number is bounded: the oldest
 * ends. So is the number of dead grants that a subject leaves between two clean-ups.
 */
async function bound(context: Context, begun: GrantRecord): Promise<void> {
  const now = context.clock()
  const others = (await listGrants(context, begun.subject, MAX_READ)).filter(
    ({ record }) => record.id !== begun.id,
  )
  const live = others.filter(
    ({ record }) => record.client_id === begun.client_id && isLive(record, now),
  )
  const dead = others.filter(({ record }) => !isLive(record, now - CLOCK_SKEW))
  await Promise.all([
    ...oldest(live, context.config.maxGrantsPerClient - 1).map((grant) =>
      endNow(context, grant, 'superseded'),
    ),
    ...oldest(dead, MAX_DEAD).map(({ record }) => context.store.take('grant', record.id)),
  ])
}

/** The members in front of the last `kept`. */
function oldest<T>(rows: readonly T[], kept: number): readonly T[] {
  return rows.slice(0, Math.max(0, rows.length - kept))
}

/** The grants of a subject, the oldest first, ended ones included; at most about `limit` of them. */
export async function listGrants(
  context: Context,
  subject: string,
  limit: number = Infinity,
): Promise<readonly Versioned<GrantRecord>[]> {
  const rows: Versioned<GrantRecord>[] = []
  let cursor: string | undefined
  do {
    const page = await context.store.list('grant', 'subject', subject, { limit: 200, cursor })
    rows.push(...page.rows)
    cursor = page.cursor
  } while (cursor !== undefined && rows.length < limit)
  return rows
}

/**
 * What can happen to a grant. Every function here is pure: a grant and an input at a time give an
 * outcome and the next grant. `apply.ts` carries it to the store.
 */
import type { EndReason, GrantRecord, GrantRefresh, KeptAnswer } from '../../stores/records.ts'
import { CLOCK_SKEW } from '../config/defaults.ts'

/** How long an ended grant is kept, so that late tokens are told apart from unknown ones in the log. */
const KEEP_ENDED = 24 * 60 * 60

/** A client that drops one token after the other gets no longer record for it, see `revokeToken`. */
const MAX_REVOKED = 100

/** The grant, ended. A grant that has ended already stays as it is. */
export function endGrant(grant: GrantRecord, reason: EndReason, now: number): GrantRecord {
  if (grant.endedAt !== undefined) return grant
  return {
    ...grant,
    code: undefined,
    refresh: undefined,
    revokedTokens: [],
    endedAt: now,
    endReason: reason,
    expiresAt: now + KEEP_ENDED,
  }
}

/** What a redemption may give. */
export type Redemption =
  | { readonly outcome: 'redeemed'; readonly grant: GrantRecord }
  | { readonly outcome: 'reused'; readonly grant: GrantRecord }
  | { readonly outcome: 'refused' }

/** What the redemption of a code brings to its grant. */
export interface FirstTokens {
  readonly refresh: GrantRefresh | undefined
  /** When the access token in the answer expires. */
  readonly accessExpiresAt: number
}

/** What its code does to a grant at `now`, every other check passed: RFC 6749 §4.1.2 and §10.5. */
export function redeem(grant: GrantRecord, next: FirstTokens, now: number): Redemption {
  if (grant.endedAt !== undefined || grant.code === undefined) return { outcome: 'refused' }
  // OAuth 2.1 §4.1.3: used twice, all that it gave SHOULD be revoked, however often it was refreshed
  // since. One of the two users is a thief. Two at the same moment are no exception.
  if (grant.code.redeemedAt !== undefined) {
    return { outcome: 'reused', grant: endGrant(grant, 'code_reused', now) }
  }
  if (now >= grant.code.expiresAt) return { outcome: 'refused' }
  // Of a code that comes again the challenge tells whose it is, wherever it was sent.
  const code = { ...grant.code, redirect_uri: undefined, redeemedAt: now }
  const { refresh, accessExpiresAt } = next
  return {
    outcome: 'redeemed',
    grant: { ...grant, code, refresh, expiresAt: keepUntil(refresh, accessExpiresAt) },
  }
}

/** What a rotation may give. */
export type Rotation =
  | { readonly outcome: 'rotated'; readonly grant: GrantRecord }
  | { readonly outcome: 'repeated'; readonly answer: KeptAnswer; readonly jti: string }
  | { readonly outcome: 'reused'; readonly grant: GrantRecord }
  | { readonly outcome: 'expired' }
  | { readonly outcome: 'ended' }

/** The successor of a refresh token. */
export interface Successor {
  readonly jti: string
  /** The answer that carries it, and until when it is given again. */
  readonly replay: { readonly answer: KeptAnswer; readonly until: number } | undefined
  readonly idleExpiresAt: number
  /** When the access token in the answer expires. */
  readonly accessExpiresAt: number
}

/** What an authentic refresh token does at `now` to its grant, by its `jti`: OAuth 2.1 §4.3.1. */
export function rotate(
  grant: GrantRecord,
  presented: string,
  next: Successor,
  now: number,
): Rotation {
  if (grant.endedAt !== undefined || grant.refresh === undefined) return { outcome: 'ended' }
  const { jti, previous, idleExpiresAt, absoluteExpiresAt } = grant.refresh
  if (now >= idleExpiresAt || now >= absoluteExpiresAt) return { outcome: 'expired' }
  if (presented === jti) return { outcome: 'rotated', grant: succeed(grant, next, now) }
  // The answer to the last rotation may have been lost on its way. Until its token is first used, and
  // within the window, the client that asks again gets the same answer: there is never a second pair.
  if (previous !== undefined && presented === previous.jti && now < previous.until) {
    return { outcome: 'repeated', answer: previous.answer, jti }
  }
  // OAuth 2.1 §4.3.1: an older token has been used again. One of the two users is a thief.
  return { outcome: 'reused', grant: endGrant(grant, 'refresh_token_reused', now) }
}

/** Whether this is the `jti` of the grant's newest refresh token. One that is not can never become it. */
export function isCurrent(grant: GrantRecord, presented: string): boolean {
  return presented === grant.refresh?.jti
}

function succeed(grant: GrantRecord, next: Successor, now: number): GrantRecord {
  const old = grant.refresh
  if (old === undefined) return grant
  const refresh: GrantRefresh = {
    generation: old.generation + 1,
    jti: next.jti,
    previous: next.replay && { jti: old.jti, ...next.replay },
    idleExpiresAt: Math.min(next.idleExpiresAt, old.absoluteExpiresAt),
    absoluteExpiresAt: old.absoluteExpiresAt,
  }
  // Tokens of before the lifetimes were last changed may outlive those of now.
  const expiresAt = Math.max(grant.expiresAt ?? 0, keepUntil(refresh, next.accessExpiresAt))
  return { ...pruneRevoked(grant, now), refresh, expiresAt }
}

/** One access token revoked until it expires by itself: RFC 7009 §2.1. */
export function revokeToken(
  grant: GrantRecord,
  jti: string,
  exp: number,
  now: number,
): GrantRecord {
  if (grant.endedAt !== undefined || isOver(exp, now)) return grant
  if (grant.revokedTokens.some((token) => token.jti === jti)) return grant
  const pruned = pruneRevoked(grant, now)
  // RFC 7009 §2.1: with an access token the refresh token MAY go. It does where a client revokes so many
  // that each guarded call would have to read a long list.
  if (pruned.revokedTokens.length >= MAX_REVOKED) return endGrant(grant, 'revoked_by_client', now)
  return { ...pruned, revokedTokens: [...pruned.revokedTokens, { jti, expiresAt: exp }] }
}

/** Whether anything can still be had from the grant at `now`: a code to redeem, or tokens. */
export function isLive(grant: GrantRecord, now: number): boolean {
  if (grant.endedAt !== undefined || grant.code === undefined) return false
  if (grant.code.redeemedAt === undefined) return now < grant.code.expiresAt
  return grant.expiresAt === undefined || now < grant.expiresAt
}

/** From when on no instance needs the record: its tokens have expired by the slowest of the clocks. */
function keepUntil(refresh: GrantRefresh | undefined, accessExpiresAt: number): number {
  return Math.max(refresh?.idleExpiresAt ?? 0, accessExpiresAt) + CLOCK_SKEW
}

function pruneRevoked(grant: GrantRecord, now: number): GrantRecord {
  if (!grant.revokedTokens.some(({ expiresAt }) => isOver(expiresAt, now))) return grant
  return {
    ...grant,
    revokedTokens: grant.revokedTokens.filter(({ expiresAt }) => !isOver(expiresAt, now)),
  }
}

/** Whether a token has expired by every instance's clock. Forgotten sooner, it would live again on one. */
function isOver(exp: number, now: number): boolean {
  return now >= exp + CLOCK_SKEW
}

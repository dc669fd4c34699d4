/**
 * What can happen to a connection. Every function here is pure; `stores/change.ts` carries it over.
 *
 * One caller refreshes, whichever instance it is on: the lease is in the record, taken and given back by
 * compare-and-set. Whoever lost it meanwhile cannot write any more.
 */
import type { Sealed } from '../../crypto/seal.ts'
import type { ConnectionRecord } from '../../stores/records.ts'
import { CLOCK_SKEW } from '../config/defaults.ts'

/** Seconds before its end from which on an upstream token is renewed ahead of time. */
const LEEWAY = 60
/** Seconds for which one caller may refresh: longer than a request to the upstream may take. */
export const LEASE = 20

/** Whether the upstream token can be used at `now`, and need not be renewed. */
export function isFresh({ accessExpiresAt }: ConnectionRecord, now: number): boolean {
  return accessExpiresAt === undefined || now < accessExpiresAt - LEEWAY
}

/** Whether the upstream token can be used at `now` if it must. */
export function isUsable({ accessExpiresAt }: ConnectionRecord, now: number): boolean {
  return accessExpiresAt === undefined || now < accessExpiresAt
}

/** What somebody who needs a fresh token may do. */
export type Lease =
  | { readonly outcome: 'dead' }
  | { readonly outcome: 'fresh'; readonly connection: ConnectionRecord }
  /** Nothing to refresh with, and the token is over. */
  | { readonly outcome: 'exhausted'; readonly connection: ConnectionRecord }
  | { readonly outcome: 'busy'; readonly connection: ConnectionRecord }
  | { readonly outcome: 'leased'; readonly next: ConnectionRecord }

export function takeLease(connection: ConnectionRecord, holder: string, now: number): Lease {
  if (connection.deadAt !== undefined) return { outcome: 'dead' }
  if (isFresh(connection, now)) return { outcome: 'fresh', connection }
  if (connection.refresh_token === undefined) {
    return isUsable(connection, now)
      ? { outcome: 'fresh', connection }
      : { outcome: 'exhausted', connection }
  }
  const { lease } = connection
  if (lease !== undefined && now < lease.until) return { outcome: 'busy', connection }
  // Another instance's clock may be ahead. Two refreshes at once look like theft to the upstream.
  const until = now + LEASE + CLOCK_SKEW
  return { outcome: 'leased', next: { ...connection, lease: { holder, until } } }
}

/** Upstream tokens, sealed for the connection. */
export interface SealedTokens {
  readonly access_token: Sealed
  /** Undefined when the upstream gave none: the one before stays. */
  readonly refresh_token: Sealed | undefined
  readonly scope: readonly string[] | undefined
  readonly accessExpiresAt: number | undefined
}

/** What a change by the holder of the lease gives; `lost` when somebody else holds it now. */
export type Held =
  { readonly outcome: 'written'; readonly next: ConnectionRecord } | { readonly outcome: 'lost' }

/** The connection with the tokens that its holder was given. */
export function renew(
  connection: ConnectionRecord,
  holder: string,
  tokens: SealedTokens,
  now: number,
): Held {
  if (connection.lease?.holder !== holder) return { outcome: 'lost' }
  return { outcome: 'written', next: withTokens(connection, tokens, now) }
}

/** The connection with new tokens; whatever was wrong with the old ones is over. */
export function withTokens(
  connection: ConnectionRecord,
  tokens: SealedTokens,
  now: number,
): ConnectionRecord {
  return {
    ...connection,
    ...tokens,
    // RFC 6749 §6: where none came back, the one before goes on; unless the upstream has refused it.
    refresh_token:
      tokens.refresh_token ??
      (connection.deadAt === undefined ? connection.refresh_token : undefined),
    scope: tokens.scope ?? connection.scope,
    deadAt: undefined,
    lease: undefined,
    updatedAt: now,
  }
}

/** The connection without its tokens, for whoever deletes what has expired. */
export function letGo(
  connection: ConnectionRecord,
  nothing: Sealed,
  now: number,
): ConnectionRecord {
  return {
    ...connection,
    access_token: nothing,
    refresh_token: undefined,
    lease: undefined,
    deadAt: now,
    expiresAt: now,
  }
}

/** The connection given back as it was, after a failure that may pass. */
export function release(connection: ConnectionRecord, holder: string): Held {
  if (connection.lease?.holder !== holder) return { outcome: 'lost' }
  return { outcome: 'written', next: { ...connection, lease: undefined } }
}

/**
 * The connection after the upstream refused what `seen` holds, for good. A sign-in since then has
 * brought new tokens, and those are another matter.
 */
export function die(connection: ConnectionRecord, seen: ConnectionRecord, now: number): Held {
  if (connection.access_token !== seen.access_token) return { outcome: 'lost' }
  return { outcome: 'written', next: { ...connection, lease: undefined, deadAt: now } }
}

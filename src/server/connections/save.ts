/**
 * Keeps what the upstream gave for a user at a sign-in, sealed: one record for each user and upstream.
 */
import { sha256 } from '../../crypto/hash.ts'
import { open, seal, type Sealed } from '../../crypto/seal.ts'
import type { ConnectionRecord } from '../../stores/records.ts'
import { change } from '../../stores/change.ts'
import { StoreUnavailable } from '../../stores/store.ts'
import type { UpstreamTokens } from '../../upstream/upstream.ts'
import type { Context } from '../config/context.ts'
import { CLOCK_SKEW } from '../config/defaults.ts'
import { withTokens, type SealedTokens } from './connection.ts'

/** The id of a user's connection, which is the same at each sign-in. */
export function connectionIdOf({ upstream }: Context, subject: string): string {
  return sha256(JSON.stringify([subject, upstream.id]))
}

/** Saves the tokens of a sign-in, after its grant has begun: see `releaseConnection`. */
export async function saveConnection(
  context: Context,
  subject: string,
  tokens: UpstreamTokens,
): Promise<void> {
  const upstream = context.upstream.id
  const id = connectionIdOf(context, subject)
  const now = context.clock()
  const sealed = sealTokens(context, id, tokens)
  const expiresAt = keepUntil(context, now)
  const fresh: ConnectionRecord = {
    id,
    expiresAt,
    subject,
    upstream,
    token_endpoint: tokens.token_endpoint,
    ...sealed,
    deadAt: undefined,
    lease: undefined,
    updatedAt: now,
  }
  if (await context.store.insert('connection', fresh)) return
  const found = await context.store.find('connection', id)
  const changed =
    found &&
    (await change(context.store, 'connection', found, (connection) => ({
      outcome: 'written',
      next: {
        ...withTokens(connection, sealed, now),
        token_endpoint: tokens.token_endpoint,
        expiresAt: Math.max(expiresAt, connection.expiresAt ?? 0),
      },
    })))
  // Its last grant has ended just now, and took the record along.
  if (changed === undefined && !(await context.store.insert('connection', fresh))) {
    throw new StoreUnavailable('the connection came and went while it was written')
  }
}

/** When no grant of a sign-in at `now` can live any more, by the slowest of the clocks. */
function keepUntil({ config }: Context, now: number): number {
  const { code, refreshTokenAbsolute, accessToken } = config.lifetimes
  return now + code + Math.max(refreshTokenAbsolute, accessToken) + CLOCK_SKEW
}

/** Upstream tokens as the record of `id` may hold them. */
export function sealTokens(context: Context, id: string, tokens: UpstreamTokens): SealedTokens {
  const { access_token, refresh_token, expires_in, scope } = tokens
  return {
    access_token: seal(context.keys, access_token, `connection/${id}/access_token`),
    refresh_token:
      refresh_token === undefined
        ? undefined
        : seal(context.keys, refresh_token, `connection/${id}/refresh_token`),
    scope,
    accessExpiresAt: expires_in === undefined ? undefined : context.clock() + expires_in,
  }
}

/** What stands in the place of the access token where there is none any more. */
export function sealNothing({ keys }: Context, id: string): Sealed {
  return seal(keys, '', `connection/${id}/access_token`)
}

/** The tokens of a connection; undefined when their key is gone, or they were moved or damaged. */
export function openTokens(
  context: Context,
  { id, access_token, refresh_token }: ConnectionRecord,
): { access_token: string; refresh_token: string | undefined } | undefined {
  const access = open(context.keys, access_token, `connection/${id}/access_token`)
  const refresh =
    refresh_token && open(context.keys, refresh_token, `connection/${id}/refresh_token`)
  if (access === undefined || (refresh_token !== undefined && refresh === undefined))
    return undefined
  return { access_token: access, refresh_token: refresh }
}

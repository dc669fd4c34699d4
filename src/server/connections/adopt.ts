/**
 * Takes over a sign-in that another server made: its refresh token goes on here, and is replaced by one of
 * ours at its first use. Access tokens are not taken over; their clients refresh.
 */
import type { GrantRecord, User } from '../../stores/records.ts'
import type { UpstreamTokens } from '../../upstream/upstream.ts'
import type { Context } from '../config/context.ts'
import { CLOCK_SKEW } from '../config/defaults.ts'
import { subjectOf } from '../config/subject.ts'
import { UNBOUND } from '../grants/holder.ts'
import { FIRST_GENERATION, readForeignToken } from '../tokens/adopted_token.ts'
import { connectionIdOf, saveConnection } from './save.ts'

/** A sign-in of another server. */
export interface ForeignSession {
  /** As that server gave it to its client: 16 to 4096 characters. */
  readonly refresh_token: string
  /** Who signed in, as the upstream tells it. */
  readonly user: User
  /** What the upstream gave for the user; not where users sign in with the app itself. */
  readonly tokens?: UpstreamTokens | undefined
  /** Whose the token is. Where it is not known, the first public client that presents it. */
  readonly client_id?: string | undefined
  /** The scopes that were granted; the default scopes where there were none. */
  readonly scope?: readonly string[] | undefined
  /** For which endpoint; may be left out where there is only one. */
  readonly resource?: string | undefined
  /** Seconds since the epoch until which the token can be used; never longer than one of ours. */
  readonly expires_at: number
}

/** Whether the sign-in is now this server's, or was already. */
export type Adoption = 'adopted' | 'known'

/**
 * May be repeated: what was taken over already stays as it has become since.
 * @throws RangeError when the session cannot be taken over; its message has no secret
 */
export async function adoptSession(context: Context, session: ForeignSession): Promise<Adoption> {
  const grant = grantOf(context, session)
  // In the order of a sign-in: first the grant, then its connection.
  const isNew = await context.store.insert('grant', grant)
  if (session.tokens !== undefined) await keepTokens(context, grant.subject, session.tokens)
  if (!isNew) return 'known'
  const { id, subject, client_id, resource, scope } = grant
  context.events.emit({ type: 'grant_begun', client_id, subject, grantId: id, resource, scope })
  return 'adopted'
}

/** Tokens that a connection has already may be newer than those of the other server. */
async function keepTokens(
  context: Context,
  subject: string,
  tokens: UpstreamTokens,
): Promise<void> {
  const found = await context.store.find('connection', connectionIdOf(context, subject))
  if (found !== undefined && found.record.deadAt === undefined) return
  await saveConnection(context, subject, tokens)
}

function grantOf(context: Context, session: ForeignSession): GrantRecord {
  const { refresh_token, user, tokens, client_id = UNBOUND, expires_at } = session
  const token = readForeignToken(refresh_token)
  if (token === undefined) throw new RangeError('the refresh token is not of another server')
  if ((tokens === undefined) !== (context.upstream.type === 'session')) {
    throw new RangeError('tokens of the upstream belong to a session if, and only if, it has some')
  }
  const now = context.clock()
  const { refreshTokenIdle, refreshTokenAbsolute } = context.config.lifetimes
  const absoluteExpiresAt = now + refreshTokenAbsolute
  const idleExpiresAt = Math.min(expires_at, now + refreshTokenIdle, absoluteExpiresAt)
  if (!(idleExpiresAt > now)) throw new RangeError('the session is over')
  const subject = subjectOf(user)
  return {
    id: token.grantId,
    expiresAt: idleExpiresAt + CLOCK_SKEW,
    subject,
    client_id,
    resource: resourceOf(context, session),
    scope: scopeOf(context, session),
    connectionId: tokens && connectionIdOf(context, subject),
    user,
    createdAt: now,
    endedAt: undefined,
    endReason: undefined,
    // Its code was redeemed at the other server.
    code: { redirect_uri: undefined, code_challenge: '', expiresAt: now, redeemedAt: now },
    refresh: {
      generation: FIRST_GENERATION,
      jti: token.jti,
      previous: undefined,
      idleExpiresAt,
      absoluteExpiresAt,
    },
    revokedTokens: [],
  }
}

function resourceOf({ config }: Context, { resource }: ForeignSession): string {
  const [only, ...others] = config.resources
  if (resource === undefined && others.length === 0 && only !== undefined) return only.resource
  const found = config.resources.find((known) => known.resource === resource)
  if (found === undefined) throw new RangeError('resource must be one of this server')
  return found.resource
}

function scopeOf({ config }: Context, { scope }: ForeignSession): readonly string[] {
  if (scope === undefined) return config.defaultScope
  const unknown = scope.find((one) => !config.scopes.has(one))
  if (unknown !== undefined) throw new RangeError(`there is no scope ${unknown}`)
  return scope
}

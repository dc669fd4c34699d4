/**
 * Revocation endpoint: RFC 7009 §2.
 *
 * A client hands back a token it no longer wants. A refresh token takes its whole grant along, an
 * access token goes alone. When the store fails it throws, and the router answers 503, from which
 * the client learns that its token still lives (§2.2.1); so nothing here may swallow an error.
 */
import type { Keyring } from '../../crypto/keyring.ts'
import { readForm } from '../../http/form.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { empty } from '../../http/respond.ts'
import type { GrantRecord } from '../../stores/records.ts'
import type { Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'
import { checkRate } from '../config/rate.ts'
import { releaseConnection } from '../connections/end.ts'
import { applyToGrant } from '../grants/apply.ts'
import { endGrant, revokeToken } from '../grants/grant.ts'
import { authenticateHolder, isHeldBy } from '../grants/holder.ts'
import { readAccessToken } from '../tokens/access_token.ts'
import { readForeignToken } from '../tokens/adopted_token.ts'
import { readRefreshToken } from '../tokens/refresh_token.ts'

export async function revocation(context: Context, request: HttpRequest): Promise<HttpResponse> {
  const form = await readForm(request)
  checkRate(context, request, 'token', 'revocation')

  // RFC 7009 §2.1: the client first, the token second. §5: or anyone could fish for live tokens.
  const client = await authenticateHolder(context, request, form, 'token')

  // RFC 7009 §2.1: token_type_hint only speeds up a search, and the token itself says what it is.
  const presented = readPresented(context.keys, form.required('token'))

  // RFC 7009 §2.2: an unknown token is no error. What the client asked for is already so.
  if (presented === undefined) return empty(200)
  const found = await context.store.find('grant', presented.grantId)
  if (found === undefined || found.record.endedAt !== undefined) return empty(200)

  // RFC 7009 §2.1 refuses the token of another client. To say so would tell a public client that the
  // token lives, so it hears what a stranger's token hears, and the event stream hears the truth.
  if (!isHeldBy(found.record, client)) {
    const { client_id } = client
    context.events.emit({ type: 'revocation_refused', client_id, grantId: found.record.id })
    return empty(200)
  }

  // RFC 7009 §2.1: with a refresh token its access tokens SHOULD go. With an access token the refresh
  // token MAY stay, and does: dropping one leaked token should not send the user through consent again.
  if (presented.kind === 'access') await revokeOne(context, found, presented)
  else await revokeGrant(context, found)
  return empty(200)
}

type Presented =
  | {
      readonly kind: 'access'
      readonly grantId: string
      readonly jti: string
      readonly exp: number
    }
  | { readonly kind: 'refresh'; readonly grantId: string }

function readPresented(keys: Keyring, token: string): Presented | undefined {
  const access = readAccessToken(keys, token)
  if (access !== undefined) return { kind: 'access', ...access }
  const refresh = readRefreshToken(keys, token) ?? readForeignToken(token)
  return refresh && { kind: 'refresh', grantId: refresh.grantId }
}

async function revokeOne(
  context: Context,
  found: Versioned<GrantRecord>,
  { jti, exp }: Presented & { kind: 'access' },
): Promise<void> {
  const now = context.clock()
  const result = await applyToGrant(context, found, (grant) => {
    const next = revokeToken(grant, jti, exp, now)
    return { outcome: next.endedAt === undefined ? 'revoked' : 'ended', grant: next }
  })
  const { client_id, subject, id } = found.record
  context.events.emit({ type: 'token_revoked', client_id, subject, grantId: id })
  if (result?.outcome === 'ended') await announceEnd(context, found.record)
}

/** Any generation of the family ends it: whoever revokes an old token wants the sign-in to be over. */
async function revokeGrant(context: Context, found: Versioned<GrantRecord>): Promise<void> {
  const now = context.clock()
  await applyToGrant(context, found, (grant) => ({
    grant: endGrant(grant, 'revoked_by_client', now),
  }))
  await announceEnd(context, found.record)
}

/** The last grant that lives by a connection takes it along. */
async function announceEnd(
  context: Context,
  { client_id, subject, id, connectionId }: GrantRecord,
): Promise<void> {
  const reason = 'revoked_by_client'
  context.events.emit({ type: 'grant_ended', client_id, subject, grantId: id, reason })
  if (connectionId !== undefined) await releaseConnection(context, connectionId)
}

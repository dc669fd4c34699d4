/**
 * A fresh access token of the upstream, for a tool that acts there as the user.
 *
 * However many callers on however many instances need it, the upstream sees one refresh. A failure that
 * may pass is 503 and ends nothing. One that cannot pass ends the user's grants, so that their clients
 * sign in again. What the upstream said goes to the events, never to the caller.
 */
import { setTimeout } from 'node:timers/promises'
import { randomSecret } from '../../crypto/random.ts'
import { sealedBy } from '../../crypto/seal.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { ConnectionRecord } from '../../stores/records.ts'
import { change } from '../../stores/change.ts'
import { UpstreamError } from '../../upstream/upstream.ts'
import type { Context } from '../config/context.ts'
import { isForgotten } from '../keys/key_register.ts'
import { isUsable, LEASE, release, renew, takeLease } from './connection.ts'
import { endConnection } from './end.ts'
import { openTokens, sealTokens } from './save.ts'

/** Milliseconds between two looks at a connection that somebody else refreshes. */
const PAUSE = 100
const MAX_LOOKS = ((LEASE + 5) * 1000) / PAUSE

/** @throws OAuthError `invalid_grant` when the user must sign in again, `temporarily_unavailable` */
export async function upstreamToken(context: Context, connectionId: string): Promise<string> {
  const holder = randomSecret(16)
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const found = await context.store.find('connection', connectionId)
    if (found !== undefined) await checkKey(context, found.record)
    const lease =
      found &&
      (await change(context.store, 'connection', found, (connection) =>
        takeLease(connection, holder, context.clock()),
      ))
    switch (lease?.outcome) {
      case undefined:
      case 'dead':
        throw signInAgain('the connection is gone or dead')
      case 'fresh':
        return await openAccessToken(context, lease.connection)
      case 'exhausted':
        if (
          await endConnection(context, lease.connection, 'the token is over, and no other came')
        ) {
          throw signInAgain('the upstream token has expired')
        }
        break
      case 'leased': {
        const token = await refresh(context, lease.next, holder)
        if (token !== undefined) return token
        break
      }
      case 'busy':
        // Ahead of time the token before still does; nobody has to wait.
        if (isUsable(lease.connection, context.clock())) {
          return await openAccessToken(context, lease.connection)
        }
        await setTimeout(PAUSE)
    }
  }
  throw unavailable(undefined)
}

/** The new access token; undefined when somebody else has the lease by now and the record says more. */
async function refresh(
  context: Context,
  leased: ConnectionRecord,
  holder: string,
): Promise<string | undefined> {
  const opened = await openOrEnd(context, leased)
  const { upstream } = context
  if (upstream.type !== 'redirect' || opened.refresh_token === undefined) {
    throw signInAgain('there is no upstream that could refresh it')
  }
  let tokens
  try {
    tokens = await upstream.refresh(opened.refresh_token, leased.token_endpoint)
  } catch (error) {
    return await afterFailure(context, leased, holder, opened.access_token, error)
  }
  const sealed = sealTokens(context, leased.id, tokens)
  const kept = await keep(context, leased, (connection) =>
    renew(connection, holder, sealed, context.clock()),
  )
  context.events.emit({ type: 'upstream_refreshed', subject: leased.subject, about: upstream.id })
  return kept === 'written' ? tokens.access_token : undefined
}

/** A rotating upstream has burnt the token before, so a store that fails for a moment is asked again. */
async function keep(
  context: Context,
  leased: ConnectionRecord,
  transition: (connection: ConnectionRecord) => ReturnType<typeof renew>,
): Promise<'written' | 'lost'> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found = await context.store.find('connection', leased.id)
      const result = found && (await change(context.store, 'connection', found, transition))
      return result?.outcome ?? 'lost'
    } catch (error) {
      if (attempt === 5) throw error
      await setTimeout(attempt * PAUSE)
    }
  }
}

async function afterFailure(
  context: Context,
  leased: ConnectionRecord,
  holder: string,
  access_token: string,
  error: unknown,
): Promise<string | undefined> {
  if (error instanceof UpstreamError && error.failure !== 'transient') {
    // Refused may be a token that was replaced since: then the new one is good.
    if (!(await endConnection(context, leased, error.message))) return undefined
    throw signInAgain('the upstream refused to refresh')
  }
  await keep(context, leased, (connection) => release(connection, holder))
  if (!(error instanceof UpstreamError)) throw error
  const { subject } = leased
  context.events.emit({ type: 'upstream_failed', subject, about: context.upstream.id, error })
  if (isUsable(leased, context.clock())) return access_token
  throw unavailable(error.retryAfter)
}

async function openAccessToken(context: Context, connection: ConnectionRecord): Promise<string> {
  return (await openOrEnd(context, connection)).access_token
}

/** A value that does not open under its own key was moved or damaged: nothing brings it back. */
async function openOrEnd(
  context: Context,
  connection: ConnectionRecord,
): Promise<{ access_token: string; refresh_token: string | undefined }> {
  const opened = openTokens(context, connection)
  if (opened !== undefined) return opened
  await endConnection(context, connection, 'a sealed token was moved or damaged')
  throw signInAgain('the sealed token does not open')
}

/**
 * What is sealed with a key that is not among ours is another instance's, with a newer keyring, or this
 * one was given the wrong keys. Either is a fault of this instance, and signs nobody out. Only what was
 * sealed with a key that its operator has lost is over.
 */
async function checkKey(
  context: Context,
  { subject, access_token }: ConnectionRecord,
): Promise<void> {
  const kid = sealedBy(access_token)
  if (kid === undefined || context.keys.find(kid) !== undefined) return
  const { store, config } = context
  if (await isForgotten({ store, issuer: config.issuer }, kid)) return
  const reason = `a token is sealed with the key ${kid}, which is not among the keys given`
  context.events.emit({ type: 'upstream_failed', subject, about: context.upstream.id, reason })
  throw unavailable(undefined)
}

function signInAgain(reason: string): OAuthError {
  return new OAuthError('invalid_grant', 'the connection to the upstream is over; sign in again', {
    reason,
  })
}

function unavailable(retryAfter: number | undefined): OAuthError {
  return new OAuthError('temporarily_unavailable', 'the upstream does not answer; try again', {
    retryAfter: retryAfter ?? 5,
  })
}

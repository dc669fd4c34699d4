/**
 * The upstream's token for who calls, as long as the sign-in lives.
 */
import { callerOf, type WithExtra } from '../../guard/caller.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { Context } from '../config/context.ts'
import { isLive } from '../grants/grant.ts'
import { upstreamToken } from './upstream_token.ts'

/**
 * @throws OAuthError `invalid_grant` when the user must sign in again, `temporarily_unavailable`
 * @throws TypeError where `authInfo` is not of this server, or the upstream has no tokens to give
 */
export async function callerToken(
  context: Context,
  authInfo: WithExtra | undefined,
): Promise<string> {
  const { grantId } = callerOf(authInfo).extra
  const found = await context.store.find('grant', grantId)
  if (found === undefined || !isLive(found.record, context.clock())) {
    throw new OAuthError('invalid_grant', 'the sign-in is over; sign in again')
  }
  const { connectionId } = found.record
  if (connectionId === undefined) {
    // The program asks for what its own configuration does not have.
    throw new TypeError('users sign in with the app itself: there is no upstream token')
  }
  return await upstreamToken(context, connectionId)
}

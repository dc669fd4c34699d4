/**
 * What a user has given a client before.
 */
import type { Context } from '../config/context.ts'
import { listGrants } from './begin.ts'
import { isLive } from './grant.ts'

/** As many as anybody has; the page does without the rest. */
const MAX_READ = 1000

/**
 * The scopes of a user's live grants at one client. Undefined where the user is not known yet, or has
 * none there, so that nothing needs to be marked as new.
 */
export async function grantedBefore(
  context: Context,
  subject: string | undefined,
  client_id: string,
): Promise<readonly string[] | undefined> {
  if (subject === undefined) return undefined
  const now = context.clock()
  const live = (await listGrants(context, subject, MAX_READ)).filter(
    ({ record }) => record.client_id === client_id && isLive(record, now),
  )
  return live.length === 0 ? undefined : live.flatMap(({ record }) => record.scope)
}

/**
 * The end of a connection, from either side: the upstream refused it, or its last grant is over.
 */
import type { ConnectionRecord, GrantRecord } from '../../stores/records.ts'
import { change } from '../../stores/change.ts'
import type { Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'
import { isLive } from '../grants/grant.ts'
import { endNow } from '../grants/welcome.ts'
import { die, letGo } from './connection.ts'
import { openTokens, sealNothing } from './save.ts'

/**
 * Marks a connection dead whose tokens the upstream refused, and ends every grant that lived by it.
 * False when a sign-in or another refresh has brought new tokens since `seen` was read.
 */
export async function endConnection(
  context: Context,
  seen: ConnectionRecord,
  reason: string,
): Promise<boolean> {
  const now = context.clock()
  const { id, subject } = seen
  // Read before the connection dies: a sign-in that brings it to life again has a grant of its own.
  const grants = await grantsOf(context, id)
  const found = await context.store.find('connection', id)
  const result =
    found && (await change(context.store, 'connection', found, (one) => die(one, seen, now)))
  if (result?.outcome === 'lost') return false
  context.events.emit({ type: 'upstream_failed', subject, about: context.upstream.id, reason })
  // A grant without tokens is of a sign-in that may not have saved its own connection yet. Its code is
  // refused where the connection is dead.
  for (const grant of grants.filter(({ record }) => record.code?.redeemedAt !== undefined)) {
    await endNow(context, grant, 'upstream_refused')
  }
  return true
}

/** Lets go of a connection whose last live grant has ended: here, and at the upstream as far as it can. */
export async function releaseConnection(context: Context, connectionId: string): Promise<void> {
  // Read before the grants are. A sign-in begins its grant first and saves the connection then, so it
  // is seen in the one or has moved the version of the other.
  const found = await context.store.find('connection', connectionId)
  if (found === undefined) return
  const now = context.clock()
  const grants = await grantsOf(context, connectionId)
  if (grants.some(({ record }) => isLive(record, now))) return
  // Emptied and left to the sweep: a sign-in that comes now writes to it, and loses nothing.
  const over = letGo(found.record, sealNothing(context, connectionId), now)
  if (!(await context.store.replace('connection', over, found.version))) return
  revokeUpstream(context, found.record)
}

/** Not waited for: the user's answer must not hang on somebody else's server. */
function revokeUpstream(context: Context, connection: ConnectionRecord): void {
  const { upstream } = context
  const tokens = openTokens(context, connection)
  if (upstream.type !== 'redirect' || tokens === undefined) return
  upstream.revoke(tokens).catch((error: unknown) => {
    const { subject } = connection
    context.events.emit({ type: 'upstream_failed', subject, about: upstream.id, error })
  })
}

async function grantsOf(
  context: Context,
  connectionId: string,
): Promise<readonly Versioned<GrantRecord>[]> {
  const rows: Versioned<GrantRecord>[] = []
  let cursor: string | undefined
  do {
    const page = await context.store.list('grant', 'connectionId', connectionId, {
      limit: 200,
      cursor,
    })
    rows.push(...page.rows)
    cursor = page.cursor
  } while (cursor !== undefined)
  return rows
}

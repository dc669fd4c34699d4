/**
 * The end of a connection, from either side: the upstream refused it, or its last grant is over.
 */
import type { ConnectionRecord, GrantRecord } from '../../stores/records.ts'
import { change } from '../../stores/change.ts'
import type { Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'
import { applyToGrant } from '../grants/apply.ts'
import { endGrant, isLive } from '../grants/grant.ts'
import { die } from './connection.ts'
import { openTokens } from './save.ts'

/** Marks a connection dead whose tokens the upstream refused, and ends every grant that lived by it. */
export async function endConnection(
  context: Context,
  seen: ConnectionRecord,
  reason: string,
): Promise<void> {
  const now = context.clock()
  const { id, subject } = seen
  const found = await context.store.find('connection', id)
  const result =
    found && (await change(context.store, 'connection', found, (one) => die(one, seen, now)))
  if (result?.outcome === 'lost') return
  context.events.emit({ type: 'upstream_failed', subject, about: context.upstream.id, reason })
  for (const grant of await grantsOf(context, id)) {
    if (grant.record.endedAt !== undefined) continue
    await applyToGrant(context, grant, (current) => ({
      grant: endGrant(current, 'upstream_refused', now),
    }))
    const { client_id } = grant.record
    context.events.emit({
      type: 'grant_ended',
      client_id,
      subject,
      grantId: grant.record.id,
      reason: 'upstream_refused',
    })
  }
}

/** Lets go of a connection whose last live grant has ended: here, and at the upstream as far as it can. */
export async function releaseConnection(context: Context, connectionId: string): Promise<void> {
  // Read before the grants are: a sign-in that comes in between moves the version, and keeps it.
  const found = await context.store.find('connection', connectionId)
  if (found === undefined) return
  const now = context.clock()
  const grants = await grantsOf(context, connectionId)
  if (grants.some(({ record }) => isLive(record, now))) return
  const over = { ...found.record, deadAt: now, expiresAt: now }
  if (!(await context.store.replace('connection', over, found.version))) return
  await context.store.take('connection', connectionId)
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

/**
 * Deleting what has expired: the set of each kind that is scored by expiry says where to look, the record
 * says whether it has. One that has moved on is scored anew.
 */
import { type Kind, KINDS } from './records.ts'
import { ask, type KeyedCommand, script } from './redis_executor.ts'
import { plainText } from './redis_keys.ts'
import { texts } from './redis_listing.ts'
import { NONE, readRecord } from './redis_record.ts'
import { dropExpiry, forget, type RedisPlace, tell } from './redis_records.ts'
import { EXPIRE } from './redis_scripts.ts'

// So many records are under way at once.
const BATCH = 100

/** Deletes at most `limit` records that have expired at `now`, and tells how many. */
export async function deleteExpired(
  place: RedisPlace,
  now: number,
  limit: number,
): Promise<number> {
  let deleted = 0
  for (const kind of KINDS) {
    for (;;) {
      const asked = Math.min(Math.trunc(limit) - deleted, BATCH)
      if (!(asked > 0)) return deleted
      const ids = await dueIds(place, kind, now, asked)
      const outcomes = await expire(place, kind, ids, now)
      deleted += outcomes.filter(Boolean).length
      if (ids.length < asked) break
    }
  }
  return deleted
}

async function dueIds(
  { executor, keys }: RedisPlace,
  kind: Kind,
  now: number,
  count: number,
): Promise<readonly string[]> {
  const key = keys.expiry(kind)
  const range = ['ZRANGEBYSCORE', key, '-inf', `${now}`, 'LIMIT', '0', `${count}`] as const
  return texts(await ask(executor, key, range)).map(plainText)
}

/** Whether each record has expired and this call has deleted it. */
async function expire(
  place: RedisPlace,
  kind: Kind,
  ids: readonly string[],
  now: number,
): Promise<readonly boolean[]> {
  if (ids.length === 0) return []
  const { executor, keys } = place
  const replies = await executor.sendAll(
    ids.map((id) => script(keys.record(kind, id), EXPIRE, [`${now}`, ...tell(place, kind, id)])),
  )
  return Promise.all(
    ids.map(async (id, at) => {
      const [expires = NONE, value] = texts(replies[at])
      const held = readRecord(value)
      if (held === undefined) await executor.send(scoreAnew(place, kind, id, expires))
      else await forget(place, kind, held)
      return held !== undefined
    }),
  )
}

function scoreAnew(place: RedisPlace, kind: Kind, id: string, expires: string): KeyedCommand {
  const drop = dropExpiry(place, kind, id)
  if (expires === NONE) return drop
  return { key: drop.key, command: ['ZADD', drop.key, 'XX', expires, ...drop.command.slice(2)] }
}

/**
 * Listings over Redis: hints in the order of ids, each checked against its record. A hint that fits
 * none is taken away when it is old enough that nobody can be about to write the record.
 */
import { isIndexed, pageLimit } from './listing.ts'
import type { Indexes, Kind, Records } from './records.ts'
import { ask, type Reply, script } from './redis_executor.ts'
import { behindHints, plainText, readHint } from './redis_keys.ts'
import { readRecord, type RedisRecord } from './redis_record.ts'
import { attempt, type RedisPlace } from './redis_records.ts'
import { PRUNE } from './redis_scripts.ts'
import type { Listing, Page, Versioned } from './store.ts'

export async function list<K extends Kind>(
  place: RedisPlace,
  kind: K,
  index: Indexes[K],
  value: string,
  page: Page,
): Promise<Listing<Records[K]>> {
  const key = place.keys.index(kind, index, value)
  const limit = pageLimit(page)
  const found: Versioned<Records[K]>[] = []
  const stale: string[] = []
  let from = page.cursor === undefined ? '-' : behindHints(page.cursor)
  while (found.length <= limit) {
    const count = limit + 1 - found.length
    const hints = await readHints(place, key, from, count)
    const records = await readRecords<K>(place, kind, hints)
    for (const [at, hint] of hints.entries()) {
      const held = records[at]
      if (held === undefined || !isIndexed(kind, held.record, index, value)) stale.push(hint)
      else {
        if (held.mark !== readHint(hint).mark) stale.push(hint)
        if (found.at(-1)?.record.id !== held.record.id) found.push(plain(held))
      }
    }
    if (hints.length < count) break
    from = `(${hints.at(-1)}`
  }
  if (stale.length > 0) await attempt(place, [script(key, PRUNE, stale)])
  const rows = found.slice(0, limit)
  return { rows, cursor: found.length > limit ? rows.at(-1)?.record.id : undefined }
}

async function readHints(
  { executor }: RedisPlace,
  key: string,
  from: string,
  count: number,
): Promise<readonly string[]> {
  const range = ['ZRANGEBYLEX', key, from, '+', 'LIMIT', '0', `${count}`] as const
  return texts(await ask(executor, key, range))
}

async function readRecords<K extends Kind>(
  { executor, keys }: RedisPlace,
  kind: K,
  hints: readonly string[],
): Promise<readonly (RedisRecord<K> | undefined)[]> {
  if (hints.length === 0) return []
  const replies = await executor.sendAll(
    hints.map((hint) => {
      const key = keys.record(kind, plainText(readHint(hint).keyed))
      return { key, command: ['GET', key] as const }
    }),
  )
  return replies.map((reply) => readRecord<K>(reply))
}

/** Without what only this driver keeps. */
export function plain<K extends Kind>({ record, version }: RedisRecord<K>): Versioned<Records[K]> {
  return { record, version }
}

/** A reply that is a list of texts. */
export function texts(reply: Reply): readonly string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}

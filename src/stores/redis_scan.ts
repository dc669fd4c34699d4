/**
 * Scans over Redis: SCAN on one primary after the other.
 *
 * A cursor of SCAN means something to the very process that gave it. It is kept together with that
 * process's run id, so that after a restart or a failover a scan is begun again and misses nothing.
 */
import { pageLimit } from './listing.ts'
import type { Kind, Records } from './records.ts'
import type { Command, Reply } from './redis_executor.ts'
import { plain, texts } from './redis_listing.ts'
import { readInfo } from './redis_policy.ts'
import { readRecord } from './redis_record.ts'
import type { RedisPlace } from './redis_records.ts'
import { type Listing, type Page, StoreUnavailable } from './store.ts'

interface Primary {
  readonly run: string
  ask(command: Command): Promise<Reply>
}

/** Where a scan is: the primaries to come, SCAN's cursor on the first, and keys that had no room. */
interface Position {
  readonly runs: readonly string[]
  readonly cursor: string
  readonly keys: readonly string[]
}

export async function scan<K extends Kind>(
  place: RedisPlace,
  kind: K,
  page: Page,
): Promise<Listing<Records[K]>> {
  const primaries = await readPrimaries(place)
  const limit = pageLimit(page)
  let position = readPosition(page.cursor, primaries)
  while (position.keys.length < limit && position.runs.length > 0) {
    position = await goOn(place, kind, position, primaries, limit)
  }
  const keys = position.keys.slice(0, limit)
  const rest = { ...position, keys: position.keys.slice(limit) }
  const done = rest.keys.length === 0 && rest.runs.length === 0
  const replies =
    keys.length === 0
      ? []
      : await place.executor.sendAll(keys.map((key) => ({ key, command: ['GET', key] })))
  const rows = replies.flatMap((reply) => {
    const held = readRecord<K>(reply)
    return held === undefined ? [] : [plain(held)]
  })
  return { rows, cursor: done ? undefined : JSON.stringify(rest) }
}

async function readPrimaries({ executor }: RedisPlace): Promise<readonly Primary[]> {
  const nodes = await executor.primaries()
  return Promise.all(
    nodes.map(async (node, at) => {
      const run = (await readInfo(node, 'server', 'run_id')) ?? `${at}`
      return { run, ask: node }
    }),
  )
}

function readPosition(cursor: string | undefined, primaries: readonly Primary[]): Position {
  if (cursor === undefined) {
    return { runs: primaries.map(({ run }) => run), cursor: '0', keys: [] }
  }
  const position = JSON.parse(cursor) as Position
  // Keys that are held may fill the page, and would hide that the scan cannot go on.
  if (position.runs.length > 0) primaryOf(position.runs, primaries)
  return position
}

function primaryOf([first]: readonly string[], primaries: readonly Primary[]): Primary {
  const primary = primaries.find(({ run }) => run === first)
  if (primary !== undefined) return primary
  throw new StoreUnavailable('another Redis has taken over within the scan; begin it again')
}

/** One more SCAN on the primary that is the first to come. */
async function goOn(
  { keys }: RedisPlace,
  kind: Kind,
  { runs, cursor, keys: held }: Position,
  primaries: readonly Primary[],
  limit: number,
): Promise<Position> {
  const primary = primaryOf(runs, primaries)
  const pattern = keys.pattern(kind)
  const count = `${Math.max(limit, 10)}`
  const reply = await primary.ask(['SCAN', cursor, 'MATCH', pattern, 'COUNT', count])
  const [next, found] = Array.isArray(reply) ? (reply as readonly Reply[]) : ['0', []]
  const more = [...held, ...texts(found)]
  if (String(next) === '0') return { runs: runs.slice(1), cursor: '0', keys: more }
  return { runs, cursor: String(next), keys: more }
}

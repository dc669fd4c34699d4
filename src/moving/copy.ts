/**
 * Copies everything from one store to another, live sessions included, and proves that both are equal.
 *
 * The source is the truth: what the target holds and the source has otherwise, is replaced, unless the
 * target is ahead, and then both differ at the end. So it may be repeated as often as it takes, but only
 * until a server works on the target: what has been deleted there since would come back.
 */
import {
  KINDS,
  type BaseRecord,
  type ConnectionRecord,
  type GrantRecord,
  type Kind,
  type Records,
} from '../stores/records.ts'
import { StoreUnavailable, type Store, type Versioned } from '../stores/store.ts'
import { canonical, createTally, type Tally } from './checksum.ts'

/** How a copy goes on: of `total` records of a kind, so many are there. */
export interface Progress {
  readonly kind: Kind
  readonly done: number
  readonly total: number
}

/** What one kind came to. */
export interface CopiedKind {
  readonly kind: Kind
  readonly source: Tally
  readonly target: Tally
}

const PAGE = 500
const MAX_ATTEMPTS = 10

/**
 * Copies what has not expired at `now` and gives both sides' tallies, taken afterwards. They differ where
 * the source changed meanwhile, or the target holds what the source does not.
 */
export async function copyStore(
  source: Store,
  target: Store,
  now: number,
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<readonly CopiedKind[]> {
  for (const kind of KINDS) {
    const total = (await tally(source, kind, now)).count
    let done = 0
    await eachPage(source, kind, now, async (rows) => {
      await Promise.all(rows.map(({ record }) => put(target, kind, record)))
      done += rows.length
      onProgress({ kind, done, total })
    })
  }
  const kinds: CopiedKind[] = []
  for (const kind of KINDS) {
    kinds.push({
      kind,
      source: await tally(source, kind, now),
      target: await tally(target, kind, now),
    })
  }
  return kinds
}

/** Whether both sides hold the same records. */
export function isEqualCopy(kinds: readonly CopiedKind[]): boolean {
  return kinds.every(({ source, target }) => source.checksum === target.checksum)
}

async function put<K extends Kind>(target: Store, kind: K, record: Records[K]): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (await target.insert(kind, record)) return
    const held = await target.find(kind, record.id)
    if (held === undefined) continue
    if (canonical(held.record) === canonical(record) || isAhead(held.record, record)) return
    if (await target.replace(kind, record, held.version)) return
  }
  throw new StoreUnavailable(`a ${kind} of the target changes under every attempt to write it`)
}

/**
 * Whether the target's record is certainly the later one: an end is final, a refresh family and a
 * connection only go on. What was revoked or rotated must not come back.
 */
function isAhead(held: object, record: object): boolean {
  const [target, source] = [stageOf(held), stageOf(record)]
  const at = target.findIndex((stage, index) => stage !== source[index])
  return at >= 0 && (target[at] ?? 0) > (source[at] ?? 0)
}

function stageOf(
  record: Partial<GrantRecord> & Partial<ConnectionRecord>,
): readonly [ended: number, redeemed: number, generation: number, updated: number] {
  const { endedAt, code, refresh, updatedAt } = record
  return [
    endedAt === undefined ? 0 : 1,
    code?.redeemedAt === undefined ? 0 : 1,
    refresh?.generation ?? 0,
    updatedAt ?? 0,
  ]
}

async function tally(store: Store, kind: Kind, now: number): Promise<Tally> {
  const sum = createTally()
  await eachPage(store, kind, now, async (rows) => {
    for (const { record } of rows) sum.add(record)
  })
  return sum.read()
}

async function eachPage<K extends Kind>(
  store: Store,
  kind: K,
  now: number,
  visit: (rows: readonly Versioned<Records[K]>[]) => Promise<void>,
): Promise<void> {
  let cursor: string | undefined
  do {
    const page = await store.scan(kind, { limit: PAGE, cursor })
    await visit(page.rows.filter(({ record }) => !isOver(record, now)))
    cursor = page.cursor
  } while (cursor !== undefined)
}

/** What has expired may be deleted at any moment, on either side. */
function isOver({ expiresAt }: BaseRecord, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now
}

/** Many records at once, and a clock that a test moves. */
import type { Kind, Records } from '../../src/stores/records.ts'
import type { Store } from '../../src/stores/store.ts'
import { NOW } from '../../src/testing/contract/samples.ts'

/** So many writes are under way at once. */
const GROUP = 500

export type Made = { readonly [K in Kind]: readonly [K, Records[K]] }[Kind]

/** Adds `count` records, each made from its number. */
export async function fill(store: Store, count: number, make: (at: number) => Made): Promise<void> {
  for (let from = 0; from < count; from += GROUP) {
    const numbers = Array.from({ length: Math.min(GROUP, count - from) }, (_, at) => from + at)
    await Promise.all(numbers.map((at) => add(store, make(at))))
  }
}

async function add(store: Store, [kind, record]: Made): Promise<void> {
  if (!(await store.insert(kind, record))) throw new Error(`${kind} ${record.id} is there already`)
}

/** Calls `step`, which tells how much it has done, until that is nothing. */
export async function untilNothing(step: () => Promise<number>): Promise<void> {
  while ((await step()) > 0);
}

/** The ids of a kind, in the order of a scan. */
export async function idsOf(store: Store, kind: Kind): Promise<readonly string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await store.scan(kind, { limit: 1000, cursor })
    ids.push(...page.rows.map(({ record }) => record.id))
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids
}

/** A clock at NOW that stands still until it is moved. */
export function createClock(): { clock(): number; advance(seconds: number): void } {
  let now = NOW
  return { clock: () => now, advance: (seconds) => void (now += seconds) }
}

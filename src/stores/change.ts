/**
 * Carries a pure transition to a store: read, decide, compare-and-set, and again when somebody else was
 * faster. The store's answer says who won.
 */
import type { Kind, Records } from './records.ts'
import { StoreUnavailable, type Store, type Versioned } from './store.ts'

/** What a transition gives: an outcome, and the next record where there is something to write. */
export interface Transition<R> {
  readonly outcome?: string
  readonly next?: R | undefined
}

// In each round of a race one writer wins. So many may race for one record, and none is turned away.
const MAX_ATTEMPTS = 100

/**
 * Applies `transition` until its result is written or it has nothing to write. `found` spares the first
 * read. Undefined when the record is gone.
 * @throws StoreUnavailable also when 100 others were faster, one after the other.
 */
export async function change<K extends Kind, T extends Transition<Records[K]>>(
  store: Store,
  kind: K,
  found: Versioned<Records[K]>,
  transition: (record: Records[K]) => T,
): Promise<T | undefined> {
  let current: Versioned<Records[K]> | undefined = found
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (current === undefined) return undefined
    const result = transition(current.record)
    if (result.next === undefined || result.next === current.record) return result
    if (await store.replace(kind, result.next, current.version)) return result
    current = await store.find(kind, found.record.id)
  }
  throw new StoreUnavailable(`the ${kind} changed under every attempt to write it`)
}

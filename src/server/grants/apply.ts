/**
 * Carries a pure transition of a grant to the store: read, decide, compare-and-set, and again when
 * somebody else was faster. The store's answer says who won.
 */
import type { GrantRecord } from '../../stores/records.ts'
import { StoreUnavailable, type Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'

/** What a transition gives: an outcome, and the next grant where there is something to write. */
export interface Transition {
  readonly outcome?: string
  readonly grant?: GrantRecord
}

// In each round of a race one writer wins. So many may race for one grant, and none is turned away.
const MAX_ATTEMPTS = 100

/**
 * Applies `transition` until its result is written or it has nothing to write. `found` spares the first
 * read. Undefined when the grant is gone.
 * @throws StoreUnavailable also when 100 others were faster, one after the other.
 */
export async function applyToGrant<T extends Transition>(
  context: Context,
  found: Versioned<GrantRecord>,
  transition: (grant: GrantRecord) => T,
): Promise<T | undefined> {
  let current: Versioned<GrantRecord> | undefined = found
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (current === undefined) return undefined
    const result = transition(current.record)
    if (result.grant === undefined || result.grant === current.record) return result
    if (await context.store.replace('grant', result.grant, current.version)) return result
    current = await context.store.find('grant', found.record.id)
  }
  throw new StoreUnavailable('the grant changed under every attempt to write it')
}

/**
 * Carries a pure transition of a grant to the store.
 */
import { change } from '../../stores/change.ts'
import type { GrantRecord } from '../../stores/records.ts'
import type { Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'

/** What a transition gives: an outcome, and the next grant where there is something to write. */
export interface Transition {
  readonly outcome?: string
  readonly grant?: GrantRecord
}

/**
 * Applies `transition` until its result is written or it has nothing to write. `found` spares the first
 * read. Undefined when the grant is gone.
 * @throws StoreUnavailable also when 100 others were faster, one after the other.
 */
export async function applyToGrant<T extends Transition>(
  { store }: Context,
  found: Versioned<GrantRecord>,
  transition: (grant: GrantRecord) => T,
): Promise<T | undefined> {
  const changed = await change(store, 'grant', found, (grant) => {
    const result = transition(grant)
    return { next: result.grant, result }
  })
  return changed?.result
}

/**
 * The store contract as a test suite, for every driver, ours and yours, and for any runner: it takes
 * `describe` and `it` from the runner and asserts with node:assert.
 *
 *     storeContract({ describe, it, createStore: () => myStore(freshDatabase()) })
 */
import type { Store } from '../stores/store.ts'
import type { ContractTest } from './contract/contract_test.ts'
import { expiryContract } from './contract/expiry.ts'
import { listingContract } from './contract/listings.ts'
import { modelContract } from './contract/model.ts'
import { raceContract } from './contract/races.ts'
import { scanContract } from './contract/scans.ts'
import { textContract } from './contract/texts.ts'
import { verbContract } from './contract/verbs.ts'
import { watchContract } from './contract/watch.ts'

export interface StoreContractOptions {
  /** Groups tests: `describe` of vitest, jest, mocha or node:test. */
  readonly describe: (title: string, body: () => void) => unknown
  /** One test: `it` of the same runner. */
  readonly it: (title: string, body: () => Promise<void>) => unknown
  /** A store with nothing in it, made anew for each test, which closes it. */
  readonly createStore: () => Store | Promise<Store>
  /**
   * Two stores over the same fresh data, as two instances of a server have them. Left out where that
   * cannot be; then the races run within one store only, and `watch` is not tested.
   */
  readonly createPair?: (() => Promise<readonly [Store, Store]>) | undefined
}

const GROUPS: readonly (readonly [string, readonly ContractTest[]])[] = [
  ['verbs', verbContract],
  ['races', raceContract],
  ['texts', textContract],
  ['listings', listingContract],
  ['scans', scanContract],
  ['expiry', expiryContract],
  ['model', modelContract],
]

/** Declares the whole contract as tests of the runner. */
export function storeContract(options: StoreContractOptions): void {
  for (const [group, tests] of GROUPS) {
    options.describe(group, () => {
      for (const test of tests) declare(options, test)
    })
  }
  const { createPair } = options
  if (createPair === undefined) return
  options.describe('two instances', () => {
    for (const [title, body] of [...raceContract, ...modelContract, ...watchContract]) {
      options.it(title, async () => withStores(await createPair(), body))
    }
  })
}

function declare(options: StoreContractOptions, [title, body]: ContractTest): void {
  options.it(title, async () => {
    const store = await options.createStore()
    await withStores([store, store], body)
  })
}

async function withStores(
  [store, twin]: readonly [Store, Store],
  body: ContractTest[1],
): Promise<void> {
  try {
    await body(store, twin)
  } finally {
    await store.close()
    await twin.close()
  }
}

import type { Store } from '../../stores/store.ts'

/** One test of the contract: a title, and what is done with a fresh store and its twin. */
export type ContractTest = readonly [
  title: string,
  body: (store: Store, twin: Store) => Promise<void>,
]

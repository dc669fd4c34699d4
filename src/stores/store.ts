/**
 * The store contract: five verbs over versioned records, and `scan` for moving them.
 *
 * A step that can be raced is one call whose result says who won. Acknowledged means durable: what was
 * answered survives a kill of the process. A store that cannot answer throws, and is never taken for
 * one that answered no. `testing/store_contract.ts` is this contract as a test suite.
 */
import type { Indexes, Kind, Records } from './records.ts'

/** A record and the version it was read at. Versions are positive integers and grow with each change. */
export interface Versioned<R> {
  readonly record: R
  readonly version: number
}

/** Where a listing goes on, and how many rows it may bring (1 to 1000). */
export interface Page {
  readonly limit: number
  readonly cursor?: string | undefined
}

/** One page of a listing and the cursor of the next, which is undefined at the end. */
export interface Listing<R> {
  readonly rows: readonly Versioned<R>[]
  readonly cursor: string | undefined
}

/** The contract. Every method may throw `StoreUnavailable`; nothing else is thrown but bugs. */
export interface Store {
  /** The record, expired or not; undefined when there is none. */
  find<K extends Kind>(kind: K, id: string): Promise<Versioned<Records[K]> | undefined>
  /** Adds a record at version 1. False when the id exists. */
  insert<K extends Kind>(kind: K, record: Records[K]): Promise<boolean>
  /** Replaces the record if it still has `version`, which grows by one. False when it moved or is gone. */
  replace<K extends Kind>(kind: K, record: Records[K], version: number): Promise<boolean>
  /** Removes and returns; of many callers one gets the record, the others undefined. */
  take<K extends Kind>(kind: K, id: string): Promise<Records[K] | undefined>
  /** The records whose `index` has `value`, in the order of ids. */
  list<K extends Kind>(
    kind: K,
    index: Indexes[K],
    value: string,
    page: Page,
  ): Promise<Listing<Records[K]>>
  /**
   * Every record of a kind, page by page in no promised order: for moving, and for sealing anew. What is
   * there from the first page to the last comes at least once; what comes and goes meanwhile may.
   */
  scan<K extends Kind>(kind: K, page: Page): Promise<Listing<Records[K]>>
  /** Deletes at most `limit` records whose `expiresAt` is at or before `now`; tells how many. */
  deleteExpired(now: number, limit: number): Promise<number>
  /** Finishes what is under way and lets go of everything. May be called twice. */
  close(): Promise<void>
  /**
   * Calls `listener` when a grant was changed by another process, and with undefined when changes may
   * have been missed. Answers once the feed is live, with a function that stops it. Who hears undefined
   * watches anew. Absent where the engine has no such feed.
   */
  watch?(listener: (grantId: string | undefined) => void): Promise<() => Promise<void>>
}

/** The store did not answer: an outage, never a "no". The router answers 503. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable'
}

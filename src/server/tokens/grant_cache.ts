/**
 * The grants that the guard has read within this second, where the store tells of changes elsewhere.
 *
 * Three things keep it true. A write of this process drops the grant before it is answered; the store's
 * feed drops what others write; and nothing outlives the second in which it was read, so that even a
 * feed that died in silence delays a revocation by a second at most. While the feed is down, and for a
 * store without one, every grant is read from the store.
 */
import type { GrantRecord, Kind } from '../../stores/records.ts'
import type { Store } from '../../stores/store.ts'

export interface GrantCache {
  /** The store, whose writes to a grant drop it from the cache, and whose close ends the feed. */
  readonly store: Store
  /** The grant as it is now. @throws StoreUnavailable */
  find(id: string): Promise<GrantRecord | undefined>
}

interface State {
  readonly store: Store
  readonly clock: () => number
  readonly held: Map<string, GrantRecord>
  /** The second in which everything held was read. */
  second: number
  /** Grows with everything that may make a read under way stale. */
  changes: number
  feed: 'down' | 'opening' | 'live' | 'closed'
  stop: (() => Promise<void>) | undefined
}

const MAX_HELD = 10_000

/** A cache before `store`, by the seconds of `clock`. The feed is opened by the first `find`. */
export function createGrantCache(store: Store, clock: () => number): GrantCache {
  if (store.watch === undefined) return { store, find: (id) => read(store, id) }
  const state: State = {
    store,
    clock,
    held: new Map(),
    second: -1,
    changes: 0,
    feed: 'down',
    stop: undefined,
  }
  return { store: telling(state), find: (id) => find(state, id) }
}

async function read(store: Store, id: string): Promise<GrantRecord | undefined> {
  return (await store.find('grant', id))?.record
}

async function find(state: State, id: string): Promise<GrantRecord | undefined> {
  const second = state.clock()
  if (second !== state.second) beginSecond(state, second)
  const held = state.held.get(id)
  if (held !== undefined) return held
  const { changes } = state
  const grant = await read(state.store, id)
  const isTrue = state.feed === 'live' && state.changes === changes
  if (grant !== undefined && isTrue && state.held.size < MAX_HELD) state.held.set(id, grant)
  return grant
}

/** A feed that broke is opened again in the next second in which somebody asks. */
function beginSecond(state: State, second: number): void {
  state.second = second
  forgetAll(state)
  if (state.feed === 'down') void openFeed(state)
}

function forget(state: State, id: string): void {
  state.changes += 1
  state.held.delete(id)
}

function forgetAll(state: State): void {
  state.changes += 1
  state.held.clear()
}

async function openFeed(state: State): Promise<void> {
  state.feed = 'opening'
  let broken = false
  const listener = (grantId: string | undefined): void => {
    if (broken) return
    if (grantId !== undefined) return forget(state, grantId)
    forgetAll(state)
    // Until the feed is open there is nothing held that could have missed something.
    if (state.feed !== 'live') return
    broken = true
    endFeed(state, 'down')
  }
  try {
    state.stop = await state.store.watch?.(listener)
    if (isClosed(state)) return endFeed(state, 'closed')
    forgetAll(state)
    state.feed = 'live'
  } catch {
    if (!isClosed(state)) state.feed = 'down'
  }
}

/** The store may have been closed while the feed was being opened. */
function isClosed(state: State): boolean {
  return state.feed === 'closed'
}

function endFeed(state: State, feed: 'down' | 'closed'): void {
  const { stop } = state
  state.feed = feed
  state.stop = undefined
  forgetAll(state)
  // Of a feed that broke, nothing is left to stop.
  stop?.().catch(() => undefined)
}

/** The store with an eye on its writes. One that failed may have been done all the same. */
function telling(state: State): Store {
  const { store } = state
  async function told<T>(kind: Kind, id: string, write: Promise<T>): Promise<T> {
    try {
      return await write
    } finally {
      if (kind === 'grant') forget(state, id)
    }
  }
  return {
    find: (kind, id) => store.find(kind, id),
    insert: (kind, record) => store.insert(kind, record),
    replace: (kind, record, version) => told(kind, record.id, store.replace(kind, record, version)),
    take: (kind, id) => told(kind, id, store.take(kind, id)),
    list: (kind, index, value, page) => store.list(kind, index, value, page),
    scan: (kind, page) => store.scan(kind, page),
    deleteExpired: (now, limit) => store.deleteExpired(now, limit),
    async close() {
      endFeed(state, 'closed')
      await store.close()
    },
    watch: async (listener) => (await store.watch?.(listener)) ?? (async () => undefined),
  }
}

/**
 * The store in this process's memory: for tests, demos, and servers that may forget.
 *
 * It keeps the contract to the letter except that nothing outlives the process. What it holds is a
 * frozen copy, so that neither who put a record in nor who read it can change what is stored.
 */
import { isIndexed, pageLimit } from './listing.ts'
import { indexEntries, type Indexes, type Kind, KINDS, type Records } from './records.ts'
import { type Listing, type Page, type Store, StoreUnavailable, type Versioned } from './store.ts'
import { createSortedIds, type SortedIds } from './sorted_ids.ts'

type Tables = { readonly [K in Kind]: Map<string, Versioned<Records[K]>> }

interface Memory {
  readonly tables: Tables
  /** The ids of a kind by index and value. */
  readonly indexes: Map<string, SortedIds>
  closed: boolean
}

/** A store that lives and ends with this process. */
export function memory(): Store {
  const state: Memory = { tables: createTables(), indexes: new Map(), closed: false }
  return {
    find: async (kind, id) => open(state)[kind].get(id),
    insert: async (kind, record) => insert(state, kind, record),
    replace: async (kind, record, version) => replace(state, kind, record, version),
    take: async (kind, id) => take(state, kind, id),
    list: async (kind, index, value, page) => list(state, kind, index, value, page),
    deleteExpired: async (now, limit) => deleteExpired(state, now, limit),
    close: async () => {
      state.closed = true
    },
  }
}

function createTables(): Tables {
  return {
    client: new Map(),
    ticket: new Map(),
    grant: new Map(),
    connection: new Map(),
    claim: new Map(),
    event: new Map(),
  }
}

function open(state: Memory): Tables {
  if (state.closed) throw new StoreUnavailable('the memory store is closed')
  return state.tables
}

function insert<K extends Kind>(state: Memory, kind: K, record: Records[K]): boolean {
  const table = open(state)[kind]
  if (table.has(record.id)) return false
  put(state, kind, record, 1)
  return true
}

function replace<K extends Kind>(
  state: Memory,
  kind: K,
  record: Records[K],
  version: number,
): boolean {
  const held = open(state)[kind].get(record.id)
  if (held === undefined || held.version !== version) return false
  unindex(state, kind, held.record)
  put(state, kind, record, version + 1)
  return true
}

function take<K extends Kind>(state: Memory, kind: K, id: string): Records[K] | undefined {
  const table = open(state)[kind]
  const held = table.get(id)
  if (held === undefined) return undefined
  table.delete(id)
  unindex(state, kind, held.record)
  return held.record
}

function list<K extends Kind>(
  state: Memory,
  kind: K,
  index: Indexes[K],
  value: string,
  page: Page,
): Listing<Records[K]> {
  const table = open(state)[kind]
  const limit = pageLimit(page)
  const ids = state.indexes.get(place(kind, index, value))?.after(page.cursor, limit + 1) ?? []
  const rows = ids.slice(0, limit).flatMap((id) => {
    const held = table.get(id)
    return held !== undefined && isIndexed(kind, held.record, index, value) ? [held] : []
  })
  return { rows, cursor: ids.length > limit ? ids[limit - 1] : undefined }
}

function deleteExpired(state: Memory, now: number, limit: number): number {
  const tables = open(state)
  let deleted = 0
  for (const kind of KINDS) {
    for (const [id, { record }] of tables[kind]) {
      if (deleted >= limit) return deleted
      if (record.expiresAt === undefined || record.expiresAt > now) continue
      take(state, kind, id)
      deleted += 1
    }
  }
  return deleted
}

function put<K extends Kind>(state: Memory, kind: K, record: Records[K], version: number): void {
  const copy = frozenCopy(record)
  state.tables[kind].set(copy.id, Object.freeze({ record: copy, version }))
  for (const [index, value] of indexEntries(kind, copy)) {
    const at = place(kind, index, value)
    const ids = state.indexes.get(at) ?? createSortedIds()
    ids.add(copy.id)
    state.indexes.set(at, ids)
  }
}

function unindex<K extends Kind>(state: Memory, kind: K, record: Records[K]): void {
  for (const [index, value] of indexEntries(kind, record)) {
    const at = place(kind, index, value)
    const ids = state.indexes.get(at)
    ids?.remove(record.id)
    if (ids?.size() === 0) state.indexes.delete(at)
  }
}

function place(kind: Kind, index: string, value: string): string {
  return `${kind}/${index}/${value}`
}

const ours = new WeakSet<object>()

/**
 * A copy that is frozen all the way down, without the members that are undefined. What this store has
 * frozen before is shared, so a new version of a record costs only what changed.
 */
function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ours.has(value)) return value
  const copy = Object.freeze(Array.isArray(value) ? value.map(frozenCopy) : copyMembers(value))
  ours.add(copy)
  return copy as T
}

function copyMembers(value: object): object {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      member === undefined ? [] : [[name, frozenCopy(member)]],
    ),
  )
}

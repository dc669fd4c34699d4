/**
 * The store in this process's memory: for tests, demos, and servers that may forget.
 *
 * It keeps the contract to the letter except that nothing outlives the process. What it holds is a
 * frozen copy, so that neither who put a record in nor who read it can change what is stored.
 */
import { isIndexed, pageLimit } from './listing.ts'
import { createMemoryIndex, type MemoryIndex } from './memory_index.ts'
import { type Indexes, type Kind, KINDS, type Records } from './records.ts'
import { type Listing, type Page, type Store, StoreUnavailable, type Versioned } from './store.ts'

type Tables = { readonly [K in Kind]: Map<string, Held<Records[K]>> }

/** A row, and its place in the order in which records came. A replacement keeps the place. */
interface Held<R> {
  readonly row: Versioned<R>
  readonly place: number
}

interface Memory {
  readonly tables: Tables
  readonly index: MemoryIndex
  /** How many records ever came. */
  places: number
  closed: boolean
}

/** A store that lives and ends with this process. */
export function memory(): Store {
  const state: Memory = {
    tables: createTables(),
    index: createMemoryIndex(),
    places: 0,
    closed: false,
  }
  return {
    find: async (kind, id) => open(state)[kind].get(id)?.row,
    insert: async (kind, record) => insert(state, kind, record),
    replace: async (kind, record, version) => replace(state, kind, record, version),
    take: async (kind, id) => take(state, kind, id),
    list: async (kind, index, value, page) => list(state, kind, index, value, page),
    scan: async (kind, page) => scan(state, kind, page),
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
  state.places += 1
  state.index.add(kind, put(state, kind, { record, version: 1 }, state.places))
  return true
}

function replace<K extends Kind>(
  state: Memory,
  kind: K,
  record: Records[K],
  version: number,
): boolean {
  const held = open(state)[kind].get(record.id)
  if (held?.row.version !== version) return false
  const next = put(state, kind, { record, version: version + 1 }, held.place)
  state.index.move(kind, held.row.record, next)
  return true
}

function take<K extends Kind>(state: Memory, kind: K, id: string): Records[K] | undefined {
  const table = open(state)[kind]
  const held = table.get(id)
  if (held === undefined) return undefined
  table.delete(id)
  state.index.remove(kind, held.row.record)
  return held.row.record
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
  const ids = state.index.find(kind, index, value, page.cursor, limit + 1)
  const rows = ids.slice(0, limit).flatMap((id) => {
    const row = table.get(id)?.row
    return row !== undefined && isIndexed(kind, row.record, index, value) ? [row] : []
  })
  return { rows, cursor: ids.length > limit ? ids[limit - 1] : undefined }
}

function scan<K extends Kind>(state: Memory, kind: K, page: Page): Listing<Records[K]> {
  const limit = pageLimit(page)
  const after = Number(page.cursor ?? 0)
  const rows: Versioned<Records[K]>[] = []
  let last = after
  // A map keeps the order in which records came, and one that is taken and comes again comes last.
  for (const { row, place } of open(state)[kind].values()) {
    if (place <= after) continue
    if (rows.length === limit) return { rows, cursor: `${last}` }
    rows.push(row)
    last = place
  }
  return { rows, cursor: undefined }
}

function deleteExpired(state: Memory, now: number, limit: number): number {
  const tables = open(state)
  let deleted = 0
  for (const kind of KINDS) {
    for (const [id, { row }] of tables[kind]) {
      if (deleted >= limit) return deleted
      if (row.record.expiresAt === undefined || row.record.expiresAt > now) continue
      take(state, kind, id)
      deleted += 1
    }
  }
  return deleted
}

function put<K extends Kind>(
  state: Memory,
  kind: K,
  row: Versioned<Records[K]>,
  place: number,
): Records[K] {
  const copy = frozenCopy(row.record)
  state.tables[kind].set(copy.id, {
    row: Object.freeze({ record: copy, version: row.version }),
    place,
  })
  return copy
}

/** A copy that is frozen all the way down; what is so already cannot change and is shared. */
function frozenCopy<T>(value: T): T {
  if (isFrozen(value)) return value
  // Not by assignment to a new object, which would take a member named __proto__ for the prototype.
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as { [name: string]: unknown }
  for (const name of Object.keys(copy)) {
    const member = copy[name]
    if (typeof member === 'object') copy[name] = frozenCopy(member)
  }
  return Object.freeze(copy) as T
}

function isFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(isFrozen)
}

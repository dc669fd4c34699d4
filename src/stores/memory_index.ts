/** The index of the memory store: for each kind, index and value the ids that have it, in order. */
import { indexEntries, isIndexedAlike, type Kind, type Records } from './records.ts'
import { addSorted, idsAfter, removeSorted } from './sorted_ids.ts'

export interface MemoryIndex {
  add<K extends Kind>(kind: K, record: Records[K]): void
  remove<K extends Kind>(kind: K, record: Records[K]): void
  /** Moves an id from the values of one version of its record to those of the next. */
  move<K extends Kind>(kind: K, from: Records[K], to: Records[K]): void
  /** At most `limit` ids after `cursor`. */
  find(kind: Kind, index: string, value: string, cursor: string | undefined, limit: number): Ids
}

type Ids = readonly string[]

/** An index with nothing in it. */
export function createMemoryIndex(): MemoryIndex {
  const places = new Map<string, string[]>()
  const index: MemoryIndex = {
    add(kind, record) {
      for (const entry of indexEntries(kind, record)) addId(places, place(kind, entry), record.id)
    },
    remove(kind, record) {
      for (const entry of indexEntries(kind, record))
        removeId(places, place(kind, entry), record.id)
    },
    move(kind, from, to) {
      if (isIndexedAlike(kind, from, to)) return
      index.remove(kind, from)
      index.add(kind, to)
    },
    find(kind, name, value, cursor, limit) {
      return idsAfter(places.get(place(kind, [name, value])) ?? [], cursor, limit)
    },
  }
  return index
}

type Entry = readonly [name: string, value: string]

function place(kind: Kind, [name, value]: Entry): string {
  return `${kind}/${name}/${value}`
}

function addId(places: Map<string, string[]>, at: string, id: string): void {
  const ids = places.get(at)
  if (ids === undefined) places.set(at, [id])
  else addSorted(ids, id)
}

function removeId(places: Map<string, string[]>, at: string, id: string): void {
  const ids = places.get(at)
  if (ids === undefined) return
  removeSorted(ids, id)
  if (ids.length === 0) places.delete(at)
}

/** The notes of every user, in one JSON file. */
import { openJsonFile } from './json_file.ts'

export interface Note {
  readonly id: number
  readonly text: string
}

export interface Notes {
  list(user: string): readonly Note[]
  add(user: string, text: string): Note
  /** False when the user has no such note. */
  remove(user: string, id: number): boolean
}

interface Kept {
  lastId: number
  readonly users: { [user: string]: readonly Note[] }
}

const FIRST: readonly Note[] = [{ id: 1, text: 'Try add_note, then delete_note.' }]

export function openNotes(path: string): Notes {
  const { value: kept, save } = openJsonFile<Kept>(path, () => ({ lastId: 1, users: {} }))
  const of = (user: string): readonly Note[] =>
    Object.hasOwn(kept.users, user) ? (kept.users[user] ?? []) : FIRST
  const put = (user: string, notes: readonly Note[]): void => {
    kept.users[user] = notes
    save()
  }
  return {
    list: of,
    add(user, text) {
      const note = { id: (kept.lastId += 1), text }
      put(user, [...of(user), note])
      return note
    },
    remove(user, id) {
      const left = of(user).filter((note) => note.id !== id)
      const removed = left.length < of(user).length
      if (removed) put(user, left)
      return removed
    },
  }
}

/** A JSON value in a file that only its owner may read, replaced as a whole. Enough for a demo. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'

export interface JsonFile<T> {
  readonly value: T
  /** Writes `value` as it is now. */
  save(): void
}

/** What stands at `path`, or what `make` gives, which is then written there. */
export function openJsonFile<T>(path: string, make: () => T): JsonFile<T> {
  const known = read(path)
  const value = known === undefined ? make() : (JSON.parse(known) as T)
  const save = (): void => {
    writeFileSync(`${path}.new`, JSON.stringify(value, undefined, 2), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  if (known === undefined) save()
  return { value, save }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

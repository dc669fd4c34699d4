/** What a store has left on the disk. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The files that were changed since `since`, in milliseconds. */
export function bytesBelow(directory: string, since: number): readonly Buffer[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).mtimeMs >= since)
    .map((path) => readFileSync(path))
}

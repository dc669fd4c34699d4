/**
 * Whether SQLite could work where the settings put it. Only the file system is asked, nothing is opened.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Plan } from '../gateway/plan.ts'

/** The faults of the place, with what mends them. */
export function judgeStorePlace(store: Plan['store']): readonly string[] {
  if (!('type' in store) || store.type !== 'sqlite' || store.path === ':memory:') return []
  const file = resolve(store.path)
  const found = statSync(file, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile()) {
    return [`store: ${file} is not a file; name another path`]
  }
  const folder = dirname(file)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return [`store: there is no directory ${folder}; make it, or name another path`]
  }
  // SQLite writes beside the file, so it needs the directory too.
  const needed = found === undefined ? [folder] : [folder, file]
  return needed
    .filter((path) => !isOurs(path))
    .map((path) => `store: this user may not read and write ${path}`)
}

function isOurs(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

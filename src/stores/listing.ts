/**
 * What every driver's listing has in common: how many rows a page may bring, and the check of a row
 * against its record. An index is a hint, so a row that it names may have moved since.
 */
import { indexEntries, type Kind, type Records } from './records.ts'
import type { Page } from './store.ts'

/** How many rows a page brings: what was asked for, within 1 to 1000. */
export function pageLimit(page: Page): number {
  return Math.min(Math.max(Math.trunc(page.limit) || 1, 1), 1000)
}

/** Whether the record says itself that its `index` has `value`. */
export function isIndexed<K extends Kind>(
  kind: K,
  record: Records[K],
  index: string,
  value: string,
): boolean {
  return indexEntries(kind, record).some(([name, held]) => name === index && held === value)
}

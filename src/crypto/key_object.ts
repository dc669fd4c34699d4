/**
 * What a key of the ring is to node:crypto. It stands apart from the ring, whose types go out with the
 * doors: theirs must not need Node's.
 */
import type { KeyObject } from 'node:crypto'
import type { Key, Purpose } from './keyring.ts'

/** The key for one purpose, derived once and kept. */
export function keyObject(key: Key, purpose: Purpose): KeyObject {
  return key.derive(purpose) as object as KeyObject
}

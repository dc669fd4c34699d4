/**
 * A record as it goes to Redis and as it comes from there.
 */
import { sha256 } from '../crypto/hash.ts'
import { indexEntries, type Kind, type Records } from './records.ts'
import type { Reply } from './redis_executor.ts'
import type { Versioned } from './store.ts'

/** A record taken down when the verb was called. */
export interface RedisDraft {
  readonly kind: Kind
  readonly id: string
  readonly expiresAt: number | undefined
  readonly json: string
  readonly entries: readonly (readonly [index: string, value: string])[]
  /** Of `entries`. */
  readonly fingerprint: string
}

/** A record that was read. */
export interface RedisRecord<K extends Kind> extends Versioned<Records[K]> {
  /** When it expires, as it is scored. */
  readonly expires: string
  readonly fingerprint: string
  /** The mark of its hints; `-` when it has none. */
  readonly mark: string
}

/** What stands for a time that never comes, and for hints that are not there. */
export const NONE = '-'

/** The draft of `record`. */
export function createDraft<K extends Kind>(kind: K, record: Records[K]): RedisDraft {
  const entries = indexEntries(kind, record)
  const fingerprint = entries.length === 0 ? NONE : sha256(JSON.stringify(entries)).slice(0, 16)
  const { id, expiresAt } = record
  return { kind, id, expiresAt, json: JSON.stringify(record), entries, fingerprint }
}

/** The record in a reply; undefined where there is none, or one that was taken a moment ago. */
export function readRecord<K extends Kind>(reply: Reply): RedisRecord<K> | undefined {
  if (typeof reply !== 'string' || reply.startsWith('0 ')) return undefined
  const end = reply.indexOf('\n')
  const [version, expires = NONE, fingerprint = NONE, mark = NONE] = reply.slice(0, end).split(' ')
  const record = JSON.parse(reply.slice(end + 1)) as Records[K]
  return { record, version: Number(version), expires, fingerprint, mark }
}

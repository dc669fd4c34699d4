/**
 * The re-sealing pass: what older keys have sealed is opened and sealed anew with the newest.
 *
 * Each record is one compare-and-set, and every key of the ring opens at all times. So the pass may run
 * beside servers at work, be killed at any moment, and be run again: it only ever has less to do.
 */
import type { Keyring } from '../crypto/keyring.ts'
import { open, seal, sealedBy, type Place, type Sealed } from '../crypto/seal.ts'
import { change } from '../stores/change.ts'
import type { Kind, Records } from '../stores/records.ts'
import type { Store, Versioned } from '../stores/store.ts'

/** What is sealed in a store. */
export interface SealCount {
  /** Sealed values by the short name of the key that sealed them, keys that are not in the ring included. */
  readonly byKid: ReadonlyMap<string, number>
  /** Values that no key given opens: their key is missing, or they were moved or damaged. */
  readonly unopenable: number
  /** When the last token that is out now expires, seconds since the epoch; undefined when there is none. */
  readonly tokensUntil: number | undefined
}

type SealedKind = 'connection' | 'ticket'

/** The sealed fields of a kind, and the last part of the place that each is sealed for. */
const SEALED = {
  connection: [
    ['access_token', 'access_token'],
    ['refresh_token', 'refresh_token'],
  ],
  ticket: [['upstreamSecrets', 'upstream']],
} as const

const KINDS: readonly SealedKind[] = ['ticket', 'connection']
const PAGE = 200

/** Counts, and writes nothing. */
export async function countSeals(store: Store, keys: Keyring): Promise<SealCount> {
  const byKid = new Map<string, number>()
  let unopenable = 0
  for (const kind of KINDS) {
    const seen = new Set<string>()
    await eachPage(store, kind, async (rows) => {
      for (const { record } of rows.filter(({ record: { id } }) => !seen.has(id))) {
        seen.add(record.id)
        for (const { sealed, place } of sealsOf(kind, record)) {
          const kid = sealedBy(sealed) ?? '?'
          byKid.set(kid, (byKid.get(kid) ?? 0) + 1)
          if (open(keys, sealed, place) === undefined) unopenable += 1
        }
      }
    })
  }
  return { byKid, unopenable, tokensUntil: await lastExpiry(store) }
}

/**
 * Seals anew what older keys have sealed. What does not open stays as it is. `onProgress` hears how
 * many records were looked at and how many written.
 * @throws StoreUnavailable; what was written until then stays, and the next run goes on.
 */
export async function reseal(
  store: Store,
  keys: Keyring,
  onProgress: (looked: number, written: number) => void = () => undefined,
): Promise<number> {
  let [looked, written] = [0, 0]
  for (const kind of KINDS) {
    await eachPage(store, kind, async (rows) => {
      const results = await Promise.all(rows.map((row) => resealRow(store, keys, kind, row)))
      looked += rows.length
      written += results.filter((one) => one).length
      onProgress(looked, written)
    })
  }
  return written
}

async function resealRow<K extends SealedKind>(
  store: Store,
  keys: Keyring,
  kind: K,
  row: Versioned<Records[K]>,
): Promise<boolean> {
  const result = await change(store, kind, row, (record) => {
    const next = resealed(keys, kind, record)
    return { outcome: next === record ? 'kept' : 'written', next }
  })
  return result?.outcome === 'written'
}

/** The record with its old seals replaced; the very same where there is nothing to replace. */
function resealed<K extends SealedKind>(keys: Keyring, kind: K, record: Records[K]): Records[K] {
  const fields: { [field: string]: Sealed } = {}
  for (const { field, sealed, place } of sealsOf(kind, record)) {
    if (sealedBy(sealed) === keys.newest.kid) continue
    const plaintext = open(keys, sealed, place)
    if (plaintext !== undefined) fields[field] = seal(keys, plaintext, place)
  }
  return Object.keys(fields).length === 0 ? record : { ...record, ...fields }
}

interface Seal {
  readonly field: string
  readonly sealed: Sealed
  readonly place: Place
}

function sealsOf<K extends SealedKind>(kind: K, record: Records[K]): readonly Seal[] {
  return SEALED[kind].flatMap(([field, last]) => {
    const sealed: unknown = Reflect.get(record, field)
    if (typeof sealed !== 'string') return []
    return [{ field, sealed: sealed as Sealed, place: `${kind}/${record.id}/${last}` as const }]
  })
}

/** A grant is kept as long as any token of it may live, its kept answer included. */
async function lastExpiry(store: Store): Promise<number | undefined> {
  let last: number | undefined
  await eachPage(store, 'grant', async (rows) => {
    for (const { record } of rows) {
      if (record.endedAt !== undefined) continue
      last = Math.max(last ?? 0, record.expiresAt ?? 0)
    }
  })
  return last
}

async function eachPage<K extends Kind>(
  store: Store,
  kind: K,
  visit: (rows: readonly Versioned<Records[K]>[]) => Promise<void>,
): Promise<void> {
  let cursor: string | undefined
  do {
    const page = await store.scan(kind, { limit: PAGE, cursor })
    await visit(page.rows)
    cursor = page.cursor
  } while (cursor !== undefined)
}

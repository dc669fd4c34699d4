/** Scans: every record of a kind once at least, in no promised order, although others write meanwhile. */
import assert from 'node:assert/strict'
import { type Kind, KINDS, type Records } from '../../stores/records.ts'
import type { Store, Versioned } from '../../stores/store.ts'
import type { ContractTest } from './contract_test.ts'
import { assertSame, NOW, sampleClaim, sampleGrant, SAMPLES } from './samples.ts'
import { TEXTS } from './texts.ts'

export const scanContract: readonly ContractTest[] = [
  ['a kind without records gives no rows and no cursor', emptyScan],
  ['every kind is scanned by itself, rows whole and with their version', everyKind],
  ['pages of any size bring every record, each page within its limit', pagesJoin],
  ['what stays comes at least once while others insert, replace, take and delete', underWrites],
  ['a scan sees what another instance wrote', otherInstance],
  ['the expired come too', expiredCome],
  ['ST-21 texts that are awkward as ids come each, page by page', awkwardIds],
]

/** Every row of a scan in pages of `limit`, each once, the latest; `between` runs after each page. */
async function scanAll<K extends Kind>(
  store: Store,
  kind: K,
  limit: number,
  between: (page: number) => Promise<void> = async () => undefined,
): Promise<Versioned<Records[K]>[]> {
  const seen = new Map<string, Versioned<Records[K]>>()
  let cursor: string | undefined
  let page = 0
  do {
    const listing = await store.scan(kind, { limit, cursor })
    assert.ok(listing.rows.length <= limit)
    for (const row of listing.rows) seen.set(row.record.id, row)
    cursor = listing.cursor
    await between((page += 1))
    assert.ok(page < 10_000, 'the scan comes to no end')
  } while (cursor !== undefined)
  return [...seen.values()]
}

const idsOf = (rows: readonly Versioned<{ readonly id: string }>[]): string[] =>
  rows.map(({ record }) => record.id).toSorted()

async function insertClaims(store: Store, ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => store.insert('claim', sampleClaim({ id }))))
}

async function emptyScan(store: Store): Promise<void> {
  for (const kind of KINDS) assert.deepEqual(await scanAll(store, kind, 10), [])
}

async function everyKind(store: Store): Promise<void> {
  for (const kind of KINDS) await insertPair(store, kind)
  for (const kind of KINDS) {
    const rows = await scanAll(store, kind, 10)
    assertSame(
      rows.toSorted((one, other) => one.version - other.version),
      [
        { record: { ...SAMPLES[kind], id: 'other' }, version: 1 },
        { record: SAMPLES[kind], version: 2 },
      ],
    )
  }
}

async function insertPair<K extends Kind>(store: Store, kind: K): Promise<void> {
  const record: Records[K] = SAMPLES[kind]
  await store.insert(kind, record)
  await store.insert(kind, { ...record, id: 'other' })
  await store.replace(kind, record, 1)
}

async function pagesJoin(store: Store): Promise<void> {
  const ids = Array.from({ length: 25 }, (_, at) => `${at}`)
  await insertClaims(store, ids)
  for (const limit of [1, 7, 24, 25, 26, 1000]) {
    assert.deepEqual(idsOf(await scanAll(store, 'claim', limit)), ids.toSorted())
  }
  for (const limit of [0, -3, Number.NaN]) {
    assert.ok((await store.scan('claim', { limit })).rows.length <= 1)
  }
}

async function underWrites(store: Store, twin: Store): Promise<void> {
  const stay = Array.from({ length: 60 }, (_, at) => `stays ${at}`)
  const go = Array.from({ length: 60 }, (_, at) => `goes ${at}`)
  await insertClaims(store, [...go.slice(0, 30), ...stay, ...go.slice(30)])
  await store.insert('claim', sampleClaim({ id: 'expires', expiresAt: 1 }))
  const seen = await scanAll(store, 'claim', 7, async (page) => {
    if (page > 10) return
    await insertClaims(twin, [`comes ${page}`, `${page} comes`])
    await twin.replace('claim', sampleClaim({ id: `stays ${page}`, value: 'next' }), 1)
    // The row that the cursor may name goes away too.
    for (const id of go.splice(0, 6)) await twin.take('claim', id)
    await twin.deleteExpired(NOW, 10)
  })
  const found = new Set(idsOf(seen))
  assert.deepEqual(
    stay.filter((id) => !found.has(id)),
    [],
  )
  assert.ok([...found].every((id) => /stays|goes|comes|expires/.test(id)))
}

async function otherInstance(store: Store, twin: Store): Promise<void> {
  await store.insert('grant', sampleGrant({ id: 'a' }))
  await twin.insert('grant', sampleGrant({ id: 'b' }))
  await store.take('grant', 'a')
  await store.replace('grant', sampleGrant({ id: 'b', endedAt: NOW }), 1)
  assertSame(await scanAll(twin, 'grant', 1), [
    { record: sampleGrant({ id: 'b', endedAt: NOW }), version: 2 },
  ])
}

async function expiredCome(store: Store): Promise<void> {
  await store.insert('claim', sampleClaim({ expiresAt: 1 }))
  assert.deepEqual(idsOf(await scanAll(store, 'claim', 10)), ['claim'])
}

async function awkwardIds(store: Store): Promise<void> {
  await insertClaims(store, TEXTS)
  for (const limit of [1, 3]) {
    assert.deepEqual(idsOf(await scanAll(store, 'claim', limit)), TEXTS.toSorted())
  }
}

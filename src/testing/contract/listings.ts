/** Listings: in the order of ids, page by page, and true although others write meanwhile. */
import assert from 'node:assert/strict'
import type { Indexes } from '../../stores/records.ts'
import type { Store } from '../../stores/store.ts'
import type { ContractTest } from './contract_test.ts'
import { assertSame, sampleConnection, sampleEvent, sampleGrant } from './samples.ts'

export const listingContract: readonly ContractTest[] = [
  ['a value that nobody has gives no rows and no cursor', emptyListing],
  ['rows come in the order of ids, whole and with their version', wholeRows],
  ['pages join without gap or double, and the last has no cursor', pagesJoin],
  ['pages stay whole while records are added and taken', pagesUnderWrites],
  ['a limit is held within 1 and 1000', limits],
  ['a record that is replaced moves to its new values', indexMoves],
  ['a record that is taken is listed no more, and again when inserted again', takenLeaves],
  ['a member that is undefined is not listed', undefinedMember],
  ['kinds with an index of the same name stay apart', kindsApart],
]

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, at) => `id${String(from + at).padStart(5, '0')}`)

async function insertGrants(store: Store, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((id) => store.insert('grant', sampleGrant({ id, subject: 'one' }))))
}

async function listIds(
  store: Store,
  index: Indexes['grant'],
  value: string,
  limit = 1000,
): Promise<string[]> {
  const { rows } = await store.list('grant', index, value, { limit })
  return rows.map(({ record }) => record.id)
}

/** Every page of `one`; `between` runs after each. */
async function listAll(
  store: Store,
  limit: number,
  between: (page: number) => Promise<void> = async () => undefined,
): Promise<string[]> {
  const seen: string[] = []
  let cursor: string | undefined
  let page = 0
  do {
    const listing = await store.list('grant', 'subject', 'one', { limit, cursor })
    assert.ok(listing.rows.length <= limit)
    seen.push(...listing.rows.map(({ record }) => record.id))
    cursor = listing.cursor
    await between((page += 1))
  } while (cursor !== undefined)
  return seen
}

async function emptyListing(store: Store): Promise<void> {
  const listing = await store.list('grant', 'subject', 'nobody', { limit: 10 })
  assertSame(listing, { rows: [] })
}

async function wholeRows(store: Store): Promise<void> {
  const first = sampleGrant({ id: 'a', subject: 'one' })
  const second = sampleGrant({ id: 'b', subject: 'one', endedAt: 7 })
  await store.insert('grant', sampleGrant({ id: 'b', subject: 'one' }))
  await store.insert('grant', first)
  await store.insert('grant', sampleGrant({ id: 'aa', subject: 'two' }))
  await store.replace('grant', second, 1)
  assertSame(await store.list('grant', 'subject', 'one', { limit: 10 }), {
    rows: [
      { record: first, version: 1 },
      { record: second, version: 2 },
    ],
  })
}

async function pagesJoin(store: Store): Promise<void> {
  await insertGrants(store, ids(0, 25).toReversed())
  for (const limit of [1, 7, 24, 25, 26]) assert.deepEqual(await listAll(store, limit), ids(0, 25))
}

async function pagesUnderWrites(store: Store): Promise<void> {
  await insertGrants(store, ids(100, 120))
  const seen = await listAll(store, 5, async (page) => {
    if (page > 3) return
    await insertGrants(store, ids(page * 10, page * 10 + 10))
    await insertGrants(store, ids(200 + page, 201 + page))
    // The row that the cursor names goes away too.
    await store.take('grant', `id00${99 + page * 5}`)
  })
  assert.deepEqual(seen, [...ids(100, 120), ...ids(201, 204)])
}

async function limits(store: Store): Promise<void> {
  const names = ids(0, 1003)
  await insertGrants(store, names)
  assert.deepEqual(await listIds(store, 'subject', 'one', 5000), names.slice(0, 1000))
  for (const limit of [0, -3, Number.NaN]) {
    assert.deepEqual(await listIds(store, 'subject', 'one', limit), ['id00000'])
  }
  assert.deepEqual(await listIds(store, 'subject', 'one', 2.7), ['id00000', 'id00001'])
}

async function indexMoves(store: Store): Promise<void> {
  await store.insert('grant', sampleGrant({ subject: 'old', connectionId: 'kept' }))
  const moved = sampleGrant({ subject: 'new', connectionId: 'kept', client_id: 'other' })
  assert.equal(await store.replace('grant', moved, 1), true)
  assert.deepEqual(await listIds(store, 'subject', 'old'), [])
  assert.deepEqual(await listIds(store, 'client_id', 'client'), [])
  assert.deepEqual(await listIds(store, 'subject', 'new'), ['grant'])
  assert.deepEqual(await listIds(store, 'client_id', 'other'), ['grant'])
  assert.deepEqual(await listIds(store, 'connectionId', 'kept'), ['grant'])
  // A replacement that lost moves nothing.
  assert.equal(await store.replace('grant', sampleGrant({ subject: 'old' }), 1), false)
  assert.deepEqual(await listIds(store, 'subject', 'old'), [])
  assert.equal(await store.replace('grant', sampleGrant({ connectionId: undefined }), 2), true)
  assert.deepEqual(await listIds(store, 'connectionId', 'kept'), [])
}

async function takenLeaves(store: Store): Promise<void> {
  await insertGrants(store, ['a', 'b'])
  await store.take('grant', 'a')
  assert.deepEqual(await listIds(store, 'subject', 'one'), ['b'])
  await insertGrants(store, ['a'])
  assert.deepEqual(await listIds(store, 'subject', 'one'), ['a', 'b'])
}

async function undefinedMember(store: Store): Promise<void> {
  await store.insert('grant', sampleGrant({ connectionId: undefined }))
  for (const value of ['undefined', 'null', '']) {
    assert.deepEqual(await listIds(store, 'connectionId', value), [])
  }
}

async function kindsApart(store: Store): Promise<void> {
  await store.insert('grant', sampleGrant({ id: 'a', subject: 'one' }))
  await store.insert('event', sampleEvent({ id: 'a', subject: 'one' }))
  await store.insert('event', sampleEvent({ id: 'b', subject: 'one' }))
  await store.insert('connection', sampleConnection({ id: 'c', subject: 'one' }))
  const events = await store.list('event', 'subject', 'one', { limit: 10 })
  const connections = await store.list('connection', 'subject', 'one', { limit: 10 })
  assert.deepEqual(await listIds(store, 'subject', 'one'), ['a'])
  assertSame(
    events.rows.map(({ record }) => [record.type, record.id]),
    [
      ['grant_begun', 'a'],
      ['grant_begun', 'b'],
    ],
  )
  assertSame(connections.rows, [
    { record: sampleConnection({ id: 'c', subject: 'one' }), version: 1 },
  ])
}

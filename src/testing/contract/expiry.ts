/**
 * Expiry: `expiresAt` allows a deletion and does nothing by itself. Whether something still holds is
 * decided by the rules, with their clock.
 */
import assert from 'node:assert/strict'
import type { Store } from '../../stores/store.ts'
import type { ContractTest } from './contract_test.ts'
import { assertSame, NOW, sampleClaim, sampleGrant } from './samples.ts'

export const expiryContract: readonly ContractTest[] = [
  ['an expired record is found, replaced and taken like any other', expiredIsThere],
  ['deleteExpired deletes what expires at or before now, and nothing else', deletesExpired],
  ['deleteExpired deletes at most its limit and tells how many', boundedDeletion],
  ['deleteExpired goes by the expiry of the last replacement', expiryMoves],
  ['two cleaners at once delete every expired record and no live one', twoCleaners],
  ['a deleted record is listed no more, and its id is free', deletedLeaves],
]

async function expiredIsThere(store: Store): Promise<void> {
  const record = sampleClaim({ expiresAt: 1 })
  assert.equal(await store.insert('claim', record), true)
  assertSame(await store.find('claim', 'claim'), { record, version: 1 })
  assert.equal(await store.insert('claim', record), false)
  assert.equal(await store.replace('claim', record, 1), true)
  assertSame(await store.take('claim', 'claim'), record)
}

async function deletesExpired(store: Store): Promise<void> {
  const expiries = [NOW - 100, NOW - 1, NOW, NOW + 1, undefined]
  for (const expiresAt of expiries) {
    await store.insert('claim', sampleClaim({ id: `${expiresAt}`, expiresAt }))
    await store.insert('grant', sampleGrant({ id: `${expiresAt}`, expiresAt }))
  }
  assert.equal(await store.deleteExpired(NOW, 100), 6)
  assert.equal(await store.deleteExpired(NOW, 100), 0)
  for (const [at, expiresAt] of expiries.entries()) {
    assert.equal((await store.find('claim', `${expiresAt}`)) === undefined, at < 3)
    assert.equal((await store.find('grant', `${expiresAt}`)) === undefined, at < 3)
  }
}

async function boundedDeletion(store: Store): Promise<void> {
  for (let at = 0; at < 7; at += 1) {
    await store.insert('claim', sampleClaim({ id: `${at}`, expiresAt: NOW - at }))
  }
  assert.equal(await store.deleteExpired(NOW, 3), 3)
  assert.equal(await store.deleteExpired(NOW, 0), 0)
  assert.equal(await store.deleteExpired(NOW, 3), 3)
  assert.equal(await store.deleteExpired(NOW, 3), 1)
}

async function expiryMoves(store: Store): Promise<void> {
  await store.insert('claim', sampleClaim({ id: 'longer', expiresAt: NOW }))
  await store.insert('claim', sampleClaim({ id: 'forever', expiresAt: NOW }))
  await store.insert('claim', sampleClaim({ id: 'shorter', expiresAt: undefined }))
  await store.replace('claim', sampleClaim({ id: 'longer', expiresAt: NOW + 10 }), 1)
  await store.replace('claim', sampleClaim({ id: 'forever', expiresAt: undefined }), 1)
  await store.replace('claim', sampleClaim({ id: 'shorter', expiresAt: NOW }), 1)
  assert.equal(await store.deleteExpired(NOW, 100), 1)
  assert.equal(await store.find('claim', 'shorter'), undefined)
  assert.equal(await store.deleteExpired(NOW + 10, 100), 1)
  assert.notEqual(await store.find('claim', 'forever'), undefined)
}

async function twoCleaners(store: Store, twin: Store): Promise<void> {
  const names = Array.from({ length: 60 }, (_, at) => `${at}`)
  await Promise.all(
    names.map((id, at) =>
      store.insert('claim', sampleClaim({ id, expiresAt: at % 2 === 0 ? NOW : NOW + 1 })),
    ),
  )
  for (let round = 0; round < 4; round += 1) {
    await Promise.all([store.deleteExpired(NOW, 10), twin.deleteExpired(NOW, 10)])
  }
  for (const [at, id] of names.entries()) {
    assert.equal((await store.find('claim', id)) === undefined, at % 2 === 0)
  }
}

async function deletedLeaves(store: Store): Promise<void> {
  await store.insert('grant', sampleGrant({ subject: 'one', expiresAt: NOW }))
  await store.deleteExpired(NOW, 10)
  assertSame(await store.list('grant', 'subject', 'one', { limit: 10 }), { rows: [] })
  assert.equal(await store.insert('grant', sampleGrant({ subject: 'two' })), true)
  assertSame(await store.list('grant', 'subject', 'one', { limit: 10 }), { rows: [] })
}

/** The verbs one at a time: what each gives, and what it leaves behind. */
import assert from 'node:assert/strict'
import { type Kind, KINDS, type Records } from '../../stores/records.ts'
import type { Store } from '../../stores/store.ts'
import type { ContractTest } from './contract_test.ts'
import {
  assertSame,
  sampleClaim,
  sampleEvent,
  sampleGrant,
  sampleRefresh,
  SAMPLES,
} from './samples.ts'

export const verbContract: readonly ContractTest[] = [
  ['find of an id that is not there gives undefined', findNothing],
  ['ST-22 a record of every kind comes back as it went in, at version 1', roundTrip],
  ['insert of an id that exists is false and changes nothing', insertTwice],
  ['one id in two kinds is two records', kindsApart],
  ['replace moves the version on by one, for who had the last one', replaceInTurn],
  ['replace of what is not there is false and makes nothing', replaceNothing],
  ['take gives the record once and leaves nothing', takeOnce],
  ['an id that was taken may be inserted again', insertAfterTake],
  ['what a caller does to a record afterwards is not stored', ownCopies],
  ['a record of 300 kB comes back whole', largeRecord],
  ['close finishes what is under way, and may be called twice', closeDrains],
  ['after close every verb throws StoreUnavailable', closedStore],
]

async function findNothing(store: Store): Promise<void> {
  for (const kind of KINDS) assert.equal(await store.find(kind, 'nothing'), undefined)
}

async function roundTrip(store: Store): Promise<void> {
  for (const kind of KINDS) await roundTripOf(store, kind)
}

async function roundTripOf<K extends Kind>(store: Store, kind: K): Promise<void> {
  const record: Records[K] = SAMPLES[kind]
  assert.equal(await store.insert(kind, record), true)
  assertSame(await store.find(kind, record.id), { record, version: 1 })
  assertSame(await store.take(kind, record.id), record)
}

async function insertTwice(store: Store): Promise<void> {
  assert.equal(await store.insert('claim', sampleClaim({ value: 'first' })), true)
  assert.equal(await store.insert('claim', sampleClaim({ value: 'second' })), false)
  assertSame(await store.find('claim', 'claim'), {
    record: sampleClaim({ value: 'first' }),
    version: 1,
  })
}

async function kindsApart(store: Store): Promise<void> {
  assert.equal(await store.insert('claim', sampleClaim({ id: 'same' })), true)
  assert.equal(await store.insert('grant', sampleGrant({ id: 'same' })), true)
  assertSame(await store.take('claim', 'same'), sampleClaim({ id: 'same' }))
  assertSame(await store.find('grant', 'same'), { record: sampleGrant({ id: 'same' }), version: 1 })
}

async function replaceInTurn(store: Store): Promise<void> {
  await store.insert('grant', sampleGrant())
  const next = sampleGrant({ refresh: sampleRefresh(1), endedAt: 5 })
  assert.equal(await store.replace('grant', next, 1), true)
  for (const version of [1, 0, 3, -1]) {
    assert.equal(await store.replace('grant', sampleGrant(), version), false)
  }
  assertSame(await store.find('grant', 'grant'), { record: next, version: 2 })
  assert.equal(await store.replace('grant', sampleGrant({ refresh: undefined }), 2), true)
  assertSame(await store.find('grant', 'grant'), {
    record: sampleGrant({ refresh: undefined }),
    version: 3,
  })
}

async function replaceNothing(store: Store): Promise<void> {
  for (const version of [0, 1]) {
    assert.equal(await store.replace('grant', sampleGrant(), version), false)
  }
  assert.equal(await store.find('grant', 'grant'), undefined)
}

async function takeOnce(store: Store): Promise<void> {
  await store.insert('ticket', SAMPLES.ticket)
  assertSame(await store.take('ticket', 'ticket'), SAMPLES.ticket)
  assert.equal(await store.take('ticket', 'ticket'), undefined)
  assert.equal(await store.find('ticket', 'ticket'), undefined)
  assert.equal(await store.replace('ticket', SAMPLES.ticket, 1), false)
}

async function insertAfterTake(store: Store): Promise<void> {
  await store.insert('claim', sampleClaim())
  await store.take('claim', 'claim')
  assert.equal(await store.insert('claim', sampleClaim({ value: 'again' })), true)
  assertSame(await store.find('claim', 'claim'), {
    record: sampleClaim({ value: 'again' }),
    version: 1,
  })
}

async function ownCopies(store: Store): Promise<void> {
  const scope = ['notes:read']
  const inserted = store.insert('grant', sampleGrant({ scope }))
  scope.push('notes:write')
  await inserted
  const found = await store.find('grant', 'grant')
  assert.ok(found)
  // A store may freeze what it gives, or give a copy each time; it may not give what it keeps.
  Reflect.set(found.record, 'subject', 'somebody else')
  Reflect.set(found.record.scope, '0', 'admin')
  const again = await store.find('grant', 'grant')
  assertSame(again, { record: sampleGrant({ scope: ['notes:read'] }), version: 1 })
}

async function largeRecord(store: Store): Promise<void> {
  const record = sampleEvent({ detail: { text: 'ä'.repeat(150_000), list: ['a', 'b'] } })
  await store.insert('event', record)
  assertSame(await store.find('event', 'event'), { record, version: 1 })
}

async function closeDrains(store: Store): Promise<void> {
  const ids = Array.from({ length: 20 }, (_, at) => `claim ${at}`)
  const inserted = ids.map((id) => store.insert('claim', sampleClaim({ id })))
  await store.close()
  assert.deepEqual(
    await Promise.all(inserted),
    ids.map(() => true),
  )
  await store.close()
}

async function closedStore(store: Store): Promise<void> {
  await store.close()
  const verbs: readonly (() => Promise<unknown>)[] = [
    () => store.find('claim', 'claim'),
    () => store.insert('claim', sampleClaim()),
    () => store.replace('claim', sampleClaim(), 1),
    () => store.take('claim', 'claim'),
    () => store.list('grant', 'subject', 'user', { limit: 1 }),
    () => store.scan('grant', { limit: 1 }),
    () => store.deleteExpired(0, 1),
  ]
  for (const verb of verbs) await assert.rejects(verb, { name: 'StoreUnavailable' })
}

/**
 * The feed of changed grants, where there is one: who watches hears what the other has done, by
 * id or as undefined, once it can be read. Whether an instance hears itself is up to the driver.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../stores/store.ts'
import type { ContractTest } from './contract_test.ts'
import { assertSame, NOW, sampleClaim, sampleGrant } from './samples.ts'

export const watchContract: readonly ContractTest[] = [
  [
    'MI-01 RV-11 who watches hears that the other has replaced a grant, and reads it',
    replacedIsHeard,
  ],
  ['MI-01 RV-11 who watches hears that the other has taken a grant', takenIsHeard],
  ['who watches hears that the other has deleted a grant that expired', deletedIsHeard],
  ['of two who watch one stops and hears no more, and the other goes on', stopStops],
  ['who stopped may watch again', watchAgain],
  ['a store that is watched closes, and stopping after that is no fault', closeWhileWatched],
]

type Heard = readonly (string | undefined)[]

interface Listening {
  readonly heard: Heard
  stop(): Promise<void>
}

/** Undefined where the store has no feed. */
async function listen(store: Store): Promise<Listening | undefined> {
  const heard: (string | undefined)[] = []
  const stop = await store.watch?.((grantId) => void heard.push(grantId))
  return stop && { heard, stop }
}

/** Waits until `grantId` was heard, or that something may have been missed. */
async function hears(heard: Heard, grantId: string, from = 0): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (heard.slice(from).some((one) => one === grantId || one === undefined)) return
    await sleep(10)
  }
  assert.fail(`nothing was heard of ${grantId} within five seconds`)
}

async function replacedIsHeard(store: Store, twin: Store): Promise<void> {
  await twin.insert('grant', sampleGrant())
  await twin.insert('claim', sampleClaim())
  const listening = await listen(store)
  if (listening === undefined) return
  for (let version = 1; version < 5; version += 1) {
    const from = listening.heard.length
    const record = sampleGrant({ endedAt: NOW + version })
    assert.equal(await twin.replace('grant', record, version), true)
    await hears(listening.heard, 'grant', from)
    assertSame(await store.find('grant', 'grant'), { record, version: version + 1 })
  }
  await listening.stop()
}

async function takenIsHeard(store: Store, twin: Store): Promise<void> {
  const awkward = 'a\0b {c} "\ud800"\r\n'
  for (const id of ['one', awkward]) await twin.insert('grant', sampleGrant({ id }))
  const listening = await listen(store)
  if (listening === undefined) return
  for (const id of ['one', awkward]) {
    const from = listening.heard.length
    assert.notEqual(await twin.take('grant', id), undefined)
    await hears(listening.heard, id, from)
    assert.equal(await store.find('grant', id), undefined)
  }
  await listening.stop()
}

async function deletedIsHeard(store: Store, twin: Store): Promise<void> {
  await twin.insert('grant', sampleGrant({ expiresAt: NOW }))
  const listening = await listen(store)
  if (listening === undefined) return
  assert.equal(await twin.deleteExpired(NOW, 10), 1)
  await hears(listening.heard, 'grant')
  assert.equal(await store.find('grant', 'grant'), undefined)
  await listening.stop()
}

async function stopStops(store: Store, twin: Store): Promise<void> {
  await twin.insert('grant', sampleGrant())
  const stopped = await listen(store)
  const listening = await listen(store)
  if (stopped === undefined || listening === undefined) return
  await stopped.stop()
  const before = [...stopped.heard]
  const from = listening.heard.length
  await twin.replace('grant', sampleGrant({ endedAt: NOW }), 1)
  await hears(listening.heard, 'grant', from)
  assertSame(stopped.heard, before)
  await listening.stop()
}

async function watchAgain(store: Store, twin: Store): Promise<void> {
  await twin.insert('grant', sampleGrant())
  for (let version = 1; version < 4; version += 1) {
    const listening = await listen(store)
    if (listening === undefined) return
    await twin.replace('grant', sampleGrant({ endedAt: NOW + version }), version)
    await hears(listening.heard, 'grant')
    await listening.stop()
  }
}

async function closeWhileWatched(store: Store, twin: Store): Promise<void> {
  await twin.insert('grant', sampleGrant())
  const listening = await listen(store)
  if (listening === undefined) return
  await store.close()
  const before = [...listening.heard]
  assert.equal(await twin.replace('grant', sampleGrant({ endedAt: NOW }), 1), true)
  await listening.stop()
  assertSame(listening.heard, before)
}

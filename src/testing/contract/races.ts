/**
 * Fifty callers at once, spread over both instances where there are two: each step has one winner, and
 * all that the callers were told fits together.
 */
import assert from 'node:assert/strict'
import type { Store } from '../../stores/store.ts'
import type { ContractTest } from './contract_test.ts'
import { assertSame, sampleClaim, sampleGrant, sampleRefresh, SAMPLES } from './samples.ts'

export const raceContract: readonly ContractTest[] = [
  ['MI-01 fifty inserts of one id: one is true', insertRace],
  ['MI-01 fifty replacements of one version: one is true', replaceRace],
  ['MI-01 fifty takes of one record: one gets it', takeRace],
  ['MI-01 replacements and takes at once: who takes gets the last that was true', mixedRace],
  ['MI-01 inserts and takes at once: nothing is taken that was not put in', refillRace],
  ['a hundred counted by compare-and-set are a hundred', counterRace],
]

type Call<T> = (store: Store, at: number) => Promise<T>

/** Fifty calls at once, every second one on the other instance. */
async function fifty<T>(store: Store, twin: Store, call: Call<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: 50 }, (_, at) => call(at % 2 === 0 ? store : twin, at)))
}

function winners(results: readonly boolean[]): number[] {
  return results.flatMap((won, at) => (won ? [at] : []))
}

async function insertRace(store: Store, twin: Store): Promise<void> {
  const results = await fifty(store, twin, (one, at) =>
    one.insert('claim', sampleClaim({ value: `${at}` })),
  )
  const won = winners(results)
  assert.equal(won.length, 1)
  const found = await twin.find('claim', 'claim')
  assertSame(found, { record: sampleClaim({ value: `${won[0]}` }), version: 1 })
}

async function replaceRace(store: Store, twin: Store): Promise<void> {
  await store.insert('grant', sampleGrant())
  const results = await fifty(store, twin, (one, at) =>
    one.replace('grant', sampleGrant({ refresh: sampleRefresh(at) }), 1),
  )
  const won = winners(results)
  assert.equal(won.length, 1)
  const found = await twin.find('grant', 'grant')
  assert.equal(found?.version, 2)
  assert.equal(found?.record.refresh?.generation, won[0])
}

async function takeRace(store: Store, twin: Store): Promise<void> {
  await store.insert('ticket', SAMPLES.ticket)
  const taken = await fifty(store, twin, (one) => one.take('ticket', 'ticket'))
  const got = taken.filter((record) => record !== undefined)
  assertSame(got, [SAMPLES.ticket])
  assert.equal(await twin.find('ticket', 'ticket'), undefined)
}

async function mixedRace(store: Store, twin: Store): Promise<void> {
  await store.insert('claim', sampleClaim({ value: 'first' }))
  const results = await fifty<unknown>(store, twin, (one, at) =>
    at % 5 < 3
      ? one.replace('claim', sampleClaim({ value: `${at}` }), 1)
      : one.take('claim', 'claim'),
  )
  const replaced = winners(results.map((result) => result === true))
  const taken = results.filter((result) => typeof result === 'object')
  assert.ok(replaced.length <= 1)
  assertSame(taken, [sampleClaim({ value: `${replaced[0] ?? 'first'}` })])
  assert.equal(await store.find('claim', 'claim'), undefined)
}

async function refillRace(store: Store, twin: Store): Promise<void> {
  const results = await fifty<unknown>(store, twin, (one, at) =>
    at % 4 < 2 ? one.insert('claim', sampleClaim()) : one.take('claim', 'claim'),
  )
  const inserted = results.filter((result) => result === true).length
  const taken = results.filter((result) => typeof result === 'object').length
  const left = (await twin.find('claim', 'claim')) === undefined ? 0 : 1
  assert.ok(inserted > 0)
  assert.equal(inserted, taken + left)
}

async function counterRace(store: Store, twin: Store): Promise<void> {
  await store.insert('grant', sampleGrant({ refresh: sampleRefresh(0) }))
  await Promise.all(
    Array.from({ length: 10 }, async (_, at) => {
      for (let times = 0; times < 10; times += 1) await count(at % 2 === 0 ? store : twin)
    }),
  )
  const found = await store.find('grant', 'grant')
  assert.equal(found?.record.refresh?.generation, 100)
  assert.equal(found?.version, 101)
}

async function count(store: Store): Promise<void> {
  for (;;) {
    const found = await store.find('grant', 'grant')
    assert.ok(found)
    const refresh = sampleRefresh((found.record.refresh?.generation ?? 0) + 1)
    if (await store.replace('grant', { ...found.record, refresh }, found.version)) return
  }
}

/** Any sequence of calls gives the same answers on every store. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { memory } from '../../src/memory.ts'
import { sqlite } from '../../src/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { sampleEvent, sampleGrant } from '../../src/testing/contract/samples.ts'

type Call = (store: Store) => Promise<unknown>

const id = fc.constantFrom('a', 'b', 'B', 'b0', 'é', '\u{10000}', '\uffff', '__proto__')
const subject = fc.constantFrom('one', 'two', 'ONE')
const time = fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined })
const version = fc.integer({ min: 0, max: 4 })
const grant = fc
  .record({ id, subject, expiresAt: time, endedAt: time })
  .map((change) => sampleGrant(change))
const event = fc.record({ id, subject, expiresAt: time }).map((change) => sampleEvent(change))

const write: fc.Arbitrary<Call> = fc.oneof(
  grant.map(
    (one): Call =>
      (store) =>
        store.insert('grant', one),
  ),
  event.map(
    (one): Call =>
      (store) =>
        store.insert('event', one),
  ),
  fc.tuple(grant, version).map(
    ([one, held]): Call =>
      (store) =>
        store.replace('grant', one, held),
  ),
  id.map(
    (one): Call =>
      (store) =>
        store.take('grant', one),
  ),
  fc.integer({ min: 0, max: 6 }).map(
    (now): Call =>
      (store) =>
        store.deleteExpired(now, 1000),
  ),
)
const read: fc.Arbitrary<Call> = fc.oneof(
  id.map(
    (one): Call =>
      (store) =>
        store.find('grant', one),
  ),
  fc.tuple(subject, fc.integer({ min: -1, max: 4 }), fc.option(id, { nil: undefined })).map(
    ([value, limit, cursor]): Call =>
      (store) =>
        store.list('grant', 'subject', value, { limit, cursor }),
  ),
)

it('ST-22 any sequence of calls gives the same answers in memory and in SQLite', async () => {
  const calls = fc.array(fc.oneof(write, read), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(calls, async (sequence) => {
      const stores = [memory(), sqlite(':memory:')]
      for (const each of sequence) {
        const [left, right] = await Promise.all(stores.map((store) => each(store)))
        expect(right).toEqual(left)
      }
      await Promise.all(stores.map((store) => store.close()))
    }),
    { numRuns: 200 },
  )
})

it('ST-22 writes made at once are answered as if made in turn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 40 }), async (writes) => {
      const [left, right] = await Promise.all(
        [memory(), sqlite(':memory:')].map((store) =>
          Promise.all(writes.map((each) => each(store))),
        ),
      )
      expect(right).toEqual(left)
    }),
    { numRuns: 100 },
  )
})

/** The contract of `watch` notices the feeds that are wrong. */
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { watchContract } from '../../src/testing/contract/watch.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')

type Watch = NonNullable<Store['watch']>

/** Feeds by what is wrong with them, and the tests of the contract that notice. */
const FEEDS: readonly (readonly [string, number, (store: Store, right: Watch) => Watch])[] = [
  ['is right', 0, (_, right) => right],
  ['tells nothing', 5, () => async () => async () => undefined],
  [
    'tells of another grant only',
    5,
    (_, right) => (listener) => right(() => void listener('another')),
  ],
  [
    'cannot be stopped',
    1,
    (_, right) => async (listener) => {
      await right(listener)
      return async () => undefined
    },
  ],
  [
    'stops everybody',
    1,
    (_, right) => {
      const stops: (() => Promise<void>)[] = []
      return async (listener) => {
        stops.push(await right(listener))
        return async () => void (await Promise.all(stops.map((stop) => stop())))
      }
    },
  ],
  [
    'cannot be stopped after close',
    1,
    (store, right) => async (listener) => {
      const stop = await right(listener)
      return async () => {
        await store.find('grant', 'grant')
        await stop()
      }
    },
  ],
]

describe('ST-22 a feed that', () => {
  it.concurrent.each(FEEDS)(
    '%s fails %i of the tests',
    async (_, failing, wrap) => {
      const failures = await Promise.all(
        watchContract.map(async ([title, body]) => {
          const file = fresh()
          const [inner, twin] = [sqlite(file), sqlite(file)]
          if (inner.watch === undefined) throw new Error('there is no feed')
          const right: Watch = inner.watch.bind(inner)
          const store = { ...inner, watch: wrap(inner, right) }
          const failed = await body(store, twin).then(
            () => [],
            () => [title],
          )
          await Promise.all([store.close(), twin.close()])
          return failed
        }),
      )
      expect(failures.flat()).toHaveLength(failing)
    },
    20_000,
  )
})

import { describe, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { libsql, nodeSqlite, openDatabase } from '../../src/stores/sqlite_database.ts'
import { storeContract } from '../../src/testing.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')

describe('ST-22 the contract, in a SQLite file', () => {
  storeContract({
    describe,
    it,
    createStore: () => sqlite(fresh()),
    createPair: async () => {
      const file = fresh()
      return [sqlite(file), sqlite(file, { durability: 'power' })]
    },
  })
})

describe('ST-22 the contract, in SQLite memory', () => {
  storeContract({ describe, it, createStore: () => sqlite(':memory:') })
})

const ENGINES = [
  ['libsql', libsql],
  ['node:sqlite', nodeSqlite],
] as const

describe.each(ENGINES.filter(([, engine]) => engine() !== undefined))(
  'ST-22 the contract, in a database handed in from %s',
  (_, engine) => {
    storeContract({ describe, it, createStore: () => sqlite(openDatabase(fresh(), [engine])) })
  },
)

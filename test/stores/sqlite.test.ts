import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { libsql, nodeSqlite, openDatabase } from '../../src/stores/sqlite_database.ts'
import { storeContract } from '../../src/testing.ts'

const directory = mkdtempSync(join(tmpdir(), 'stores-'))
let files = 0
const fresh = (): string => join(directory, `${(files += 1)}.db`)

afterAll(() => rmSync(directory, { recursive: true }))

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

describe.each([libsql, nodeSqlite].filter((engine) => engine() !== undefined))(
  'ST-22 the contract, in a database handed in by %o',
  (engine) => {
    storeContract({ describe, it, createStore: () => sqlite(openDatabase(fresh(), [engine])) })
  },
)

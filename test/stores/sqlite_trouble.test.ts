/** A database that fails: each failure is an outage, never an answer, and leaves nothing half done. */
import { openSync, closeSync, statSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { openDatabase, type SqliteDatabase } from '../../src/stores/sqlite_database.ts'
import { entryOf } from '../../src/stores/sqlite_keys.ts'
import type { Store } from '../../src/stores/store.ts'
import { NOW, sampleClaim, sampleGrant } from '../../src/testing/contract/samples.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')
const unavailable = { name: 'StoreUnavailable' }

function dump(database: SqliteDatabase): unknown {
  return ['mcp_oauth_records', 'mcp_oauth_index'].map((table) =>
    JSON.parse(JSON.stringify(rows(database, `SELECT * FROM ${table}`))),
  )
}

function rows(database: SqliteDatabase, sql: string): unknown[] {
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...(row as object), _metadata: undefined }))
}

const VERBS: readonly (readonly [string, (store: Store) => Promise<unknown>, unknown])[] = [
  ['insert', (store) => store.insert('grant', sampleGrant({ id: 'new' })), true],
  ['replace', (store) => store.replace('grant', sampleGrant({ endedAt: 1 }), 1), true],
  ['moving replace', (store) => store.replace('grant', sampleGrant({ subject: 'b' }), 1), true],
  ['take', (store) => store.take('grant', 'grant'), expect.objectContaining({ id: 'grant' })],
  ['deleteExpired', (store) => store.deleteExpired(NOW * 2, 10), 1],
]

const STATEMENTS = [
  ['INSERT', 'mcp_oauth_records', ['insert']],
  ['UPDATE', 'mcp_oauth_records', ['replace', 'moving replace']],
  ['DELETE', 'mcp_oauth_records', ['take', 'deleteExpired']],
  ['INSERT', 'mcp_oauth_index', ['insert', 'moving replace']],
  ['DELETE', 'mcp_oauth_index', ['moving replace', 'take', 'deleteExpired']],
] as const

const failures = STATEMENTS.flatMap(([statement, table, verbs]) =>
  VERBS.filter(([verb]) => verbs.some((each) => each === verb)).map(([verb, call, answer]) => ({
    verb,
    statement,
    table,
    call,
    answer,
  })),
)

describe('a statement that fails', () => {
  it.each(failures)(
    'ST-09 $verb when $statement on $table fails: nothing is half done, a retry works',
    async ({ statement, table, call, answer }) => {
      const database = openDatabase(':memory:')
      const store = sqlite(database)
      await store.insert('grant', sampleGrant())
      const before = dump(database)
      database.exec(`CREATE TRIGGER broken AFTER ${statement} ON ${table}
        BEGIN SELECT RAISE(ABORT, 'injected'); END`)
      await expect(call(store)).rejects.toMatchObject({
        ...unavailable,
        cause: expect.objectContaining({ message: expect.stringContaining('injected') }),
      })
      expect(dump(database)).toEqual(before)
      database.exec('DROP TRIGGER broken')
      expect(await call(store)).toEqual(answer)
    },
  )

  it('ST-09 fails its own caller and not the others of the same transaction', async () => {
    const database = openDatabase(':memory:')
    const store = sqlite(database)
    database.exec(`CREATE TRIGGER broken AFTER INSERT ON mcp_oauth_records WHEN NEW.id LIKE '%7'
      BEGIN SELECT RAISE(ABORT, 'injected'); END`)
    const ids = Array.from({ length: 30 }, (_, at) => `${at}`)
    const results = await Promise.allSettled(
      ids.map((id) => store.insert('claim', sampleClaim({ id }))),
    )
    for (const [at, result] of results.entries()) {
      const broken = at % 10 === 7
      expect(result.status).toBe(broken ? 'rejected' : 'fulfilled')
      expect((await store.find('claim', `${at}`)) === undefined).toBe(broken)
    }
  })

  it('ST-09 a commit that fails fails all of its callers, and nothing of theirs is kept', async () => {
    const database = openDatabase(':memory:')
    let broken = true
    const store = sqlite(failingCommit(database, () => broken))
    const inserts = ['a', 'b', 'c'].map((id) => store.insert('claim', sampleClaim({ id })))
    for (const result of await Promise.allSettled(inserts)) expect(result.status).toBe('rejected')
    broken = false
    for (const id of ['a', 'b', 'c']) {
      expect(await store.find('claim', id)).toBeUndefined()
      expect(await store.insert('claim', sampleClaim({ id }))).toBe(true)
    }
  })
})

/** The database, with a disk that fails at the last moment. */
function failingCommit(database: SqliteDatabase, broken: () => boolean): SqliteDatabase {
  return {
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql)
      if (sql !== 'COMMIT') return statement
      return {
        get: (...values) => statement.get(...values),
        all: (...values) => statement.all(...values),
        run(...values) {
          if (broken()) throw new Error('disk I/O error')
          return statement.run(...values)
        },
      }
    },
  }
}

describe('an index that does not fit its records', () => {
  it('is taken for a hint: a row of another value or of no record is not listed', async () => {
    const database = openDatabase(':memory:')
    const store = sqlite(database)
    await store.insert('grant', sampleGrant({ subject: 'true' }))
    const entry = entryOf('grant', 'subject', 'stale')
    for (const number of [1, 2]) {
      database.exec(`INSERT INTO mcp_oauth_index VALUES (${entry}, 'grant', ${number})`)
    }
    expect(await store.list('grant', 'subject', 'stale', { limit: 9 })).toMatchObject({ rows: [] })
    expect((await store.list('grant', 'subject', 'true', { limit: 9 })).rows).toHaveLength(1)
  })
})

describe('a database that others hold', () => {
  it('writes are refused as an outage, reads go on, and both work once it is let go', async () => {
    const file = fresh()
    const handed = openDatabase(file)
    handed.exec('PRAGMA journal_mode = WAL')
    handed.exec('PRAGMA busy_timeout = 50')
    const store = sqlite(handed)
    await store.insert('claim', sampleClaim({ id: 'before' }))
    const other = openDatabase(file)
    other.exec('BEGIN IMMEDIATE')
    const inserts = ['a', 'b', 'c'].map((id) => store.insert('claim', sampleClaim({ id })))
    for (const result of await Promise.allSettled(inserts)) {
      expect(result).toMatchObject({ status: 'rejected', reason: unavailable })
    }
    expect(await store.find('claim', 'before')).toBeDefined()
    other.exec('ROLLBACK')
    for (const id of ['a', 'b', 'c']) {
      expect(await store.insert('claim', sampleClaim({ id }))).toBe(true)
    }
  })

  it("a transaction that the database's owner left open is not committed or undone for him", async () => {
    const database = openDatabase(':memory:')
    const store = sqlite(database)
    database.exec('CREATE TABLE theirs (value TEXT)')
    database.exec('BEGIN')
    database.exec(`INSERT INTO theirs VALUES ('kept')`)
    await expect(store.insert('claim', sampleClaim())).rejects.toMatchObject(unavailable)
    database.exec('COMMIT')
    expect(rows(database, 'SELECT value FROM theirs')).toMatchObject([{ value: 'kept' }])
    expect(await store.insert('claim', sampleClaim())).toBe(true)
  })
})

describe('a disk in trouble', () => {
  it('ST-11 full: writes are refused, what was answered is there, and it goes on when there is space', async () => {
    const database = openDatabase(fresh())
    const store = sqlite(database)
    database.exec('PRAGMA max_page_count = 60')
    const answered: string[] = []
    const fill = async (): Promise<void> => {
      for (let at = 0; at < 10_000; at += 1) {
        await store.insert('claim', sampleClaim({ id: `${at}`, value: 'x'.repeat(500) }))
        answered.push(`${at}`)
      }
    }
    await expect(fill()).rejects.toMatchObject(unavailable)
    expect(answered.length).toBeGreaterThan(50)
    for (const id of answered) expect(await store.find('claim', id)).toBeDefined()
    expect(await store.find('claim', `${answered.length}`)).toBeUndefined()
    database.exec('PRAGMA max_page_count = 10000')
    expect(await store.insert('claim', sampleClaim({ id: `${answered.length}` }))).toBe(true)
  })

  it('ST-11 pages overwritten: a read gives the record or an outage, never another answer', async () => {
    const file = fresh()
    const store = sqlite(file)
    const ids = Array.from({ length: 2000 }, (_, at) => `${at}`)
    await Promise.all(ids.map((id) => store.insert('claim', sampleClaim({ id, value: id }))))
    await store.close()
    overwriteMiddle(file)

    const damaged = sqlite(file)
    let refused = 0
    for (const id of ids) {
      const [result] = await Promise.allSettled([damaged.find('claim', id)])
      if (result.status === 'fulfilled') expect(result.value?.record.value).toBe(id)
      else refused += Number(result.reason.name === 'StoreUnavailable')
    }
    expect(refused).toBeGreaterThan(0)
    expect(refused).toBeLessThan(ids.length)
    await damaged.close()
  })
})

function overwriteMiddle(file: string): void {
  const pages = Math.floor(statSync(file).size / 4096)
  const handle = openSync(file, 'r+')
  const noise = Buffer.alloc(4096 * 5, 0xa5)
  writeSync(handle, noise, 0, noise.length, Math.floor(pages / 2) * 4096)
  closeSync(handle)
}

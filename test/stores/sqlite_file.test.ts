/** The file itself: who may read it, what cannot be opened and why, when it is written. */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { openDatabase, type SqliteDatabase } from '../../src/stores/sqlite_database.ts'
import type { GrantRecord } from '../../src/stores/records.ts'
import { type Listing, StoreUnavailable } from '../../src/stores/store.ts'
import { NOW, sampleClaim, sampleGrant } from '../../src/testing/contract/samples.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')

function failureOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(StoreUnavailable)
    return (error as Error).message
  }
  return 'nothing failed'
}

describe('who may read it', () => {
  it('ST-24 the file and the two beside it are for their owner only, whatever the umask', async () => {
    const file = fresh()
    const umask = process.umask(0)
    try {
      const store = sqlite(file)
      await store.insert('claim', sampleClaim())
      for (const name of [file, `${file}-wal`, `${file}-shm`]) {
        expect((statSync(name).mode & 0o777).toString(8), name).toBe('600')
      }
      await store.close()
    } finally {
      process.umask(umask)
    }
  })
})

describe('what cannot be opened', () => {
  it('ST-11 a file that is no database', () => {
    const file = fresh()
    writeFileSync(file, 'this is a text file, and a long one at that\n'.repeat(100))
    expect(failureOf(() => sqlite(file))).toBe(
      `the SQLite store ${file} cannot be opened: file is not a database`,
    )
  })

  it('ST-11 a file in a directory that is not there', () => {
    expect(failureOf(() => sqlite('/nowhere/at/all.db'))).toMatch(
      /^the SQLite store \/nowhere\/at\/all\.db cannot be opened: ENOENT/,
    )
  })

  it('ST-11 a directory', () => {
    const directory = dirname(fresh())
    expect(failureOf(() => sqlite(directory))).toMatch(/cannot be opened: EISDIR/)
  })

  it('ST-11 a file in a directory that may not be written, new or there already', async () => {
    const directory = `${fresh()}.d`
    mkdirSync(directory)
    writeFileSync(`${directory}/there.db`, '')
    chmodSync(directory, 0o555)
    chmodSync(`${directory}/there.db`, 0o444)
    chmodSync(dirname(directory), 0o755)
    asOrdinaryUser(() => {
      for (const name of ['new.db', 'there.db']) {
        expect(failureOf(() => sqlite(`${directory}/${name}`))).toMatch(
          /cannot be opened: EACCES: permission denied/,
        )
      }
    })
  })

  it('a file that a newer release has made', async () => {
    const file = fresh()
    await sqlite(file).close()
    openDatabase(file).exec(`UPDATE mcp_oauth_meta SET value = 2`)
    expect(failureOf(() => sqlite(file))).toMatch(
      /its schema version is 2 and this release knows 1; use the release that made it/,
    )
  })

  it('any file, where Node has no SQLite and libsql is not installed', () => {
    const file = fresh()
    expect(failureOf(() => openDatabase(file, [() => undefined]))).toBe(
      'there is no SQLite here: use Node 22.13 or later, or run `npm install libsql`',
    )
    expect(existsSync(file)).toBe(false)
  })
})

/** The superuser may write anywhere, so a test that he runs is somebody else for a moment. */
function asOrdinaryUser(action: () => void): void {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    action()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

describe('when it is written', () => {
  it('writes of one turn share a transaction and are answered after its commit', async () => {
    const file = fresh()
    const handed = openDatabase(file)
    handed.exec('PRAGMA journal_mode = WAL')
    let commits = 0
    const store = sqlite(countCommits(handed, () => (commits += 1)))
    const other = sqlite(file)
    const ids = Array.from({ length: 50 }, (_, at) => `${at}`)
    await Promise.all(
      ids.map(async (id) => {
        await store.insert('claim', sampleClaim({ id }))
        expect(commits).toBe(1)
        expect(await other.find('claim', id)).toBeDefined()
      }),
    )
    await other.close()
  })

  it('the log is copied into the file once nobody writes', async () => {
    const file = fresh()
    const store = sqlite(file)
    for (let at = 0; at < 50; at += 1) await store.insert('claim', sampleClaim({ id: `${at}` }))
    const before = statSync(file).size
    await sleep(1500)
    expect(statSync(file).size).toBeGreaterThan(before)
    await store.close()
  })

  it('close leaves one file with everything in it', async () => {
    const file = fresh()
    const store = sqlite(file)
    await store.insert('claim', sampleClaim())
    await store.close()
    const log = statSync(`${file}-wal`, { throwIfNoEntry: false })
    expect(log?.size ?? 0).toBe(0)
    const again = sqlite(file)
    expect(await again.find('claim', 'claim')).toBeDefined()
    await again.close()
  })

  it('a database that was handed in stays open after close', async () => {
    const database = openDatabase(':memory:')
    const store = sqlite(database)
    await store.insert('claim', sampleClaim())
    await store.close()
    const next = sqlite(database)
    expect(await next.find('claim', 'claim')).toBeDefined()
  })

  it('a deletion leaves no row behind, in the index neither', async () => {
    const database = openDatabase(':memory:')
    const store = sqlite(database)
    for (let at = 0; at < 20; at += 1) {
      const id = `${at}`
      await store.insert('grant', sampleGrant({ id, expiresAt: NOW }))
      await store.replace('grant', sampleGrant({ id, expiresAt: NOW, subject: 'moved' }), 1)
    }
    expect(await store.take('grant', '3')).toBeDefined()
    expect(await store.deleteExpired(NOW, 100)).toBe(19)
    for (const table of ['mcp_oauth_records', 'mcp_oauth_index']) {
      expect(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()).toMatchObject({
        rows: 0,
      })
    }
  })

  it('a sweep keeps what lives on, however many of it, and finds what was moved to expire', async () => {
    const database = openDatabase(':memory:')
    const store = sqlite(database)
    for (let at = 0; at < 50; at += 1) {
      const id = `${at}`.padStart(2, '0')
      await store.insert('claim', sampleClaim({ id, expiresAt: NOW }))
      if (at % 5 !== 0) await store.replace('claim', sampleClaim({ id, expiresAt: NOW + at }), 1)
    }
    const toLook = (): unknown =>
      database
        .prepare(`SELECT count(*) AS rows FROM mcp_oauth_records WHERE sweep_at <= ${NOW}`)
        .get()
    expect(toLook()).toMatchObject({ rows: 50 })
    expect(await store.deleteExpired(NOW, 3)).toBe(3)
    expect(await store.deleteExpired(NOW, 3)).toBe(3)
    expect(await store.deleteExpired(NOW, 100)).toBe(4)
    expect(toLook()).toMatchObject({ rows: 0 })
    expect(await store.deleteExpired(NOW + 1, 100)).toBe(1)
    await store.replace('claim', sampleClaim({ id: '49', expiresAt: NOW }), 2)
    expect(await store.deleteExpired(NOW, 100)).toBe(1)
    expect(await store.deleteExpired(NOW + 50, 100)).toBe(38)
  })

  it('a listing goes by whole ids, also where many begin alike', async () => {
    const store = sqlite(':memory:')
    const ids = [
      'same so far 2',
      'same so far',
      'sam',
      'same so far 1',
      'same so',
      'zzz',
      'same sp',
    ]
    for (const id of ids) await store.insert('grant', sampleGrant({ id, subject: 'one' }))
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page: Listing<GrantRecord> = await store.list('grant', 'subject', 'one', {
        limit: 2,
        cursor,
      })
      seen.push(...page.rows.map(({ record }) => record.id))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(seen).toEqual(ids.toSorted())
  })

  it('ids that UTF-8 cannot tell apart are told apart', async () => {
    const store = sqlite(':memory:')
    const ids = ['\ud800', '\ud801', '\ufffd', '\ufffe"\\ud800"', '\ufffe']
    for (const id of ids) {
      expect(await store.insert('grant', sampleGrant({ id, subject: id }))).toBe(true)
    }
    for (const id of ids) {
      expect((await store.find('grant', id))?.record.id).toBe(id)
      const { rows } = await store.list('grant', 'subject', id, { limit: 9 })
      expect(rows.map(({ record }) => record.id)).toEqual([id])
    }
  })
})

function countCommits(database: SqliteDatabase, onCommit: () => void): SqliteDatabase {
  return {
    exec: (sql) => database.exec(sql),
    close: () => database.close(),
    prepare(sql) {
      return sql === 'COMMIT' ? onCommitOf(database, onCommit) : database.prepare(sql)
    },
  }
}

function onCommitOf(
  database: SqliteDatabase,
  onCommit: () => void,
): ReturnType<SqliteDatabase['prepare']> {
  const statement = database.prepare('COMMIT')
  return {
    get: (...values) => statement.get(...values),
    all: (...values) => statement.all(...values),
    run(...values) {
      onCommit()
      return statement.run(...values)
    },
  }
}

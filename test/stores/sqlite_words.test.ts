/** Texts that stand once in the file: what is told of them is committed, on whatever happens beside. */
import { describe, expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { openDatabase, type SqliteDatabase } from '../../src/stores/sqlite_database.ts'
import { createTables } from '../../src/stores/sqlite_schema.ts'
import { createWords, MOST_WORDS } from '../../src/stores/sqlite_words.ts'
import { sampleGrant } from '../../src/testing/contract/samples.ts'
import { TEXTS } from '../../src/testing/contract/texts.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')

function open(file = fresh()): SqliteDatabase {
  const database = openDatabase(file)
  database.exec('PRAGMA journal_mode = WAL')
  createTables(database)
  return database
}

function count(database: SqliteDatabase): unknown {
  const row = database.prepare('SELECT count(*) AS n FROM mcp_oauth_words').get()
  return (row as { readonly n: unknown }).n
}

describe('the words of a file', () => {
  it('have a number each, the same for every process and after a restart', () => {
    const file = fresh()
    const [one, other] = [createWords(open(file)), createWords(open(file))]
    const texts = ['https://mcp.example.com/mcp', 'notes:read', 'Notes:read', 'notes:read ']
    const numbers = texts.map((text, at) => (at % 2 === 0 ? one : other).numberOf(text))
    expect(new Set(numbers).size).toBe(texts.length)
    for (const words of [one, other, createWords(open(file))]) {
      expect(texts.map((text) => words.numberOf(text))).toEqual(numbers)
      expect(numbers.map((number) => words.textOf(number!))).toEqual(texts)
    }
  })

  it('ST-21 a text that an engine may give back as another is none, nor is a long one', () => {
    const words = createWords(open())
    for (const text of [...TEXTS, '', 'half \ud800', 'x'.repeat(201)]) {
      const number = words.numberOf(text)
      expect(number !== undefined).toBe(/^[ -~]+$/.test(text) && text.length <= 200)
      if (number !== undefined) expect(words.textOf(number)).toBe(text)
    }
  })

  it('are so many at most, whoever adds them; those that are there go on', () => {
    const file = fresh()
    const database = open(file)
    const words = createWords(database)
    for (let at = 0; at < MOST_WORDS + 50; at += 1) {
      expect(words.numberOf(`word ${at}`) !== undefined).toBe(at < MOST_WORDS)
    }
    expect(count(database)).toBe(MOST_WORDS)
    const other = createWords(open(file))
    expect(other.numberOf('one more')).toBeUndefined()
    expect(words.numberOf('word 7')).toBe(words.numberOf('word 7'))
    expect(words.textOf(words.numberOf('word 7')!)).toBe('word 7')
  })

  it('a number that nobody gave out is an error', () => {
    expect(() => createWords(open()).textOf(7)).toThrow('names a word that is not there')
  })
})

describe('a record and its words', () => {
  it('ST-09 while another holds the file, the text is written out, and is a word later', async () => {
    const file = fresh()
    const database = open(file)
    const other = open(file)
    const words = createWords(database)
    other.exec('BEGIN IMMEDIATE')
    expect(words.numberOf('held')).toBeUndefined()
    other.exec('ROLLBACK')
    expect(words.numberOf('held')).toBeDefined()
  })

  it("ST-09 none is added within a transaction of the database's owner, which he may undo", async () => {
    const database = open()
    const store = sqlite(database)
    database.exec('BEGIN')
    const refused = store.insert('grant', sampleGrant({ resource: 'https://undone.example' }))
    await expect(refused).rejects.toMatchObject({ name: 'StoreUnavailable' })
    database.exec('ROLLBACK')
    expect(count(database)).toBe(0)
    const grant = sampleGrant({ resource: 'https://undone.example' })
    expect(await store.insert('grant', grant)).toBe(true)
    expect((await sqlite(database).find('grant', 'grant'))?.record).toEqual(grant)
  })

  it('ST-11 a word that is gone is an outage for those who need it, never another text', async () => {
    const file = fresh()
    const first = sqlite(file)
    await first.insert('grant', sampleGrant())
    await first.close()
    open(file).exec('DELETE FROM mcp_oauth_words')
    const store = sqlite(file)
    await expect(store.find('grant', 'grant')).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await store.close()
  })
})

/**
 * Texts that the configuration chooses, and that each grant repeats: resources, scopes, issuers. They
 * stand once in a table, and records hold their number. A word is never deleted or changed.
 *
 * There are at most so many, as somebody may find a way to choose them: what comes later is written
 * out in each record. A word is committed before the record that names it is written.
 */
import { rollBack, type SqliteDatabase } from './sqlite_database.ts'
import type { Words } from './sqlite_packing.ts'

/** How many there are at most. */
export const MOST_WORDS = 1000

/** What SQLite gives back as it got it on every engine, and no longer than is worth keeping. */
const WORD = /^[\x20-\x7e]{1,200}$/

const SQL = {
  add: `INSERT OR IGNORE INTO mcp_oauth_words (word)
    SELECT ? WHERE (SELECT count(*) FROM mcp_oauth_words) < ${MOST_WORDS}`,
  find: 'SELECT number FROM mcp_oauth_words WHERE word = ?',
  read: 'SELECT word FROM mcp_oauth_words WHERE number = ?',
} as const

/** The words of `database`, those that were used kept in memory. */
export function createWords(database: SqliteDatabase): Words {
  const find = database.prepare(SQL.find)
  const read = database.prepare(SQL.read)
  const add = createAdd(database)
  const numbers = new Map<string, number>()
  const texts = new Map<number, string>()
  /** No more words are added. */
  let isFull = false

  function know(text: string, number: number): void {
    numbers.set(text, number)
    texts.set(number, text)
  }

  function look(text: string): number | undefined {
    const row = find.get(text) as { readonly number: number | bigint } | undefined
    if (row !== undefined) know(text, Number(row.number))
    return numbers.get(text)
  }

  return {
    numberOf(text) {
      const known = numbers.get(text)
      if (known !== undefined || isFull || !WORD.test(text)) return known
      if (look(text) === undefined && add(text)) isFull = look(text) === undefined
      return numbers.get(text)
    },
    textOf(number) {
      const known = texts.get(number)
      if (known !== undefined) return known
      const row = read.get(number) as { readonly word: string } | undefined
      if (row === undefined) throw new Error('a record names a word that is not there')
      know(row.word, number)
      return row.word
    },
  }
}

/** Commits a word by itself; false when that cannot be now, and the text is written out. */
function createAdd(database: SqliteDatabase): (text: string) => boolean {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const add = database.prepare(SQL.add)
  return function addWord(text) {
    try {
      begin.run()
    } catch {
      return false
    }
    try {
      add.run(text)
      database.exec('COMMIT')
      return true
    } catch {
      rollBack(database)
      return false
    }
  }
}

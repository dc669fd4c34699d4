/** The titles of the tests, read from their files: what they claim to prove. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const CALL = /\b(?:describe|it|test|browserSuite)\b(?:\.\w+)*/
const TITLE = /(['"`])((?:\\.|(?!\1)[\s\S])*?)\1/
const TITLED = new RegExp(`${CALL.source}\\(\\s*${TITLE.source}`, 'g')
// `it.each(table)('title')`: the table may be long, and ends where a bracket is followed by another.
const EACH = new RegExp(`\\)\\(\\s*${TITLE.source}\\s*,`, 'g')

/** Each test file below `root` with its titles, describe blocks included, in their order. */
export function readTitles(root) {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => {
      const file = join('test', name)
      const text = readFileSync(join(root, file), 'utf8')
      const found = [...text.matchAll(TITLED), ...text.matchAll(EACH)]
      return { file, titles: found.sort((a, b) => a.index - b.index).map((match) => match[2]) }
    })
}

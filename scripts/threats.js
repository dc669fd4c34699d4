/**
 * Lists the rows of `docs/threats.md` that no test names, chapter by chapter.
 *
 * With a report of vitest (`node scripts/threats.js report.json`) only tests that passed count; without
 * one, the titles in the test files do.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readTitles } from './titles.js'

const ROOT = resolve(import.meta.dirname, '..')
const ID = /\b[A-Z]{2}-\d{2}\b/g

/** The chapters of the catalogue, each with its rows and whether it waits for something unbuilt. */
function chapters() {
  const text = readFileSync(join(ROOT, 'docs/threats.md'), 'utf8')
  return text
    .split(/^## /m)
    .map((chapter) => ({
      title: chapter.slice(0, chapter.indexOf('\n')),
      waits: /^_Not built yet/m.test(chapter),
      rows: [...chapter.matchAll(/^\| ([A-Z]{2}-\d{2}) \| (\w+) \|/gm)].map(([, id, severity]) => ({
        id,
        severity,
      })),
    }))
    .filter(({ rows }) => rows.length > 0)
}

function namedBy(report) {
  const titles =
    report === undefined
      ? readTitles(ROOT).flatMap(({ titles }) => titles)
      : JSON.parse(readFileSync(report, 'utf8'))
          .testResults.flatMap(({ assertionResults }) => assertionResults)
          .filter(({ status }) => status === 'passed')
          .map(({ fullName }) => fullName)
  return new Set(titles.flatMap((title) => title.match(ID) ?? []))
}

const named = namedBy(process.argv[2])
const all = chapters()
const known = new Set(all.flatMap(({ rows }) => rows.map(({ id }) => id)))
const missing = all
  .map((chapter) => ({ ...chapter, rows: chapter.rows.filter(({ id }) => !named.has(id)) }))
  .filter(({ rows }) => rows.length > 0)

const proved = [...named].filter((id) => known.has(id)).length
process.stdout.write(`Attack catalogue: ${proved} of ${known.size} rows are named by a test.\n`)
for (const { title, waits, rows } of missing) {
  // What waits for a part that does not exist yet is one line, so that the holes can be seen.
  const ids = waits ? `not built yet (${rows.length})` : rows.map(({ id }) => id).join(' ')
  process.stdout.write(`  ${title}: ${ids}\n`)
}
const grave = missing.flatMap(({ waits, rows }) =>
  waits ? [] : rows.filter(({ severity }) => severity === 'critical'),
)
if (grave.length > 0) {
  process.stdout.write(`  Of these critical: ${grave.map(({ id }) => id).join(' ')}\n`)
}

const strange = [...named].filter((id) => !known.has(id) && known.has(`${id.slice(0, 2)}-01`))
if (strange.length > 0) {
  process.stderr.write(`✗ docs/threats.md has no row ${strange.sort().join(', ')}\n`)
  process.exitCode = 1
}

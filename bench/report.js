/**
 * `node bench/report.js results.json`: writes `docs/performance.md` and its chart from the results of a run.
 * The words are in `report/performance.md`. Further results, of other versions of Node, add a table.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run, tool } from '../scripts/set_up.js'
import { drawChart } from './report/chart.js'
import { aimTable, otherNodes, tables } from './report/tables.js'

const DOCS = resolve(import.meta.dirname, '../docs')
const WORDS = join(import.meta.dirname, 'report/performance.md')
const MARK = '<!-- results -->'

const files = process.argv.slice(2)
if (files.length === 0) {
  process.stderr.write('node bench/report.js <results.json> [results on another Node ...]\n')
  process.exitCode = 1
} else {
  await write(files.map((file) => JSON.parse(readFileSync(file, 'utf8'))))
}

async function write(all) {
  const [main] = all
  const more = [...(all.length > 1 ? otherNodes(all) : []), ...aimTable(main)]
  const [document, chart] = [join(DOCS, 'performance.md'), join(DOCS, 'performance.svg')]
  const text = readFileSync(WORDS, 'utf8').replace(MARK, [tables(main), ...more].join('\n'))
  writeFileSync(document, text)
  writeFileSync(chart, drawChart(main))
  const prettier = tool('prettier/bin/prettier.cjs')
  await run('prettier', process.execPath, [prettier, '--log-level=warn', '--write', document])
}

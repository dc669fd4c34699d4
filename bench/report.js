/**
 * `node bench/report.js results.json`: writes the tables of the results into `docs/performance.md`, between
 * the marks that stand there, and the chart beside it. What was measured by hand stands nowhere.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { drawChart } from './report/chart.js'
import { cell } from './report/print.js'

const ROOT = resolve(import.meta.dirname, '..')
const [BEGIN, END] = ['<!-- begin: results -->', '<!-- end: results -->']

const [file, document = `${ROOT}/docs/performance.md`] = process.argv.slice(2)
if (file === undefined || !existsSync(file)) {
  process.stderr.write('node bench/report.js <results.json> [document]\n')
  process.exitCode = 1
} else {
  const results = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(document, fill(readFileSync(document, 'utf8'), tables(results)))
  writeFileSync(document.replace(/\.md$/, '.svg'), drawChart(results))
}

/** @throws Error where the document has no place for them */
function fill(text, tables) {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`no ${BEGIN} and ${END} in the document`)
  return `${text.slice(0, from + BEGIN.length)}\n\n${tables}\n\n${text.slice(to)}`
}

function tables({ machine, options, workloads }) {
  const { cpu, cores, memory, system, node, date, pinned } = machine
  const held = pinned
    ? 'the servers on one core, the load and the engines on the other'
    : 'no core is held'
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `Measured on ${date}: ${cpu}, ${cores} cores, ${memory}, ${system}, Node ${node.slice(1)}; ${held}.`,
    `${options.rounds} rounds of ${options.seconds} seconds, ${options.connections} connections.`,
    `${versions.join(', ')}.`,
    ...Object.values(workloads).flatMap(tableOf),
  ].join('\n')
}

function tableOf({ title, columns, rows }) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  const head = line(['', ...columns.map(({ label }) => label)])
  const rule = line(['---', ...columns.map(() => '--:')])
  const body = rows.map(({ label, values }) =>
    line([label, ...columns.map((column) => cell(column, values))]),
  )
  return ['', `### ${title}`, '', head, rule, ...body]
}

/** Results as tables of Markdown. */
import { aims } from './aims.js'
import { cell } from './print.js'

/** Where it was measured, and a table for each workload. */
export function tables({ machine, options, workloads }) {
  const { cpu, cores, memory, system, node, date, pinned } = machine
  const where = `${cpu}, ${cores} cores, ${memory}, ${system}, Node ${node.slice(1)}`
  const held = pinned ? '' : ' No core was held for anybody.'
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  const { rounds, seconds, connections } = options
  return [
    `Measured on ${date}: ${where}.${held} ${rounds} rounds of ${seconds} seconds, ${connections} connections.`,
    ...(versions.length > 0 ? ['', `Peers: ${versions.join(', ')}.`] : []),
    ...Object.values(workloads).flatMap(tableOf),
  ].join('\n')
}

/** What was aimed at and what was reached, where anything of it was measured. */
export function aimTable(results) {
  const rows = aims(results)
  if (rows.length === 0) return []
  return ['', '### Aims', '', ...table(['', 'aim', 'reached', 'met'], rows)]
}

/** Without the details, which are in the results. */
function tableOf({ title, columns: all, rows }) {
  const columns = all.filter(({ isDetail }) => isDetail !== true)
  const head = ['', ...columns.map(({ label }) => label)]
  const body = rows.map(({ label, values }) => [label, ...columns.map((one) => cell(one, values))])
  return ['', `### ${title}`, '', ...table(head, body)]
}

/** The CPU time of the same requests on several versions of Node, and what it is of their floors. */
export function otherNodes(all) {
  const names = { refresh: 'W1: refresh', call: 'W3: guarded call' }
  const head = [
    'CPU µs, and the ratio to the floor',
    ...all.map(({ machine }) => machine.node.slice(1)),
  ]
  return Object.entries(names).flatMap(([workload, title]) => {
    const rows = all[0].workloads[workload]?.rows ?? []
    const body = rows.map(({ name, label }) => [
      label,
      ...all.map((one) => figure(one, workload, name)),
    ])
    return body.length === 0
      ? []
      : ['', `### ${title}, by the version of Node`, '', ...table(head, body)]
  })
}

function figure({ workloads }, workload, name) {
  const row = workloads[workload]?.rows.find((one) => one.name === name)
  if (row?.values.cpu === undefined) return '–'
  return `${row.values.cpu.median.toFixed(1)} (${row.values.cpuRatio.median.toFixed(3)})`
}

function table(head, body) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '--:'))), ...body.map(line)]
}

/**
 * The results as one SVG: for each workload with a rate the cost of a request at each target, on a
 * logarithmic scale, so that what costs a hundred times as much still stands on the page. It is as
 * readable on a dark page as on a light one.
 */
import { format } from './print.js'

/** What is drawn: the workload, what its bars are, and the heading. */
const CHARTS = [
  { workload: 'refresh', key: 'cpu', heading: 'Refresh with rotation, µs of CPU a request' },
  { workload: 'sign-in', key: 'cpu', heading: 'A whole sign-in, µs of CPU' },
  { workload: 'call', key: 'added', heading: 'What the guard adds to a tool call, µs of CPU' },
]

const [WIDTH, LABEL, BAR, GAP, HEAD, VALUE] = [840, 330, 16, 8, 44, 70]
/** Bars begin below the smallest figure, as a logarithm has no zero. */
const LEAST = 0.5

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600; font-size: 15px }
  .bar { fill: #8c959f } .ours { fill: #0969da } .floor { fill: #d0d7de }
  .page { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6e7681 } .ours { fill: #4493f8 } .floor { fill: #30363d }
    .page { fill: #0d1117 }
  }`

export function drawChart({ workloads, machine }) {
  const parts = []
  let y = 12
  for (const chart of CHARTS) {
    const rows = rowsOf(workloads[chart.workload], chart)
    if (rows.length === 0) continue
    parts.push(...drawRows(rows, chart.heading, y))
    y += HEAD + rows.length * (BAR + GAP) + 16
  }
  const where = `Shorter is better; the scale is logarithmic. ${machine.cpu}, Node ${machine.node.slice(1)}`
  parts.push(`<text x="16" y="${y + 8}">${escape(where)}</text>`)
  const size = `width="${WIDTH}" height="${y + 24}" viewBox="0 0 ${WIDTH} ${y + 24}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="Costs of a request">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="100%" height="100%"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

/** The cheapest first. What costs less than can be measured is drawn as the least. */
function rowsOf(workload, { key }) {
  const rows = workload?.rows ?? []
  return rows
    .filter(
      ({ values, name }) => values[key] !== undefined && !(key === 'added' && name === 'floor'),
    )
    .map(({ name, label, values }) => ({ name, label, value: values[key].median }))
    .toSorted((a, b) => a.value - b.value)
}

function drawRows(rows, heading, top) {
  const most = Math.max(...rows.map(({ value }) => value), LEAST * 2)
  const scale = (WIDTH - LABEL - VALUE - 16) / Math.log(most / LEAST)
  const lines = rows.map(({ name, label, value }, at) => {
    const y = top + HEAD + at * (BAR + GAP)
    const length = Math.max(2, Math.log(Math.max(value, LEAST) / LEAST) * scale)
    return [
      `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${escape(label)}</text>`,
      `<rect class="${classOf(name)}" x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2"/>`,
      `<text x="${(LABEL + length + 6).toFixed(1)}" y="${y + 13}">${format(value, 1)}</text>`,
    ].join('')
  })
  return [`<text class="head" x="16" y="${top + 24}">${escape(heading)}</text>`, ...lines]
}

function classOf(name) {
  if (name.startsWith('floor')) return 'floor'
  return name === 'gateway' || name.startsWith('ours') ? 'ours' : 'bar'
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

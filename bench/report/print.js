/** Results as a table for a terminal. What goes on meanwhile goes to the other stream. */

export function say(line) {
  process.stderr.write(`${line}\n`)
}

export function print({ columns, rows }) {
  const head = ['', ...columns.map(({ label }) => label)]
  const lines = rows.map(({ label, values }) => [label, ...columns.map((one) => cell(one, values))])
  const widths = head.map((_, at) => Math.max(...[head, ...lines].map((line) => line[at].length)))
  for (const line of [head, ...lines]) {
    const cells = line.map((text, at) =>
      at === 0 ? text.padEnd(widths[at]) : text.padStart(widths[at]),
    )
    process.stdout.write(`${cells.join('  ')}\n`)
  }
}

/** `median (min–max)`, or the one figure there is. */
export function cell({ key, digits }, values) {
  const value = values[key]
  if (value === undefined) return '–'
  if (typeof value === 'number') return format(value, digits)
  const { median, min, max } = value
  const around = min === max ? '' : ` (${format(min, digits)}–${format(max, digits)})`
  return `${format(median, digits)}${around}`
}

export function format(value, digits) {
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

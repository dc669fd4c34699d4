/** The parts of the benchmark that a whole run would not show to be wrong: reading answers, and telling figures. */
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const BENCH = resolve(import.meta.dirname, '../../bench')

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

async function load<T>(path: string): Promise<T> {
  const file: string = join(BENCH, path)
  return (await import(file)) as T
}

const { readAnswer } = await load<{ readAnswer(text: string): Answer | undefined }>(
  'load/connection.js',
)
const { spread } = await load<{ spread(figures: readonly number[]): Spread | undefined }>(
  'spread.js',
)
const { drawChart } = await load<{ drawChart(results: unknown): string }>('report/chart.js')
const { aimTable, tables, otherNodes } = await load<{
  aimTable(results: unknown): readonly string[]
  tables(results: unknown): string
  otherNodes(all: readonly unknown[]): readonly string[]
}>('report/tables.js')

const HEAD = 'HTTP/1.1 200 OK\r\n'

describe('an answer', () => {
  test('is there when all of it has come', () => {
    const whole = `${HEAD}Content-Length: 5\r\n\r\nhello`
    for (let length = 0; length < whole.length; length += 1) {
      expect(readAnswer(whole.slice(0, length))).toBeUndefined()
    }
    expect(readAnswer(whole)).toMatchObject({ status: 200, body: 'hello' })
  })

  test('RFC 9112 §7.1 may come in chunks', () => {
    const whole = `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n`
    for (let length = 0; length < whole.length; length += 1) {
      expect(readAnswer(whole.slice(0, length))).toBeUndefined()
    }
    expect(readAnswer(whole)).toMatchObject({ status: 200, body: 'hello world' })
  })

  test('may have no body', () => {
    expect(readAnswer('HTTP/1.1 204 No Content\r\n\r\n')).toMatchObject({ status: 204, body: '' })
  })

  test('is one, and says how long it is', () => {
    expect(() => readAnswer(`${HEAD}Content-Length: 1\r\n\r\nab`)).toThrow('more than one answer')
    expect(() => readAnswer(`${HEAD}Server: x\r\n\r\n`)).toThrow('without a length')
  })
})

test.each([
  [[3, 1, 2], { median: 2, min: 1, max: 3 }],
  [[4, 1, 2, 3], { median: 2.5, min: 1, max: 4 }],
  [[7], { median: 7, min: 7, max: 7 }],
  [[NaN, 5, Infinity], { median: 5, min: 5, max: 5 }],
  [[], undefined],
])('the median of %j', (figures, told) => {
  expect(spread(figures)).toEqual(told)
})

const one = (value: number) => ({ median: value, min: value - 1, max: value + 1 })
const results = {
  machine: {
    cpu: 'A CPU',
    cores: 2,
    memory: '4 GiB',
    system: 'Linux',
    node: 'v24.0.0',
    versions: {},
  },
  options: { rounds: 5, seconds: 3, connections: 32 },
  workloads: {
    refresh: {
      title: 'W1',
      columns: [
        { key: 'cpu', label: 'CPU µs', digits: 1 },
        { key: 'p99', label: 'p99', digits: 1, isDetail: true },
        { key: 'disk', label: 'disk', digits: 0 },
      ],
      rows: [
        { name: 'floor', label: 'floor', values: { cpu: one(10), cpuRatio: one(1), p99: one(9) } },
        { name: 'ours', label: 'ours <&>', values: { cpu: one(40), cpuRatio: one(0.25) } },
      ],
    },
  },
}

describe('a report', () => {
  test('has a row for each target, and a dash where nothing was measured', () => {
    const text = tables(results)
    expect(text).toContain('| floor | 10.0 (9.0–11.0) | – |')
    expect(text).toContain('| ours <&> | 40.0 (39.0–41.0) | – |')
    expect(text).not.toContain('p99')
  })

  test('has a column for each version of Node', () => {
    const other = { ...results, machine: { ...results.machine, node: 'v20.0.0' } }
    const text = otherNodes([results, other]).join('\n')
    expect(text).toContain('24.0.0 | 20.0.0')
    expect(text).toContain('| floor | 10.0 (1.000) | 10.0 (1.000) |')
  })
})

describe('what is aimed at', () => {
  const growing = (name: string, refreshCpu: number, disk: number) => ({
    name: `ours-sqlite ${name}`,
    values: { refreshCpu: one(refreshCpu), callCpu: one(10), refreshRate: one(9000), disk },
  })
  const grown = [growing('1000', 40, 900), growing('100000', 50, 600), growing('1000000', 90, 390)]
  const run = { workloads: { ...results.workloads, growth: { title: 'W4: growth', rows: grown } } }

  test('stands beside what was reached, and whether that is it', () => {
    const text = aimTable(run).join('\n')
    expect(text).toContain('| W1: memory, of the floor by CPU | ≥ 0.55 | 0.25 | no |')
    expect(text).toContain('among most grants, of one among fewest | ≤ 2.00 | 2.25 | no |')
    expect(text).toContain('| W4: SQLite, bytes on disk a grant | ≤ 400 | 390 | yes |')
    expect(text).toContain('refreshes a second among most grants | ≥ 15,000 | 9,000 | no |')
  })

  test('is left out where nothing of it was measured', () => {
    expect(aimTable(results).filter((line) => line.startsWith('| W'))).toHaveLength(1)
    expect(aimTable({ workloads: {} })).toEqual([])
    expect(aimTable(run).join()).not.toMatch(/NaN|undefined|Redis/)
  })
})

test('a chart has the cheapest first, and is well-formed', () => {
  const text = drawChart(results)
  expect(text.indexOf('>floor<')).toBeLessThan(text.indexOf('>ours &lt;&amp;><'))
  expect(text).toContain('prefers-color-scheme: dark')
  expect(text.match(/<(?!\/|rect)\w+/g)?.length).toBe(text.match(/<\/\w+/g)?.length)
})

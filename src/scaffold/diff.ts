/**
 * The difference of two texts, as `diff -u` writes it: what is shown before anything is written.
 */

interface Line {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

const CONTEXT = 3
const NO_NEWLINE = '\\ No newline at end of file'
/** Beyond this many pairs of lines the middle is shown as replaced as a whole. */
const MAX_PAIRS = 4_000_000

/** Empty where nothing changes. `old` is undefined for a new file. */
export function unifiedDiff(path: string, old: string | undefined, text: string): string {
  const [before, after] = [linesOf(old ?? ''), linesOf(text)]
  const lines = compare(before, after)
  const hunks = hunksOf(lines)
  if (hunks.length === 0) return ''
  return [
    `--- ${old === undefined ? '/dev/null' : `a/${path}`}`,
    `+++ b/${path}`,
    ...hunks.flatMap((hunk) => writeHunk(lines, hunk)),
    '',
  ].join('\n')
}

/** With their ends, so that a file without the last one differs. */
function linesOf(text: string): readonly string[] {
  return text === '' ? [] : (text.match(/[^\n]*\n|[^\n]+$/g) ?? [])
}

/** Longest common subsequence, after what is equal at both ends. */
function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1
  let end = 0
  while (
    end < Math.min(before.length, after.length) - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end += 1
  }
  const middle = between(
    before.slice(start, before.length - end),
    after.slice(start, after.length - end),
  )
  const same = (text: string): Line => ({ sign: ' ', text })
  return [
    ...before.slice(0, start).map(same),
    ...middle,
    ...before.slice(before.length - end).map(same),
  ]
}

function between(before: readonly string[], after: readonly string[]): readonly Line[] {
  if (before.length * after.length > MAX_PAIRS) {
    return [...before.map(removed), ...after.map(added)]
  }
  const common = commonLengths(before, after)
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const [left = '', right = ''] = [before[i], after[j]]
    if (i < before.length && j < after.length && left === right) {
      lines.push({ sign: ' ', text: left })
      i += 1
      j += 1
    } else if (i < before.length && (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0)) {
      lines.push(removed(left))
      i += 1
    } else if (j < after.length) {
      lines.push(added(right))
      j += 1
    } else {
      lines.push(removed(left))
      i += 1
    }
  }
  return lines
}

function removed(text: string): Line {
  return { sign: '-', text }
}

function added(text: string): Line {
  return { sign: '+', text }
}

/** How many lines what is behind `i` and `j` has in common. */
function commonLengths(
  before: readonly string[],
  after: readonly string[],
): readonly Uint32Array[] {
  const table = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1))
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const [row, below] = [table[i], table[i + 1]]
      if (row === undefined || below === undefined) continue
      row[j] =
        before[i] === after[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return table
}

interface Hunk {
  readonly from: number
  readonly to: number
}

/** Changes with the lines around them; those that would touch are one. */
function hunksOf(lines: readonly Line[]): readonly Hunk[] {
  const hunks: Hunk[] = []
  for (const [at, { sign }] of lines.entries()) {
    if (sign === ' ') continue
    const hunk = { from: Math.max(0, at - CONTEXT), to: Math.min(lines.length, at + CONTEXT + 1) }
    const last = hunks.at(-1)
    if (last === undefined || hunk.from > last.to) hunks.push(hunk)
    else hunks[hunks.length - 1] = { from: last.from, to: hunk.to }
  }
  return hunks
}

function writeHunk(lines: readonly Line[], { from, to }: Hunk): readonly string[] {
  const count = (signs: string, slice: readonly Line[]) =>
    slice.filter(({ sign }) => signs.includes(sign)).length
  const [ahead, inside] = [lines.slice(0, from), lines.slice(from, to)]
  const [oldCount, newCount] = [count(' -', inside), count(' +', inside)]
  const oldStart = count(' -', ahead) + (oldCount === 0 ? 0 : 1)
  const newStart = count(' +', ahead) + (newCount === 0 ? 0 : 1)
  return [
    `@@ -${oldStart},${oldCount} +${newStart},${newCount} @@`,
    ...inside.flatMap(({ sign, text }) =>
      text.endsWith('\n') ? [`${sign}${text.slice(0, -1)}`] : [`${sign}${text}`, NO_NEWLINE],
    ),
  ]
}

/** What to take away and what to add to make one text of another, as a reader of a document wants it. */

/** Lines that stay, before and behind what changes. */
const CONTEXT = 1

type Line = readonly [sign: ' ' | '+' | '-', text: string]

/** The hunks of a unified diff, without places and file names; `@@` stands between them. */
export function diff(before: string, after: string): string {
  const lines = compare(before.trimEnd().split('\n'), after.trimEnd().split('\n'))
  const shown = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(([sign]) => sign !== ' '),
  )
  return lines
    .flatMap(([sign, text], at) => {
      if (shown[at] !== true) return []
      const gap = at > 0 && shown[at - 1] !== true && shown.slice(0, at).includes(true)
      return [...(gap ? ['@@'] : []), `${sign}${text}`.trimEnd()]
    })
    .join('\n')
}

function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  const common = commonLengths(before, after)
  const lines: Line[] = []
  let [from, to] = [0, 0]
  while (from < before.length || to < after.length) {
    const [old, fresh] = [before[from], after[to]]
    if (old !== undefined && old === fresh) {
      lines.push([' ', old])
      from += 1
      to += 1
    } else if (
      fresh === undefined ||
      (old !== undefined && common(from + 1, to) >= common(from, to + 1))
    ) {
      lines.push(['-', old ?? ''])
      from += 1
    } else {
      lines.push(['+', fresh])
      to += 1
    }
  }
  return lines
}

/** How many lines two texts have in common, in order, from these of their lines on. */
function commonLengths(
  before: readonly string[],
  after: readonly string[],
): (from: number, to: number) => number {
  const table = before.map(() => Array<number>(after.length).fill(0))
  const at = (from: number, to: number): number => table[from]?.[to] ?? 0
  for (let from = before.length - 1; from >= 0; from -= 1) {
    for (let to = after.length - 1; to >= 0; to -= 1) {
      const row = table[from]
      if (row === undefined) continue
      row[to] =
        before[from] === after[to]
          ? at(from + 1, to + 1) + 1
          : Math.max(at(from + 1, to), at(from, to + 1))
    }
  }
  return at
}

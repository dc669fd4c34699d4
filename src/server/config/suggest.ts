/** The known name that `typed` was probably meant to be, as `; did you mean …?`; empty when none is near. */
export function suggest(typed: string, known: Iterable<string>): string {
  let best: string | undefined
  let least = Math.max(2, Math.floor(typed.length / 3)) + 1
  for (const name of known) {
    const away = distance(typed.toLowerCase(), name.toLowerCase())
    if (away < least) {
      best = name
      least = away
    }
  }
  return best === undefined ? '' : `; did you mean ${best}?`
}

/** Levenshtein's. Names are short, and whoever types a long one gets no suggestion. */
function distance(a: string, b: string): number {
  if (a.length > 60) return Infinity
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, right] of [...b].entries()) {
      const change = (row[j] ?? 0) + (left === right ? 0 : 1)
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? Infinity
}

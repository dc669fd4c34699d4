/** What a fault has shown: what was counted, and what broke a promise. */

export interface Finding {
  /** What the numbers of the table are made of. */
  count(what: string, by?: number): void
  /** Counts nothing where it holds; else the promise is a line of the report. */
  promise(holds: boolean, promise: string): void
  readonly counts: ReadonlyMap<string, number>
  readonly broken: readonly string[]
}

export function createFinding(): Finding {
  const counts = new Map<string, number>()
  const broken: string[] = []
  return {
    counts,
    broken,
    count: (what, by = 1) => void counts.set(what, (counts.get(what) ?? 0) + by),
    promise: (holds, promise) => void (holds || broken.push(promise)),
  }
}

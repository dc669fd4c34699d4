/**
 * A recorded history of one versioned record, and whether some order of its calls explains it.
 *
 * Versions give the order of the writes, so nothing has to be searched: each version has one writer, no
 * answer is older than what was known when its call began, and none is from the future.
 */

/** One call. `begin` and `end` are ticks of one counter; a call without an answer has no end. */
export interface Call {
  readonly begin: number
  readonly end: number
  readonly what:
    | { readonly type: 'read'; readonly version: number; readonly value: string }
    | {
        readonly type: 'replace'
        /** The version that it was to replace. */
        readonly from: number
        readonly value: string
        /** What was answered; undefined when nothing was: it may be done, or may yet be. */
        readonly answer: boolean | undefined
      }
}

/** Every fault found; none when the history of a record that was inserted with `first` can be explained. */
export function faultsOf(calls: readonly Call[], first: string): readonly string[] {
  const { values, faults } = valuesOf(calls, first)
  return [...faults, ...calls.flatMap((call) => faultsOfCall(call, calls, values))]
}

/** The value of each version, told by the writes that were answered and by the reads. */
function valuesOf(
  calls: readonly Call[],
  first: string,
): { readonly values: ReadonlyMap<number, string>; readonly faults: readonly string[] } {
  const values = new Map([[1, first]])
  const faults: string[] = []
  for (const { what } of calls) {
    if (what.type === 'replace' && what.answer !== true) continue
    const version = what.type === 'read' ? what.version : what.from + 1
    const known = values.get(version)
    if (known !== undefined && known !== what.value) {
      faults.push(`version ${version} is both ${known} and ${what.value}`)
    }
    values.set(version, what.value)
  }
  return { values, faults }
}

function faultsOfCall(
  { begin, end, what }: Call,
  calls: readonly Call[],
  values: ReadonlyMap<number, string>,
): readonly string[] {
  if (what.type === 'replace' && what.answer === undefined) return []
  const faults: string[] = []
  const known = knownAt(begin, calls)
  if (what.type === 'read') {
    if (what.version < known) faults.push(`read ${what.version} after ${known} was known`)
    if (what.version > 1 && !isWritten(what.version, what.value, end, calls)) {
      faults.push(`read ${what.version} ${what.value}, which nobody wrote`)
    }
  } else if (what.answer === true && what.from < known) {
    faults.push(`replaced ${what.from} after ${known} was known`)
  } else if (what.answer === false) {
    if (values.get(what.from + 1) === what.value) faults.push(`${what.value} refused, and written`)
    if (!canHaveMoved(what.from, end, calls))
      faults.push(`${what.from} refused, and nobody moved it`)
  }
  return faults
}

/** The highest version that an answer before `tick` has told of. */
function knownAt(tick: number, calls: readonly Call[]): number {
  let known = 1
  for (const { end, what } of calls) {
    if (end >= tick) continue
    if (what.type === 'read') known = Math.max(known, what.version)
    else if (what.answer === true) known = Math.max(known, what.from + 1)
  }
  return known
}

function isWritten(
  version: number,
  value: string,
  before: number,
  calls: readonly Call[],
): boolean {
  return calls.some(
    ({ begin, what }) =>
      what.type === 'replace' &&
      what.answer !== false &&
      what.from + 1 === version &&
      what.value === value &&
      begin < before,
  )
}

function canHaveMoved(from: number, before: number, calls: readonly Call[]): boolean {
  return calls.some(
    ({ begin, what }) =>
      what.type === 'replace' && what.answer !== false && what.from === from && begin < before,
  )
}

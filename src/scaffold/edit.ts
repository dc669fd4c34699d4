/**
 * A change to a text: some of it replaced. All else stays as it is, byte for byte.
 */

export interface Edit {
  /** Offsets; equal where something is put in. */
  readonly start: number
  readonly end: number
  /** With `\n` at the ends of lines, whatever the text has. */
  readonly text: string
}

/** Edits that overlap are a fault of this program. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const eol = lineEndOf(text)
  let result = ''
  let at = 0
  // Those at one place keep their order.
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    if (edit.start < at) throw new RangeError('two edits overlap')
    result += text.slice(at, edit.start) + edit.text.replaceAll('\n', eol)
    at = edit.end
  }
  return result + text.slice(at)
}

/** The line of what stood at `offset`, after the edits. */
export function lineAfter(text: string, edits: readonly Edit[], offset: number): number {
  const ahead = edits.filter(({ start }) => start <= offset)
  return applyEdits(text.slice(0, offset), ahead).split('\n').length
}

/** The line end that most lines have. */
export function lineEndOf(text: string): '\n' | '\r\n' {
  const all = text.split('\n').length - 1
  const windows = text.split('\r\n').length - 1
  return windows * 2 > all ? '\r\n' : '\n'
}

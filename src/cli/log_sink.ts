/**
 * The way of log lines to standard error, which may be a pipe that nobody empties.
 *
 * Node keeps in memory what a full pipe does not take. So beyond a bound lines are lost, and counted:
 * calls go on without their log rather than not at all.
 */

/** As much of a stream as is needed. */
export interface LineStream {
  readonly writableLength: number
  write(text: string): unknown
  on(event: 'error', listener: () => void): unknown
}

const MAX_WAITING = 1024 * 1024

export function createLogSink(stream: LineStream): (line: string) => void {
  let lost = 0
  // Whoever read it has gone. There is nobody to tell.
  stream.on('error', () => {})
  return (line) => {
    if (stream.writableLength > MAX_WAITING) {
      lost += 1
      return
    }
    if (lost > 0)
      stream.write(`${JSON.stringify({ level: 'warn', event: 'log_lost', lines: lost })}\n`)
    lost = 0
    stream.write(line)
  }
}

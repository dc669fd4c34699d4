/**
 * What must be over in time: one timer for all that is under way, since one for each body costs more than
 * the rest of reading it.
 *
 * It ticks once a second while there is something to wait for, so a deadline comes up to a second late,
 * and never early.
 */
const TICK = 1000

export interface Deadline {
  /** How many more ticks there are. */
  left: number
  readonly missed: () => void
}

const pending = new Set<Deadline>()
let timer: NodeJS.Timeout | undefined

/** Calls `missed` after `seconds`, or up to a second later, unless `dropDeadline` is called before. */
export function setDeadline(seconds: number, missed: () => void): Deadline {
  // Of the tick under way only a part is left.
  const deadline = { left: Math.ceil(seconds) + 1, missed }
  pending.add(deadline)
  timer ??= setInterval(tick, TICK).unref()
  return deadline
}

export function dropDeadline(deadline: Deadline): void {
  pending.delete(deadline)
}

function tick(): void {
  if (pending.size === 0) {
    clearInterval(timer)
    timer = undefined
  }
  for (const deadline of pending) {
    deadline.left -= 1
    if (deadline.left > 0) continue
    pending.delete(deadline)
    deadline.missed()
  }
}

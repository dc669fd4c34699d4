/**
 * The time that one call may take, from the first step to the last. What has not come by then is given
 * up; the work itself may still go on somewhere, and its outcome is unknown.
 */

export interface Deadline {
  /** The result of `work`, if it comes in time. Rejects at the deadline. */
  race<T>(work: Promise<T>): Promise<T>
  /** Waits for so many milliseconds, or rejects at the deadline. */
  pause(milliseconds: number): Promise<void>
  /** Lets go of the timer. */
  end(): void
}

/** A deadline so many milliseconds from now. */
export function startDeadline(milliseconds: number): Deadline {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    const late = (): void => reject(new Error(`no answer within ${milliseconds / 1000} s`))
    timer = setTimeout(late, milliseconds)
  })
  over.catch(() => undefined)
  const race = <T>(work: Promise<T>): Promise<T> => Promise.race([work, over])
  return {
    race,
    pause: (length) => race(new Promise((resolve) => setTimeout(resolve, length))),
    end: () => clearTimeout(timer),
  }
}

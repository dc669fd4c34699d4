/**
 * Deletes what has expired, a little at a time while the server is in use. Nothing depends on it: the
 * rules look at the clock themselves.
 *
 * Any number of servers may sweep one store at once: what one has deleted the other does not find.
 */
import { setTimeout } from 'node:timers/promises'
import { isWorkers, seeThrough } from '../http/runtime.ts'
import type { Context } from './config/context.ts'

/** Seconds from the beginning of a sweep of one process to its next. */
const EVERY = 60
/** Few enough that a request which comes during a batch does not wait long for it. */
const BATCH = 200
/** Milliseconds between two batches, for the requests. Some thousand records a second remain. */
const PAUSE = 50

export interface Sweep {
  /** To be called at every request: once a minute it begins a sweep, unless one is under way. */
  touch(): void
  /** Begins no further batch. */
  stop(): void
}

export function createSweep({
  store,
  clock,
  events,
}: Pick<Context, 'store' | 'clock' | 'events'>): Sweep {
  let next = clock() + EVERY
  let underWay = false
  let stopped = false

  async function sweep(): Promise<void> {
    underWay = true
    try {
      // A full batch says that there is more. To stop at some number would let a busy site grow forever.
      while (!stopped && (await store.deleteExpired(clock(), BATCH)) >= BATCH) await pause()
    } catch (error) {
      events.emit({ type: 'store_failed', about: 'sweep', error })
    } finally {
      underWay = false
    }
  }

  return {
    touch() {
      const now = clock()
      // On Workers one that was cut short does not say so.
      if ((underWay && !isWorkers) || stopped || now < next) return
      next = now + EVERY
      void seeThrough(sweep())
    },
    stop() {
      stopped = true
    },
  }
}

/** Does not keep a process that would end. */
function pause(): Promise<void> {
  return setTimeout(PAUSE, undefined, { ref: false })
}

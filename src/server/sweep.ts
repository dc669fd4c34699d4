/**
 * Deletes what has expired, a little at a time while the server is in use. Nothing depends on it: the
 * rules look at the clock themselves.
 */
import type { Context } from './config/context.ts'

/** Seconds between two sweeps of one process. */
const PAUSE = 60
const BATCH = 500
/** Batches in one sweep at most, so that a sweep never gets in the way for long. */
const MAX_BATCHES = 20

/** A function to be called at every request: it does nothing but once a minute. */
export function createSweep({ store, clock, events }: Context): () => void {
  let next = clock() + PAUSE
  return () => {
    const now = clock()
    if (now < next) return
    next = now + PAUSE
    deleteExpired(now).catch((error: unknown) => {
      events.emit({ type: 'store_failed', about: 'sweep', error })
    })
  }

  async function deleteExpired(now: number): Promise<void> {
    for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
      if ((await store.deleteExpired(now, BATCH)) < BATCH) return
    }
  }
}

/**
 * How many clients may register in one hour, on all instances together: RFC 7591 §5.
 *
 * The count of an hour is one record. Each process draws from it by compare-and-set, a thousandth of the
 * hour or as many as wait, and hands that out without asking again. So a flood writes it a thousand times
 * and no more, never is one client too many registered, and what is missing is what processes had drawn.
 */
import { OAuthError } from '../../protocol/errors.ts'
import { change } from '../../stores/change.ts'
import type { ClaimRecord } from '../../stores/records.ts'
import { StoreUnavailable, type Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'
import { memoryOf, onceAtATime, type DrawnRegistrations } from './memory.ts'

const HOUR = 60 * 60
const STEPS = 1000
const MAX_ATTEMPTS = 50

/**
 * Uses up one registration of this hour.
 * @throws OAuthError `temporarily_unavailable` with `Retry-After` when none is left. `StoreUnavailable`
 * passes through.
 */
export async function spendRegistration(context: Context): Promise<void> {
  if (context.config.registration.maxPerHour === 0) return
  for (;;) {
    const drawn = drawnOf(context)
    if (drawn.left > 0) {
      drawn.left -= 1
      return
    }
    if (drawn.isSpent) throw allSpent((drawn.hour + 1) * HOUR - context.clock())
    drawn.waiting += 1
    const drawing = `registrations ${drawn.hour}`
    await onceAtATime(memoryOf(context).fetching, drawing, () => draw(context, drawn)).finally(
      () => void (drawn.waiting -= 1),
    )
  }
}

/** What this process holds of this hour. What it held of another is over. */
function drawnOf(context: Context): DrawnRegistrations {
  const memory = memoryOf(context)
  const hour = Math.floor(context.clock() / HOUR)
  if (memory.drawn.hour !== hour) memory.drawn = { hour, left: 0, waiting: 0, isSpent: false }
  return memory.drawn
}

async function draw({ store, config }: Context, drawn: DrawnRegistrations): Promise<void> {
  const { maxPerHour } = config.registration
  const count = await findCount(store, drawn.hour)
  const result = await change(store, 'claim', count, (record) =>
    drawFrom(record, maxPerHour, Math.max(drawn.waiting, Math.ceil(maxPerHour / STEPS))),
  )
  // The record is gone only when its hour has long been over.
  drawn.left += result?.amount ?? 0
  drawn.isSpent = !(drawn.left > 0)
}

/** Takes `wanted` out of the hour, or what is left of it. Pure. */
function drawFrom(
  record: ClaimRecord,
  maxPerHour: number,
  wanted: number,
): { readonly amount: number; readonly next: ClaimRecord | undefined } {
  const count = Number(record.value)
  const amount = Math.max(0, Math.min(wanted, maxPerHour - count))
  return { amount, next: amount === 0 ? undefined : { ...record, value: `${count + amount}` } }
}

async function findCount(store: Context['store'], hour: number): Promise<Versioned<ClaimRecord>> {
  const id = `registrations/${hour}`
  const none: ClaimRecord = { id, value: '0', expiresAt: (hour + 2) * HOUR }
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const found = await store.find('claim', id)
    if (found !== undefined) return found
    if (await store.insert('claim', none)) return { record: none, version: 1 }
  }
  throw new StoreUnavailable('the count of registrations comes and goes')
}

function allSpent(retryAfter: number): OAuthError {
  // RFC 6749 §5.2 has no code for it; this one tells a client to come back as it is.
  return new OAuthError('temporarily_unavailable', 'too many clients register; try again later', {
    reason: 'registration.maxPerHour is used up; clients that are registered go on',
    retryAfter,
  })
}

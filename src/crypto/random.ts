/**
 * The one door to the random generator.
 *
 * Bytes come from a pool that is filled in one call and wiped as it is used: a call to the system for
 * every secret costs twelve times as much, and a used secret must not linger in memory.
 */
import { randomFillSync } from 'node:crypto'

const pool: Buffer = Buffer.alloc(4096)
let used = pool.length

/** `length` fresh random bytes, at most 1024, in memory of their own. */
export function randomBytes(length: number): Buffer {
  if (length > 1024) throw new RangeError('at most 1024 random bytes at once')
  if (used + length > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = Buffer.from(pool.subarray(used, used + length))
  pool.fill(0, used, used + length)
  used += length
  return bytes
}

/** A fresh secret of `bytes` random bytes as base64url: 32 bytes give 43 characters and 256 bits. */
export function randomSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}

/**
 * A fresh record id: seconds in base 36, then 128 random bits. Ids grow with time, so that rows made
 * together lie together in an ordered store. 29 characters of `A-Za-z0-9_-`.
 */
export function randomId(now: number): string {
  return now.toString(36).padStart(7, '0') + randomSecret(16)
}

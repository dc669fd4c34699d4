/**
 * One-way fingerprints of secrets, and the only comparison that secrets may meet.
 *
 * Every secret hashed here has at least 128 random bits, so one round of SHA-256 is enough: there is
 * nothing to guess, and no salt is needed.
 */
import { hash, timingSafeEqual } from 'node:crypto'

/** SHA-256 of a secret as base64url. Branded, so that a raw secret cannot be stored in its place. */
export type Hash = string & { readonly __brand: 'Hash' }

/** The SHA-256 of `text` in base64url, 43 characters. */
export function sha256(text: string): Hash {
  return hash('sha256', text, 'base64url') as Hash
}

/** In characters; of a MAC, too. */
const HASH_LENGTH = 43

// A character may take three bytes, and one that takes more than one shows by the number of all.
const [one, other] = [Buffer.alloc(3 * HASH_LENGTH), Buffer.alloc(3 * HASH_LENGTH)]
const [oneHash, otherHash] = [one.subarray(0, HASH_LENGTH), other.subarray(0, HASH_LENGTH)]

/** Whether two texts are equal, in a time that tells nothing of where they differ. */
export function equal(a: string, b: string): boolean {
  if (isHashIn(one, a) && isHashIn(other, b)) return timingSafeEqual(oneHash, otherHash)
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Writes what is as long as a hash into `place`, as most of what is compared is one: so no Buffer is made for it. */
function isHashIn(place: Buffer, text: string): boolean {
  return text.length === HASH_LENGTH && place.write(text) === HASH_LENGTH
}

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

/** Whether two texts are equal, in a time that tells nothing of where they differ. */
export function equal(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

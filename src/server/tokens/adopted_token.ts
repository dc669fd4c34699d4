/**
 * Refresh tokens of another server whose sign-ins were taken over: texts that say nothing of themselves.
 *
 * The grant's id is made from the token, so that the token finds its grant and the store has only hashes:
 * another one stands for its `jti`. The first rotation replaces it by a token of ours.
 */
import { sha256 } from '../../crypto/hash.ts'
import { MAX_TOKEN_LENGTH, tokenKind } from '../../crypto/token.ts'
import type { RefreshToken } from './refresh_token.ts'

const PREFIX = 'adopted-'
// Shorter ones could be guessed: RFC 6749 §10.10.
const MIN_LENGTH = 16

/** Where the generations of an adopted grant begin. */
export const FIRST_GENERATION = 1

/** Whether `token` may be one of another server: long enough, and none of ours. */
function isForeignToken(token: string): boolean {
  const fits = token.length >= MIN_LENGTH && token.length <= MAX_TOKEN_LENGTH
  return fits && tokenKind(token) === undefined
}

/** Whether a grant was taken over, told by its id. */
export function isAdoptedGrant(grantId: string): boolean {
  return grantId.startsWith(PREFIX)
}

/** What `token` is if its sign-in was taken over; only the store knows whether it was. */
export function readForeignToken(token: string): RefreshToken | undefined {
  if (!isForeignToken(token)) return undefined
  return { grantId: adoptedGrantId(token), generation: FIRST_GENERATION, jti: sha256(token) }
}

/** Not the hash that the grant keeps beside it: ids stand in logs. */
function adoptedGrantId(token: string): string {
  return `${PREFIX}${sha256(JSON.stringify(['adopted', token]))}`
}

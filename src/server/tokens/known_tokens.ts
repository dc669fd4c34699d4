/**
 * The access tokens that were found authentic, the newest 10,000 of them, so that a warm call costs a
 * look-up in place of a MAC. Nothing about being live is remembered: a grant may have ended since.
 *
 * A token is looked up by its end and then compared as a whole, as to hash all of it would take as long as
 * the rest of the look-up twice over. The end is its MAC, so no two that are remembered share it.
 */
import { MAX_TOKEN_LENGTH } from '../../crypto/token.ts'

/** An authentic token: what it says, and the scopes that this comes to. */
export interface KnownToken {
  readonly token: string
  readonly grantId: string
  readonly jti: string
  readonly exp: number
  readonly resource: string
  /** Of `resource`, for AuthInfo; `href` is how it was made. */
  url: URL
  readonly href: string
  readonly scopes: readonly string[]
}

export interface KnownTokens {
  find(token: string): KnownToken | undefined
  keep(known: KnownToken): void
  forget(token: string): void
}

const END = 43
const MAX_HELD = 10_000

/** @param max how many are remembered; then the oldest goes */
export function createKnownTokens(max: number = MAX_HELD): KnownTokens {
  const held = new Map<string, KnownToken>()
  // The ends in the order in which they came, in a circle. To ask a map for its first key is to step over
  // every key that was deleted before it.
  const ends: string[] = []
  let oldest = 0
  return {
    find(token) {
      // Whoever compares reads the whole text, so what cannot be ours is not looked up.
      if (token.length > MAX_TOKEN_LENGTH) return undefined
      const known = held.get(token.slice(-END))
      return known?.token === token ? known : undefined
    },
    keep(known) {
      const end = known.token.slice(-END)
      held.delete(ends[oldest] ?? '')
      held.set(end, known)
      ends[oldest] = end
      oldest = (oldest + 1) % max
    },
    forget(token) {
      held.delete(token.slice(-END))
    },
  }
}

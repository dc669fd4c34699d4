/**
 * Which browser a step of a sign-in belongs to: MCP, Security Best Practices (confused deputy, session
 * hijacking); RFC 9700 §4.7.
 *
 * Each step has a cookie of its own, so that several tabs do not disturb each other. Browsers send the
 * oldest first (RFC 6265 §5.4), and the oldest go first when there are too many.
 */
import { equal, sha256, type Hash } from '../../crypto/hash.ts'
import { randomSecret } from '../../crypto/random.ts'
import { readCookies, setCookie } from '../../http/cookie.ts'
import type { HttpRequest } from '../../http/message.ts'

const PREFIX = 'mcp_oauth_'
/** Steps that one browser may have open. With 80 bytes each they stay far below what servers take. */
const MAX_STEPS = 16

/** A browser bound to a step: what the ticket keeps, and what the browser does. */
export interface Binding {
  readonly hash: Hash
  /** `Set-Cookie` values. */
  readonly cookies: readonly string[]
}

/** What a binding needs to know of the server. */
export interface Site {
  readonly secure: boolean
  /** Seconds that a step may take. */
  readonly maxAge: number
}

/** Binds the step of `ticketId` to the browser that sent `request`. */
export function bindBrowser(request: HttpRequest, ticketId: string, site: Site): Binding {
  const secret = randomSecret(16)
  const open = readCookies(request, site.secure).names(PREFIX)
  const surplus = open.slice(0, Math.max(0, open.length - MAX_STEPS + 1))
  return {
    hash: sha256(secret),
    cookies: [
      setCookie(PREFIX + ticketId, secret, site),
      ...surplus.map((name) => setCookie(name, '', { ...site, maxAge: 0 })),
    ],
  }
}

/** Whether `request` comes from the browser that the step of `ticketId` is bound to. */
export function isBoundBrowser(
  request: HttpRequest,
  ticketId: string,
  { secure }: Pick<Site, 'secure'>,
  hash: Hash,
): boolean {
  // Two cookies of one name mean that somebody tossed one in; to choose is to guess.
  const [secret, ...others] = readCookies(request, secure).all(PREFIX + ticketId)
  return secret !== undefined && others.length === 0 && equal(sha256(secret), hash)
}

/** The `Set-Cookie` value that ends the step of `ticketId`. */
export function unbindBrowser(ticketId: string, { secure }: Pick<Site, 'secure'>): string {
  return setCookie(PREFIX + ticketId, '', { secure, maxAge: 0 })
}

/** Whether a form was sent from a page of this origin, as far as the browser tells. Fetch Metadata §2. */
export function isSameOriginPost(
  origin: string | undefined,
  secFetchSite: string | undefined,
  ours: string,
): boolean {
  if (secFetchSite !== undefined && secFetchSite !== 'same-origin') return false
  // Our pages send no referrer, for which the Fetch standard makes the origin `null`.
  return origin === undefined || origin === 'null' || origin === ours
}

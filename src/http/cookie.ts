/**
 * Cookies: RFC 6265bis.
 *
 * Over https each has the `__Host-` prefix, so that no sibling domain and no plain http page can set
 * it. Over http, which only loopback issuers may speak, browsers do not allow the prefix.
 */
import { headerValues, type HttpRequest } from './message.ts'

/** Names and values of this origin's cookies. */
export interface Cookies {
  /** Every value sent under our name; more than one means that somebody tossed one in. */
  all(name: string): readonly string[]
  /** Names without prefix that begin with `start`, each once. */
  names(start: string): readonly string[]
}

/** What a cookie needs beside name and value. */
export interface CookieOptions {
  /** Whether the issuer is https. */
  readonly secure: boolean
  /** Seconds; 0 removes it. */
  readonly maxAge: number
}

/** The cookies of a request, read under the names that `secure` implies. */
export function readCookies(request: HttpRequest, secure: boolean): Cookies {
  const prefix = secure ? '__Host-' : ''
  const pairs = headerValues(request, 'cookie')
    .flatMap((value) => value.split(';'))
    .map((pair) => stripSpace(pair).split('='))
    .filter(([name]) => name !== undefined && name.startsWith(prefix))
    .map(([name = '', ...value]) => [name.slice(prefix.length), value.join('=')] as const)
  return {
    all: (name) => pairs.filter(([known]) => known === name).map(([, value]) => value),
    names: (start) => [
      ...new Set(pairs.map(([name]) => name).filter((name) => name.startsWith(start))),
    ],
  }
}

// RFC 6265bis §5.6: space and tab only. `trim` would strip more, and the sibling domain that may not set
// `__Host-x` could set a no-break space and `__Host-x`.
function stripSpace(pair: string): string {
  let start = 0
  let end = pair.length
  while (start < end && isSpace(pair[start])) start += 1
  while (start < end && isSpace(pair[end - 1])) end -= 1
  return pair.slice(start, end)
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t'
}

/** A `Set-Cookie` value. `Lax`, because the way back from the upstream is a cross-site navigation. */
export function setCookie(name: string, value: string, { secure, maxAge }: CookieOptions): string {
  const full = `${secure ? '__Host-' : ''}${name}=${value}`
  return `${full}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
}

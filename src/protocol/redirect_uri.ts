/**
 * Redirect URIs: which may be registered, and which of them a request may name.
 *
 * The comparison is of texts, never of parsed URLs (RFC 9700 §4.1.3): no parser is between what was
 * registered and what is asked. The one exception is the port of a loopback redirect (RFC 8252 §7.3).
 */

// RFC 3986 §2 without the fragment and without the backslash: what a URI may be spelt with.
const SPELLING = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]+$/
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?(\/[^?#]*)?(\?[^#]*)?$/
// RFC 9700 §4.1.3 and RFC 8252 §8: schemes whose handler runs, reads or shows what it is given.
const DANGEROUS = new Set(
  (
    'javascript data vbscript file blob about filesystem view-source intent content jar ws wss ftp ' +
    'mailto tel sms chrome chrome-extension moz-extension ms-its mhtml urn http https'
  ).split(' '),
)
const MAX_LENGTH = 2000

/** What a redirect URI is: who receives the code. */
export type RedirectKind = 'https' | 'loopback' | 'private_use'

/** Whether the text names this computer by one of the three spellings that clients use. */
export function isLoopbackRedirect(uri: string): boolean {
  return LOOPBACK.test(uri)
}

/** The kind of a registrable URI, or the fault that forbids it, as a sentence about "redirect_uri". */
export function judgeRedirectUri(uri: string): { kind: RedirectKind } | { fault: string } {
  if (uri.length > MAX_LENGTH) return { fault: 'is longer than 2000 characters' }
  // RFC 6749 §3.1.2: absolute, no fragment; the empty fragment is found in the text, as a parser drops it.
  if (uri.includes('#')) return { fault: 'has a fragment' }
  if (!SPELLING.test(uri) || /%(?![0-9A-Fa-f]{2})/.test(uri)) return { fault: 'is not a URI' }
  if (/%(00|0[ad])/i.test(uri)) return { fault: 'has an encoded control character' }
  if (uri.includes('*')) return { fault: 'has a wildcard; each redirect URI is registered in full' }
  if (hasOurParameter(uri)) return { fault: 'has a code, state, iss or error parameter of its own' }
  const scheme = uri.slice(0, uri.indexOf(':')).toLowerCase()
  if (scheme === 'https') return judgeHttps(uri)
  if (scheme === 'http') return judgeHttp(uri)
  return judgePrivateUse(uri, scheme)
}

function judgeHttps(uri: string): { kind: RedirectKind } | { fault: string } {
  if (!/^https:\/\/[^/?]/.test(uri) || !URL.canParse(uri)) return { fault: 'is not an https URL' }
  const url = new URL(uri)
  if (url.username !== '' || url.password !== '' || authorityOf(uri).includes('@')) {
    return { fault: 'has user information before the host' }
  }
  return { kind: 'https' }
}

function judgeHttp(uri: string): { kind: RedirectKind } | { fault: string } {
  const port = LOOPBACK.exec(uri)?.[2]
  // OAuth 2.1 §2.3.1: cleartext only to this very computer, spelt as one of three, so that no parser can be fooled.
  if (!isLoopbackRedirect(uri) || (port !== undefined && !isPort(port)) || !URL.canParse(uri)) {
    return {
      fault:
        'is http but not loopback (http://localhost, http://127.0.0.1 or http://[::1]); use https',
    }
  }
  return { kind: 'loopback' }
}

function judgePrivateUse(uri: string, scheme: string): { kind: RedirectKind } | { fault: string } {
  if (DANGEROUS.has(scheme) || scheme.includes('http'))
    return { fault: `has a scheme that is not allowed` }
  // RFC 8252 §7.1 wants reverse-domain schemes; cursor://, claude:// and vscode:// are in use without a dot,
  // so a dotless scheme passes when it names a host, as theirs do.
  const dotless = !scheme.includes('.')
  if (dotless && !/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(\/|$|\?)/i.test(uri)) {
    return { fault: 'has a private-use scheme without a dot and without a host' }
  }
  if (!dotless && !/^[a-z0-9+.-]+:\/(?!\/)/i.test(uri)) {
    return {
      fault: 'has a private-use scheme that must be followed by one slash (RFC 8252 section 7.1)',
    }
  }
  return { kind: 'private_use' }
}

/** The registered URI that `asked` matches, if any: equal as text, or loopback and equal but for the port. */
export function matchRedirectUri(asked: string, registered: readonly string[]): string | undefined {
  if (registered.includes(asked)) return 'fault' in judgeRedirectUri(asked) ? undefined : asked
  const portless = withoutPort(asked)
  if (portless === undefined) return undefined
  return registered.find((uri) => withoutPort(uri) === portless)
}

/** RFC 8252 §7.3: the port of a loopback redirect is chosen at run time. */
function withoutPort(uri: string): string | undefined {
  const match = LOOPBACK.exec(uri)
  if (match === null || 'fault' in judgeRedirectUri(uri)) return undefined
  const [, host, , path = '', query = ''] = match
  return `http://${host}${path}${query}`
}

function isPort(text: string): boolean {
  return Number(text) >= 1 && Number(text) <= 65_535
}

function authorityOf(uri: string): string {
  return uri.replace(/^[a-z]+:\/\//i, '').split(/[/?]/)[0] ?? ''
}

function hasOurParameter(uri: string): boolean {
  const query = uri.split('?').slice(1).join('?')
  const names = new Set(new URLSearchParams(query).keys())
  return ['code', 'state', 'iss', 'error'].some((name) => names.has(name))
}

/**
 * Redirect URIs: which may be registered, and which of them a request may name.
 *
 * The comparison is of texts, never of parsed URLs (RFC 9700 §4.1.3): no parser is between what was
 * registered and what is asked. The one exception is the port of a loopback redirect (RFC 8252 §7.3).
 * What may be registered is spelt so plainly that no two parsers can read two hosts or paths in it.
 */
import { isDangerousScheme } from './dangerous_schemes.ts'
import { remembered } from './remembered.ts'

// RFC 3986 §2 without the fragment and without the backslash: what a URI may be spelt with.
const SPELLING = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/
const CONTROL = /%(?:[01][0-9A-Fa-f]|7[Ff])/
const DOT_SEGMENT = /\/(?:\.|%2[Ee]){1,2}(?:\/|$)/
const LOOPBACK =
  /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(?::([1-9]\d{0,4}))?(\/[^?#]*)?(\?[^#]*)?$/
const HTTPS =
  /^https:\/\/([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::([1-9]\d{0,4}))?(?:[/?]|$)/
// RFC 8252 §7.1: a scheme made from a domain name in reverse, a colon, and a path after one slash.
const REVERSE_DOMAIN = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9][a-z0-9+-]*)+:\/(?!\/)/i
// `cursor://`, `claude://` and `vscode://` are in use: without a dot, but with a host behind two slashes.
const SCHEME_AND_HOST = /^[a-z][a-z0-9+-]*:\/\/[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?:[/?]|$)/i
const MAX_LENGTH = 2000

/** What a redirect URI is: who receives the code. */
export type RedirectKind = 'https' | 'loopback' | 'private_use'

/** Whether the text names this computer by one of the three spellings that clients use. */
export function isLoopbackRedirect(uri: string): boolean {
  const match = LOOPBACK.exec(uri)
  return match !== null && isPort(match[2])
}

type Judgement = { readonly kind: RedirectKind } | { readonly fault: string }

/**
 * The kind of a registrable URI, or the fault that forbids it, as a sentence about "redirect_uri". Every
 * step of a sign-in judges anew what it is about to send a code to, and it is the same few URIs each time.
 */
export const judgeRedirectUri: (uri: string) => Judgement = remembered(judgeUri)

function judgeUri(uri: string): Judgement {
  if (uri.length > MAX_LENGTH) return { fault: 'is longer than 2000 characters' }
  // RFC 6749 §3.1.2: absolute, no fragment; the empty fragment is found in the text, as a parser drops it.
  if (uri.includes('#')) return { fault: 'has a fragment' }
  if (!SPELLING.test(uri)) return { fault: 'is not a URI' }
  if (CONTROL.test(uri)) return { fault: 'has an encoded control character' }
  // A browser goes where the dots lead, which is not what anybody has compared.
  if (DOT_SEGMENT.test(uri.split('?')[0] ?? '')) return { fault: 'has a dot segment in its path' }
  if (uri.includes('*')) return { fault: 'has a wildcard; each redirect URI is registered in full' }
  if (hasOurParameter(uri)) return { fault: 'has a code, state, iss or error parameter of its own' }
  const scheme = uri.slice(0, uri.indexOf(':')).toLowerCase()
  if (scheme === 'https') return judgeHttps(uri)
  if (scheme === 'http') return judgeHttp(uri)
  return judgePrivateUse(uri, scheme)
}

function judgeHttps(uri: string): Judgement {
  if (/^https:\/\/[^/?]*@/i.test(uri)) return { fault: 'has user information before the host' }
  const [, host = '', port] = HTTPS.exec(uri) ?? []
  // A host that a browser would respell (127.1, 0x7f.1, %65vil) is one that others may read differently.
  const plain = host !== '' && isPort(port) && URL.canParse(uri)
  if (!plain || new URL(uri).hostname !== host.toLowerCase()) {
    return { fault: 'is not an https URL with a plainly spelt host' }
  }
  return { kind: 'https' }
}

function judgeHttp(uri: string): Judgement {
  // OAuth 2.1 §2.3.1: cleartext only to this very computer, spelt as one of three, so that no parser can be fooled.
  if (!isLoopbackRedirect(uri)) {
    return {
      fault:
        'is http but not loopback (http://localhost, http://127.0.0.1 or http://[::1]); use https',
    }
  }
  return { kind: 'loopback' }
}

function judgePrivateUse(uri: string, scheme: string): Judgement {
  if (isDangerousScheme(scheme)) return { fault: 'has a scheme that is not allowed' }
  if (scheme.includes('.') ? REVERSE_DOMAIN.test(uri) : SCHEME_AND_HOST.test(uri)) {
    return { kind: 'private_use' }
  }
  return {
    fault:
      'has a private-use scheme in neither form: com.example.app:/path (RFC 8252 section 7.1) or app://host/path',
  }
}

/** The registered URI that `asked` matches, if any: equal as text, or loopback and equal but for the port. */
export function matchRedirectUri(asked: string, registered: readonly string[]): string | undefined {
  if (registered.includes(asked)) return 'fault' in judgeRedirectUri(asked) ? undefined : asked
  const portless = withoutPort(asked)
  if (portless === undefined) return undefined
  return registered.find((uri) => withoutPort(uri) === portless)
}

/** The URI as `matchRedirectUri` compares it: two that give the same text stand for each other. */
export function comparedAs(uri: string): string {
  return withoutPort(uri) ?? uri
}

/** RFC 8252 §7.3: the port of a loopback redirect is chosen at run time. */
function withoutPort(uri: string): string | undefined {
  const match = LOOPBACK.exec(uri)
  if (match === null || 'fault' in judgeRedirectUri(uri)) return undefined
  const [, host, , path = '', query = ''] = match
  return `http://${host}${path}${query}`
}

/** Whether a port, already spelt without a zero in front, is in range. None is the scheme's own. */
function isPort(text: string | undefined): boolean {
  return text === undefined || Number(text) <= 65_535
}

function hasOurParameter(uri: string): boolean {
  const query = uri.split('?').slice(1).join('?')
  const names = new Set(new URLSearchParams(query).keys())
  return ['code', 'state', 'iss', 'error'].some((name) => names.has(name))
}

/**
 * Where the upstream may be asked, and where a browser may be sent.
 *
 * https, or http on this very computer where the operator has named that origin. Metadata of an
 * upstream is its own word and is judged like any other input.
 */

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/

/** The fault of an endpoint as a sentence about it; undefined when it may be used. */
export function judgeEndpoint(
  text: unknown,
  trustedOrigins: readonly string[],
): string | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return 'is not an absolute URL'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'is not an https URL'
  if (url.username !== '' || url.password !== '') return 'has user information before the host'
  // RFC 6749 §3.1 and §3.2: an endpoint URI MUST NOT include a fragment component.
  if (text.includes('#')) return 'has a fragment'
  if (url.protocol === 'https:') return undefined
  if (!LOOPBACK.test(url.hostname)) return 'is http and not loopback; use https'
  return trustedOrigins.includes(url.origin)
    ? undefined
    : 'is http on an origin that is not configured'
}

/** The origins of those texts that are URLs, each once. */
export function originsOf(texts: readonly (string | undefined)[]): readonly string[] {
  const urls = texts.filter((text) => text !== undefined).filter((text) => URL.canParse(text))
  return [...new Set(urls.map((text) => new URL(text).origin))]
}

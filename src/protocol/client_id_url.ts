/**
 * Client identifiers that are URLs: draft-ietf-oauth-client-id-metadata-document §3.
 *
 * What is fetched must be what is named, byte for byte. So a URL passes only in the one spelling in
 * which a parser would print it again, and nothing is ever repaired.
 */

const MAX_LENGTH = 2000
// RFC 3986 §2 without the fragment and without user information: host, port, path, query.
const SPELLING =
  /^https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?\/[A-Za-z0-9\-._~:/[\]@!$&'()*+,;=%]+(?:\?[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]*)?$/
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/]/

/** Whether a client id names a document. Nothing but its beginning decides, so no id is ever both. */
export function isClientIdUrl(client_id: string): boolean {
  return /^https?:/i.test(client_id)
}

/** Why `client_id` cannot name a document; undefined when it can. `allowLoopbackHttp` is for tests and closed networks. */
export function judgeClientIdUrl(
  client_id: string,
  allowLoopbackHttp: boolean,
): string | undefined {
  if (client_id.length > MAX_LENGTH) return 'is longer than 2000 characters'
  // §3: https, a path, no user information, no fragment. A bare `/` is a path, but NOT RECOMMENDED, and the front page of a site.
  if (!SPELLING.test(client_id)) {
    return 'is not an https URL with a path and without user information and fragment'
  }
  if (!client_id.startsWith('https:') && !(allowLoopbackHttp && LOOPBACK.test(client_id))) {
    return 'is not https'
  }
  // §3: compared as texts, and no dot segments. Those, encoded ones too, a host in capitals, the default
  // port and 127.1 would all be printed otherwise.
  if (!URL.canParse(client_id) || new URL(client_id).href !== client_id) {
    return 'is not spelt as a URL parser would print it'
  }
  return undefined
}

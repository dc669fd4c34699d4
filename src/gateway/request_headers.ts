/**
 * The request headers that a backend gets: built anew from a short list, never copied and cleaned.
 *
 * What is not on the list does not pass, so no spelling of an identity or routing header has to be
 * foreseen: the client's credentials, `X-Forwarded-User`, `x_mcp_user` and `X-Original-URL` are simply
 * not there. What the gateway says itself is added afterwards, where nothing can take it away again.
 */
import { headerValues, type HttpRequest } from '../http/message.ts'
import { OAuthError } from '../protocol/errors.ts'

/** Headers as undici takes them: name, value, name, value … */
export type FlatHeaders = readonly string[]

const PASSED = new Set(
  (
    'accept accept-encoding accept-language content-type user-agent last-event-id ' +
    'traceparent tracestate baggage x-request-id'
  ).split(' '),
)
// RFC 9110 §5.3: these are lists, and may come in several lines.
const LISTS = new Set(['accept', 'accept-encoding', 'accept-language', 'tracestate', 'baggage'])
// Mcp-Method, Mcp-Name, Mcp-Param-*, MCP-Protocol-Version and what MCP may add. No underscore: many
// frameworks read it as a hyphen, and would see a second Mcp-Method.
const MCP = /^mcp-[a-z0-9-]+$/
// Identity, credentials and framing: not even a setting lets these pass.
const NEVER =
  /^(x-mcp-|x-forwarded|x-auth-request|x-real-ip$|x-remote-|x-user|x-original-|x-rewrite-|remote-|proxy-|sec-|mcp-session-id$)|_/
const NEVER_ONE = new Set(
  (
    'authorization cookie host content-length transfer-encoding connection keep-alive te trailer ' +
    'upgrade expect forwarded via origin referer range content-encoding'
  ).split(' '),
)

/** Why `name` (lower case) cannot be passed on by a setting; undefined when it can. */
export function judgePassedHeader(name: string): string | undefined {
  if (!/^[a-z0-9-]+$/.test(name)) return 'is not a header name of letters, digits and hyphens'
  return NEVER.test(name) || NEVER_ONE.has(name)
    ? 'names credentials, identity or framing, which the gateway never passes on'
    : undefined
}

/**
 * What passes of the client's headers, `passed` (lower case) included; `Mcp-Session-Id` does not.
 * @throws OAuthError `invalid_request` when one that may stand once stands twice: the backend could
 * read the other.
 */
export function passedHeaders(request: HttpRequest, passed: ReadonlySet<string>): FlatHeaders {
  const named = namedByConnection(request)
  const headers: string[] = []
  const seen = new Set<string>()
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]?.toLowerCase() ?? ''
    if (!passes(name, passed) || named.has(name)) continue
    if (seen.has(name) && !LISTS.has(name)) {
      throw new OAuthError('invalid_request', 'a header that may stand once stands twice')
    }
    seen.add(name)
    headers.push(name, request.rawHeaders[index + 1] ?? '')
  }
  return headers
}

function passes(name: string, passed: ReadonlySet<string>): boolean {
  if (name === 'mcp-session-id') return false
  return PASSED.has(name) || MCP.test(name) || passed.has(name)
}

/** RFC 9110 §7.6.1: what Connection names is meant for us alone. */
function namedByConnection(request: HttpRequest): ReadonlySet<string> {
  return new Set(
    headerValues(request, 'connection')
      .flatMap((value) => value.split(','))
      .map((name) => name.trim().toLowerCase()),
  )
}

/** Where the call came from: our own account, whatever the client said of it. */
export function forwardedHeaders(resource: URL, clientAddress: string | undefined): FlatHeaders {
  const headers = [
    'x-forwarded-proto',
    resource.protocol.slice(0, -1),
    'x-forwarded-host',
    resource.host,
  ]
  return clientAddress === undefined ? headers : [...headers, 'x-forwarded-for', clientAddress]
}

const TOKEN_PARAMETERS = new Set(
  'access_token token authorization bearer id_token refresh_token'.split(' '),
)

/**
 * The backend's path and query: its configured path, its configured parameters, then those of the
 * client that carry no token (OAuth 2.1 §5.1) and repeat no configured name. Spelt anew, so that two
 * parsers cannot differ.
 */
export function targetOf(to: URL, query: string): string {
  const parameters = new URLSearchParams(to.search)
  const configured = new Set(parameters.keys())
  for (const [name, value] of new URLSearchParams(query)) {
    if (!configured.has(name) && !TOKEN_PARAMETERS.has(name.toLowerCase())) {
      parameters.append(name, value)
    }
  }
  const text = parameters.toString()
  return text === '' ? to.pathname : `${to.pathname}?${text}`
}

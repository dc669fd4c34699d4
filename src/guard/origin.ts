/**
 * Which web pages may call, and what their browsers are told: MCP, Security & Endpoint, against DNS rebinding; CORS.
 *
 * `Origin` names the page's own site in every POST and every call across sites, whatever its name
 * resolves to, so a foreign one is refused everywhere. `Host` is believed nowhere: every URL here comes
 * from the configuration, and behind a reverse proxy `Host` may be anything. It is checked in the one
 * place where it means something: a resource on this very computer is called by a loopback name, and
 * any other name is a foreign site's that was made to resolve to here.
 */
import { headerValues, type HttpRequest } from '../http/message.ts'
import type { Headers } from '../http/respond.ts'

export interface OriginRules {
  /** The resource is on this computer: its Host is loopback, and pages of this computer may call. */
  readonly loopback: boolean
  /** What each origin is told that may call. */
  readonly allowed: ReadonlyMap<string, Headers>
  /** What every origin is told where every origin may call. */
  readonly any: Headers | undefined
}

export type Foreign = 'foreign_host' | 'foreign_origin'

const NAMES = '(?:[a-z0-9-]+\\.)*localhost|127(?:\\.\\d{1,3}){3}|\\[::1\\]'
const LOOPBACK_HOST = new RegExp(`^(?:${NAMES})(?::\\d{1,5})?$`, 'i')
const LOOPBACK_ORIGIN = new RegExp(`^https?://(?:${NAMES})(?::\\d{1,5})?$`)
/** What a program is told, which sends no origin. */
export const NO_HEADERS: Headers = {}
// What a page's own code cannot read without: the challenge above all.
const EXPOSED = 'WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, Retry-After'
const METHODS = 'GET, POST, DELETE'
const REQUEST_HEADERS =
  'authorization, content-type, accept, last-event-id, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name'
const PARAM_HEADER = /^mcp-param-[!#$%&'*+\-.^_`|~0-9a-z]{1,100}$/

export function createOriginRules(
  resource: string,
  issuer: string,
  allowedOrigins: readonly string[],
): OriginRules {
  const { host, origin } = new URL(resource)
  const named = [origin, new URL(issuer).origin, ...allowedOrigins]
  return {
    loopback: LOOPBACK_HOST.test(host),
    allowed: new Map(named.map((name) => [name, corsHeaders(name)])),
    any: allowedOrigins.includes('*') ? corsHeaders('*') : undefined,
  }
}

/** What to tell the browser with every answer, or what makes the request foreign. */
export function judgeOrigin(rules: OriginRules, request: HttpRequest): Headers | Foreign {
  if (rules.loopback && !headerValues(request, 'host').every((host) => LOOPBACK_HOST.test(host))) {
    return 'foreign_host'
  }
  const origins = headerValues(request, 'origin')
  const [origin] = origins
  // Programs send none, and neither does a page's GET of its own site: that one has no token.
  if (origin === undefined) return NO_HEADERS
  if (origins.length > 1) return 'foreign_origin'
  const headers = rules.any ?? rules.allowed.get(origin)
  if (headers !== undefined) return headers
  return rules.loopback && LOOPBACK_ORIGIN.test(origin) ? corsHeaders(origin) : 'foreign_origin'
}

/** Whether a browser asks what a page may send. It asks without a token: Fetch, CORS-preflight fetch. */
export function isPreflight(request: HttpRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    headerValues(request, 'origin').length === 1 &&
    headerValues(request, 'access-control-request-method').length === 1
  )
}

/** What a page may send: what MCP has, with the `Mcp-Param-*` that it asks about. */
export function preflightHeaders(request: HttpRequest): Headers {
  const asked = headerValues(request, 'access-control-request-headers')
    .flatMap((value) => value.toLowerCase().split(',', 100))
    .map((name) => name.trim())
    .filter((name) => PARAM_HEADER.test(name))
  return {
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': [REQUEST_HEADERS, ...asked].join(', '),
    'access-control-max-age': '7200',
  }
}

/** No `Access-Control-Allow-Credentials`: what counts here is a token, and no browser adds one by itself. */
function corsHeaders(origin: string): Headers {
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': EXPOSED,
    ...(origin === '*' ? {} : { vary: 'Origin' }),
  }
}

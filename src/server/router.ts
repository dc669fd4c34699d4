/**
 * Finds who answers a request, lets browsers in where they may come, and catches what is thrown: the one
 * place that does.
 */
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { empty, json, OF_JSON, type Headers } from '../http/respond.ts'
import type { Context } from './config/context.ts'
import { refuse } from './consent/refuse.ts'
import { failure } from './failure.ts'
import type { KeyGate } from './keys/key_gate.ts'
import { createRoutes, type Route } from './routes.ts'

// Fetch, CORS protocol: open to every origin, as nothing here goes by cookies. `*` does not cover
// Authorization, and MCP clients send headers of their own with discovery.
const CORS: Headers = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
}
const PREFLIGHT: Headers = {
  ...CORS,
  'access-control-allow-headers': 'Authorization, Content-Type, MCP-Protocol-Version, *',
  'access-control-max-age': '7200',
}
const TWO_YEARS = 63_072_000

/** Answers a request; undefined when its path is not one of ours. Never throws. */
export type Router = (request: HttpRequest) => Promise<HttpResponse | undefined>

/** @param gate lets nobody on who needs the store before the keys were found to be those of the store. */
export function createRouter(context: Context, gate: KeyGate): Router {
  const routes = createRoutes(context.config)
  // RFC 6797 §7.2: not over plain http.
  const always: Headers = context.config.secure
    ? { 'strict-transport-security': `max-age=${TWO_YEARS}` }
    : {}
  const open: Headers = { ...always, ...CORS }
  const openJson: Headers = { ...open, ...OF_JSON }

  return async (request) => {
    const route = routes.get(request.path)
    if (route === undefined) return undefined
    const { status, headers, body } = await answer(context, gate, route, request)
    if (route.channel === 'front') return { status, headers: { ...always, ...headers }, body }
    return { status, headers: headers === OF_JSON ? openJson : { ...open, ...headers }, body }
  }
}

async function answer(
  context: Context,
  gate: KeyGate,
  route: Route,
  request: HttpRequest,
): Promise<HttpResponse> {
  const { channel, method, endpoint } = route
  // OAuth 2.1 §3.1: no CORS at the authorization endpoint, where a browser navigates.
  if (request.method === 'OPTIONS' && channel !== 'front') return preflight(method)
  const isHead = request.method === 'HEAD' && method === 'GET' && channel === 'public'
  if (request.method !== method && !isHead) return methodNotAllowed(context, route, request)
  try {
    // Documents are made of the options alone.
    if (channel !== 'public' && !gate.isOpen()) await gate.pass()
    return await endpoint(context, request)
  } catch (error) {
    return failure(context, request, route, error)
  }
}

function preflight(method: Route['method']): HttpResponse {
  return empty(204, { ...PREFLIGHT, 'access-control-allow-methods': method })
}

function methodNotAllowed(
  context: Context,
  { channel, method }: Route,
  request: HttpRequest,
): HttpResponse {
  const headers: Headers = { allow: channel === 'front' ? method : `${method}, OPTIONS` }
  if (channel === 'front') return refuse(context, request, { kind: 'method', headers })
  return json(405, { error: 'invalid_request', error_description: `use ${method}` }, headers)
}

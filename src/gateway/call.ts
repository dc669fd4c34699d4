/**
 * One call of a client to a protected MCP server: guarded, made anew for the backend, answered.
 */
import type { ServerResponse } from 'node:http'
import { writeHttpResponse } from '../adapters/node.ts'
import type { AuthInfo } from '../guard/verifier.ts'
import { clientAddress, rateKey } from '../http/client_address.ts'
import { header, type HttpRequest, type HttpResponse } from '../http/message.ts'
import { errorResponse, type Headers } from '../http/respond.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { McpOAuth } from '../server/server.ts'
import { failed, noSession, notAllowed, tooMany } from './answers.ts'
import type { Calls, HeldToken } from './calls.ts'
import { identityHeaders } from './identity.ts'
import type { Log } from './log.ts'
import { forward, type Call } from './proxy.ts'
import { forwardedHeaders, passedHeaders, targetOf } from './request_headers.ts'
import type { ResponseHeaders } from './response_headers.ts'
import type { Route } from './routes.ts'
import type { SessionOwner, Sessions } from './session.ts'

/** What every call needs. */
export interface CallContext {
  readonly auth: McpOAuth
  readonly sessions: Sessions
  readonly calls: Calls
  readonly log: Log | undefined
  readonly passHeaders: ReadonlySet<string>
}

/** What the guard let through. */
interface Passed {
  readonly authInfo: AuthInfo | undefined
  readonly body: Uint8Array | undefined
  /** What the guard adds to every answer: CORS. */
  readonly headers: Headers
}

/** Answers `request` on `res`; never throws for what a client or a backend did. */
export async function answerCall(
  context: CallContext,
  route: Route,
  request: HttpRequest,
  res: ServerResponse,
): Promise<void> {
  const passed = await admit(context, route, request)
  if ('status' in passed) return write(res, request, passed)
  const { authInfo, headers } = passed
  // MCP, transports: an endpoint has POST; GET and DELETE are those of the legacy revisions.
  if (!isMethod(request.method)) {
    return write(res, request, notAllowed(headers))
  }
  const caller = authInfo?.extra.subject ?? `anonymous ${rateKey(addressOf(context, request))}`
  const leave = context.calls.enter(caller)
  if (leave === undefined) return write(res, request, tooMany(headers))
  try {
    await pass(context, route, request, res, passed)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    write(res, request, await refusal(context, route, request, error, headers))
  } finally {
    leave()
  }
}

/** What passes the guard, or the refusal. The parsed message ends here: a call may take long, and be large. */
async function admit(
  { auth }: CallContext,
  { required, resource }: Route,
  request: HttpRequest,
): Promise<Passed | HttpResponse> {
  const guarded = await auth.guard(request, { required, resource })
  if (guarded.outcome === 'refused') return guarded.response
  const { authInfo, body, headers } = guarded
  return { authInfo, body, headers }
}

async function pass(
  context: CallContext,
  route: Route,
  request: HttpRequest,
  res: ServerResponse,
  { authInfo, body, headers }: Passed,
): Promise<void> {
  const owner: SessionOwner = { resource: route.resource, subject: authInfo?.extra.subject }
  const session = sessionOf(context, request, owner)
  if (session === 'foreign') return write(res, request, noSession(headers))
  const call: Call = {
    method: isMethod(request.method) ? request.method : 'POST',
    path: targetOf(route.backend.url, request.query),
    headers: [
      ...passedHeaders(request, context.passHeaders),
      ...forwardedHeaders(new URL(route.resource), addressOf(context, request)),
      ...(session === undefined ? [] : ['mcp-session-id', session]),
      ...(authInfo === undefined ? [] : await tellIdentity(context, route, authInfo)),
    ],
    body: request.method === 'POST' ? body : undefined,
    answerHeaders: (answer) => ({ ...bound(context, answer, owner), ...headers }),
  }
  // Whoever left while the guard was at work is not called for.
  if (res.destroyed) return
  const exchange = forward(route.backend, res, call)
  context.calls.hold(exchange, authInfo && heldToken(context, route, authInfo))
  const ending = await exchange.done
  if (ending.outcome !== 'failed') return
  context.log?.write('warn', 'backend_failed', {
    resource: route.resource,
    reason: ending.failure,
    error: ending.cause,
  })
  write(res, request, failed(ending.failure, headers))
}

function sessionOf(
  { sessions }: CallContext,
  request: HttpRequest,
  owner: SessionOwner,
): string | 'foreign' | undefined {
  const sent = header(request, 'mcp-session-id')
  if (sent === undefined) return undefined
  return sessions.resolve(sent, owner) ?? 'foreign'
}

function bound(
  { sessions }: CallContext,
  answer: ResponseHeaders,
  owner: SessionOwner,
): ResponseHeaders {
  const { 'mcp-session-id': id, ...rest } = answer
  // A backend that names two sessions names none: nobody could tell which one is meant.
  return typeof id === 'string' ? { ...rest, 'mcp-session-id': sessions.bind(id, owner) } : rest
}

function tellIdentity(
  { auth }: CallContext,
  { identity, backend }: Route,
  authInfo: AuthInfo,
): ReturnType<typeof identityHeaders> {
  return identityHeaders(auth, identity, authInfo, backend.url.href)
}

function heldToken({ auth }: CallContext, { resource }: Route, authInfo: AuthInfo): HeldToken {
  return {
    authInfo,
    stillHolds: () => holds(auth, authInfo.token, resource),
  }
}

/**
 * What a refused identity is to the client. One that has ended at the upstream is a challenge, by which
 * the client signs in again: the guard's own, which knows where.
 */
async function refusal(
  { auth }: CallContext,
  { resource }: Route,
  request: HttpRequest,
  error: OAuthError,
  headers: Headers,
): Promise<HttpResponse> {
  if (error.code !== 'invalid_grant') return errorResponse(error, headers)
  const bodiless: HttpRequest = { ...request, method: 'GET', readBody: noBody }
  const again = await auth.guard(bodiless, { resource })
  if (again.outcome === 'refused') return again.response
  const rawHeaders = withoutToken(request.rawHeaders)
  const anew = await auth.guard({ ...bodiless, rawHeaders }, { resource })
  return anew.outcome === 'refused' ? anew.response : errorResponse(error, headers)
}

function withoutToken(rawHeaders: readonly string[]): readonly string[] {
  return rawHeaders.filter(
    (_, index) => rawHeaders[index - (index % 2)]?.toLowerCase() !== 'authorization',
  )
}

/** Asked of the guard itself, so that a stream lives by the rules that let it begin. */
async function holds(auth: McpOAuth, token: string, resource: string): Promise<boolean> {
  const { pathname } = new URL(resource)
  const request: HttpRequest = {
    method: 'GET',
    path: pathname,
    query: '',
    rawHeaders: ['authorization', `Bearer ${token}`],
    remoteAddress: undefined,
    readBody: noBody,
  }
  const { outcome } = await auth.guard(request, { resource })
  return outcome === 'passed'
}

function addressOf({ auth }: CallContext, request: HttpRequest): string | undefined {
  return clientAddress(request, auth.config.trustedProxies)
}

function noBody(): Promise<Uint8Array> {
  return Promise.resolve(new Uint8Array())
}

function isMethod(method: string): method is Call['method'] {
  return method === 'POST' || method === 'GET' || method === 'DELETE'
}

function write(res: ServerResponse, request: HttpRequest, response: HttpResponse): void {
  writeHttpResponse(res, response, request.method === 'HEAD')
}

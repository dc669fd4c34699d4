/**
 * The edge to node:http, and to the frameworks that stand on it (Express, Connect, Next.js pages).
 *
 * It translates and decides nothing. Headers and target pass as they came over the wire.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { json } from '../http/respond.ts'
import { OAuthError } from '../protocol/errors.ts'
import { failureResponse } from './failure.ts'
import type { Guarding, RouteHandler } from './guarding.ts'
import { judgeCall } from './judge_call.ts'
import { createBodyReader, isLeftUnread, linger } from './node_body.ts'
import { readTarget } from './node_target.ts'

export type { Guarding, Judged, RouteHandler } from './guarding.ts'
export { hardenServer, SERVER_OPTIONS } from './node_server.ts'

/** How a request is read. */
export interface ReadOptions {
  /** Seconds in which the whole body must have arrived; 30 by default. */
  readonly bodyTimeout?: number
  /** Puts the bytes of the body back, for a handler that reads the request itself. */
  readonly keepBody?: boolean
}

const BODY_TIMEOUT = 30

/** @throws OAuthError `invalid_request` for a target without a path, a Host in doubt, too many headers */
export function toHttpRequest(req: IncomingMessage, options: ReadOptions = {}): HttpRequest {
  const { path, query } = readTarget(req)
  const { bodyTimeout: seconds = BODY_TIMEOUT, keepBody: keep = false } = options
  return {
    method: req.method ?? '',
    path,
    query,
    rawHeaders: req.rawHeaders,
    remoteAddress: req.socket.remoteAddress,
    readBody: createBodyReader(req, { seconds, keep }),
  }
}

/**
 * Writes `response` whole. When the rest of a large body is still to come, its connection is closed.
 * @param head whether to leave the body out: it is of a HEAD request by default.
 */
export function writeHttpResponse(
  res: ServerResponse,
  response: HttpResponse,
  head: boolean = res.req.method === 'HEAD',
): void {
  const { status, body = '' } = response
  // Node reads lists of values and leaves them as they are.
  const headers = { ...response.headers } as OutgoingHttpHeaders
  // RFC 9110 §8.6: no Content-Length in 204; that of a 304 would be another answer's.
  if (status !== 204 && status !== 304) headers['content-length'] = Buffer.byteLength(body)
  const sent = head ? '' : body
  if (!isLeftUnread(res.req)) {
    res.writeHead(status, headers).end(sent)
    return
  }
  res.writeHead(status, { ...headers, connection: 'close' }).flushHeaders()
  if (sent.length > 0) res.write(sent)
  linger(res.req, () => res.end())
}

/** `next` as Express has it. */
export type Next = (error?: unknown) => void

export type NodeHandler = (req: IncomingMessage, res: ServerResponse, next?: Next) => void

/** Every OAuth route, for `http.createServer` or as Express middleware. What is not ours goes to `next`, or is 404. */
export function toNodeHandler(auth: RouteHandler): NodeHandler {
  async function answer(req: IncomingMessage, res: ServerResponse, next?: Next): Promise<void> {
    const response = await auth.handle(toHttpRequest(req))
    if (response !== undefined) return writeHttpResponse(res, response)
    if (next !== undefined) return next()
    writeHttpResponse(res, json(404, { error: 'not_found', error_description: 'nothing is here' }))
  }
  return (req, res, next) => {
    answer(req, res, next).catch((error: unknown) => fail(res, error))
  }
}

/** A request that the guard let through, as the transports of the MCP SDKs expect it. */
export interface GuardedRequest<Auth> extends IncomingMessage {
  /** Who calls; undefined only where `required` is false. */
  auth?: Auth
  /** The message, parsed: the very value that was judged. */
  body?: unknown
}

/** Answers a call, e.g. `(req, res, body) => transport.handleRequest(req, res, body)`. */
export type GuardedHandler<Auth> = (
  req: GuardedRequest<Auth>,
  res: ServerResponse,
  body: unknown,
) => unknown

/**
 * The guard around an MCP endpoint. `handler` may take the parsed message or read the request anew.
 * What it throws goes to `next`, or to `onError` (a warning of the process by default) and is answered
 * with 500.
 */
export function protectNode<Auth, Options extends object>(
  auth: Guarding<Auth, Options>,
  handler: GuardedHandler<Auth>,
  options?: Options,
  onError: (error: unknown) => void = warn,
): NodeHandler {
  async function answer(req: GuardedRequest<Auth>, res: ServerResponse): Promise<void> {
    const judged = await judgeCall(auth, toHttpRequest(req, { keepBody: true }), options)
    if (judged.outcome === 'refused') return writeHttpResponse(res, judged.response)
    for (const [name, value] of Object.entries(judged.headers)) {
      res.setHeader(name, typeof value === 'string' ? value : [...value])
    }
    const { authInfo, message } = judged
    if (authInfo === undefined) delete req.auth
    else req.auth = authInfo
    if (message !== undefined) req.body = message
    await handler(req, res, message)
  }
  return (req, res, next) => {
    answer(req, res).catch((error: unknown) => {
      if (next !== undefined) return next(error)
      if (!(error instanceof OAuthError)) onError(error)
      fail(res, error)
    })
  }
}

/** Where what went wrong is told when nobody else takes it. */
export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error))
}

function fail(res: ServerResponse, error: unknown): void {
  if (res.headersSent) res.destroy()
  else writeHttpResponse(res, failureResponse(error))
}

/**
 * Hono, over the edge to Fetch: both are middleware, on every runtime that Hono has.
 *
 * A body that other middleware has read is taken from Hono, which keeps it. The address of the caller is
 * known from the server of Node; for others `remoteAddress` says where it is.
 */
import type { HttpRequest } from '../http/message.ts'
import { OAuthError } from '../protocol/errors.ts'
import { fromFetch, toResponse } from './fetch.ts'
import type { Guarding, RouteHandler } from './guarding.ts'
import { judgeCall } from './judge_call.ts'

export type { Guarding, Judged, RouteHandler } from './guarding.ts'

/** As much of Hono's `Context` as is used here. */
export interface HonoContext {
  req: {
    raw: Request
    bodyCache: object
    arrayBuffer(): Promise<ArrayBuffer>
    formData(): Promise<FormData>
  }
  env: unknown
  header(name: string, value: string): void
  set(name: 'auth' | 'parsedBody', value: unknown): void
}

/** What a guarded route finds, for `new Hono<{ Variables: GuardedVariables<AuthInfo | undefined> }>()`. */
export interface GuardedVariables<Auth> {
  /** Who calls; undefined only where `required` is false. */
  auth: Auth
  /** The message: the very value that was judged. It stands where `@modelcontextprotocol/hono` puts it. */
  parsedBody: unknown
}

export interface HonoOptions {
  /** The address of the socket's peer, where the server is not that of Node. */
  readonly remoteAddress?: (env: unknown) => string | undefined
}

type Next = () => Promise<void>

/**
 * Every OAuth route. What is not ours goes on to the app. Mount it at the root, `app.use(…)`, and before what
 * checks origins, as the app of `@modelcontextprotocol/hono` does: browsers send consent with `Origin: null`.
 */
export function toHonoHandler(
  auth: RouteHandler,
  { remoteAddress = peerOfNode }: HonoOptions = {},
): (c: HonoContext, next: Next) => Promise<Response | void> {
  return async (c, next) => {
    const response = await auth.handle(toHttpRequest(c, remoteAddress(c.env)))
    return response === undefined ? await next() : toResponse(response)
  }
}

/**
 * The guard before an MCP route. What follows finds who calls in `c.get('auth')`, the message in
 * `c.get('parsedBody')`, and a request that can be read anew; an outage is answered with 503.
 */
export function protectHono<Auth, Options extends object>(
  auth: Guarding<Auth, Options>,
  options?: Options,
): (c: HonoContext, next: Next) => Promise<Response | void> {
  return async (c, next) => {
    const plain = toHttpRequest(c, undefined)
    let body: Uint8Array | undefined
    const judged = await judgeCall(
      auth,
      { ...plain, readBody: async (limit) => (body = await plain.readBody(limit)) },
      options,
    )
    if (judged.outcome === 'refused') return toResponse(judged.response)
    c.set('auth', judged.authInfo)
    c.set('parsedBody', judged.message)
    if (body !== undefined) leave(c, body)
    await next()
    for (const [name, value] of Object.entries(judged.headers)) {
      c.header(name, typeof value === 'string' ? value : value.join(', '))
    }
    return undefined
  }
}

/** Who comes next reads the very bytes that were judged. */
function leave({ req }: HonoContext, body: Uint8Array): void {
  const { url, method, headers, signal } = req.raw
  req.raw = new Request(url, { method, headers, signal, body: body as Uint8Array<ArrayBuffer> })
  req.bodyCache = {}
}

function toHttpRequest({ req }: HonoContext, remoteAddress: string | undefined): HttpRequest {
  const request = fromFetch(req.raw, remoteAddress)
  return { ...request, readBody: (limit) => readBody(req, request, limit) }
}

async function readBody(
  req: HonoContext['req'],
  request: HttpRequest,
  limit: number,
): Promise<Uint8Array> {
  if (!req.raw.bodyUsed) return await request.readBody(limit)
  if (Object.keys(req.bodyCache).length === 0) {
    throw new Error(
      'the body was read before this handler, and not through Hono: mount it before what reads bodies',
    )
  }
  const body = await readKept(req)
  if (body.length > limit) {
    throw new OAuthError('invalid_request', 'the body is too large', { status: 413 })
  }
  return body
}

/** Hono would write a form that it has parsed as multipart, which is not what the head says. */
async function readKept(req: HonoContext['req']): Promise<Uint8Array> {
  const type = req.raw.headers.get('content-type') ?? ''
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    return new Uint8Array(await req.arrayBuffer())
  }
  const form = new URLSearchParams()
  for (const [name, value] of await req.formData()) {
    if (typeof value === 'string') form.append(name, value)
  }
  return Buffer.from(form.toString())
}

/** `@hono/node-server` leaves the request of node:http in `env`. */
function peerOfNode(env: unknown): string | undefined {
  const { incoming } = (env ?? {}) as {
    readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } }
  }
  return incoming?.socket?.remoteAddress
}

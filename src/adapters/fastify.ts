/**
 * Fastify, over the edge to node:http: plugins for the OAuth routes and for the guard.
 *
 * Fastify reads bodies itself. The OAuth routes are answered before it does, and so is the guard asked, so
 * that what is judged are the bytes of the wire. A route that the guard brings along has a parser of its own
 * that leaves the stream alone; before a route that is there already the bytes are put back.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guarding, Judged, RouteHandler } from './guarding.ts'
import { judgeCall } from './judge_call.ts'
import { toHttpRequest, writeHttpResponse, type GuardedRequest } from './node.ts'

export type { Guarding, Judged, RouteHandler } from './guarding.ts'
export type { GuardedRequest } from './node.ts'

/** As much of Fastify's request as is used here. */
export interface FastifyRequestLike {
  raw: IncomingMessage
  body: unknown
  readonly routeOptions?: { readonly url?: string | undefined }
}

/** As much of Fastify's reply as is used here. */
export interface FastifyReplyLike {
  raw: ServerResponse
  hijack(): unknown
}

type Handler = (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>

/** As much of a Fastify instance as is used here. */
export interface FastifyLike {
  addHook(name: 'onRequest', hook: Handler): unknown
  removeAllContentTypeParsers(): void
  addContentTypeParser(type: string, parser: () => Promise<void>): unknown
  all(path: string, handler: Handler): unknown
}

export type FastifyPlugin = (app: FastifyLike) => Promise<void>

/**
 * Answers a call. What writes to `reply.raw`, as the transports of the MCP SDKs do, returns nothing; anything
 * else that it returns is sent by Fastify.
 */
export type FastifyHandler<Auth, Request, Reply> = (
  request: Request & { auth?: Auth },
  reply: Reply,
) => unknown

/** Every OAuth route. What is not ours goes on to the app. Register it first, on the app itself. */
export function toFastifyPlugin(auth: RouteHandler): FastifyPlugin {
  async function plugin(app: FastifyLike): Promise<void> {
    app.addHook('onRequest', async ({ raw }, reply) => {
      const response = await auth.handle(toHttpRequest(raw))
      if (response === undefined) return
      reply.hijack()
      writeHttpResponse(reply.raw, response)
    })
  }
  // The hook is one of the app, not of a scope below it.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

/**
 * The MCP route at `path`, behind the guard. `handler` finds who calls in `request.auth`, and in
 * `request.raw.auth` for the SDKs, and the message in `request.body`. What it throws goes to the
 * error handler of the app; an outage is answered with 503.
 */
export function protectFastify<
  Auth,
  Options extends object,
  Request extends FastifyRequestLike = FastifyRequestLike,
  Reply extends FastifyReplyLike = FastifyReplyLike,
>(
  auth: Guarding<Auth, Options>,
  path: string,
  handler: FastifyHandler<Auth, Request, Reply>,
  options?: Options,
): FastifyPlugin {
  async function answer(
    request: FastifyRequestLike & { auth?: Auth },
    reply: FastifyReplyLike,
  ): Promise<unknown> {
    const judged = await judge(auth, request, reply, options)
    if (judged === undefined) return undefined
    request.body = judged.message
    // Fastify calls with its own request and reply, of which `handler` says as much as it uses.
    const answered = await handler(request as Request & { auth?: Auth }, reply as Reply)
    if (answered === undefined) reply.hijack()
    return answered
  }
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', () => Promise.resolve())
    app.all(path, answer)
  }
}

/**
 * The guard before the routes that the app has at `path` and below it, whatever their methods. They find who
 * calls in `request.auth` and `request.raw.auth`, and the message where the app's parsers leave it. An outage is
 * answered with 503. Register it on the app itself, before plugins that hold the routes.
 */
export function protectFastifyRoute<Auth, Options extends object>(
  auth: Guarding<Auth, Options>,
  path: string,
  options?: Options,
): FastifyPlugin {
  const base = plainPath(path)
  async function plugin(app: FastifyLike): Promise<void> {
    app.addHook('onRequest', async (request: FastifyRequestLike & { auth?: Auth }, reply) => {
      if (isFor(request, base)) await judge(auth, request, reply, options)
    })
  }
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

/**
 * By the route that Fastify has found, however the path was spelt, and by the path that was asked for: a route
 * such as `/*` or `/mcp/:session?` has another name. Where one of them is in doubt, it is guarded.
 */
function isFor({ raw, routeOptions }: FastifyRequestLike, base: string): boolean {
  return [routeOptions?.url ?? '', raw.url ?? ''].some((one) => {
    const asked = plainPath(one)
    return asked === base || asked.startsWith(`${base}/`)
  })
}

/** As the most generous router reads it: without case, doubled slashes, and a slash at the end. */
function plainPath(url: string): string {
  const [path = ''] = url.split(/[?#;]/)
  return decoded(path).toLowerCase().replace(/\/+/g, '/').replace(/\/$/, '')
}

/** What has no meaning is refused by Fastify itself. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** Undefined when the call was refused, and answered. */
async function judge<Auth, Options extends object>(
  auth: Guarding<Auth, Options>,
  request: FastifyRequestLike & { auth?: Auth },
  reply: FastifyReplyLike,
  options: Options | undefined,
): Promise<Extract<Judged<Auth>, { outcome: 'passed' }> | undefined> {
  const raw: GuardedRequest<Auth> = request.raw
  const judged = await judgeCall(auth, toHttpRequest(raw, { keepBody: true }), options)
  if (judged.outcome === 'refused') {
    reply.hijack()
    writeHttpResponse(reply.raw, judged.response)
    return undefined
  }
  for (const [name, value] of Object.entries(judged.headers)) {
    reply.raw.setHeader(name, typeof value === 'string' ? value : [...value])
  }
  for (const place of [request, raw]) {
    if (judged.authInfo === undefined) delete place.auth
    else place.auth = judged.authInfo
  }
  return judged
}

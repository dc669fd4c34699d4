/**
 * Fastify, over the edge to node:http: two plugins.
 *
 * Fastify reads bodies itself. The OAuth routes are answered before it does, and the guarded route has a
 * parser of its own that leaves the stream alone, so that what is judged are the bytes of the wire.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guarding, RouteHandler } from './guarding.ts'
import { toHttpRequest, writeHttpResponse, type GuardedRequest } from './node.ts'

export type { Guarding, Judged, RouteHandler } from './guarding.ts'
export type { GuardedRequest } from './node.ts'

/** As much of Fastify's request as is used here. */
export interface FastifyRequestLike {
  raw: IncomingMessage
  body: unknown
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
 * `request.raw.auth` for the SDKs, and the message in `request.body`. What it throws, and an outage, goes to
 * the error handler of the app.
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
    const raw: GuardedRequest<Auth> = request.raw
    const judged = await auth.guard(toHttpRequest(raw, { keepBody: true }), options)
    if (judged.outcome === 'refused') {
      reply.hijack()
      return writeHttpResponse(reply.raw, judged.response)
    }
    for (const [name, value] of Object.entries(judged.headers)) {
      reply.raw.setHeader(name, typeof value === 'string' ? value : [...value])
    }
    for (const place of [request, raw]) {
      if (judged.authInfo === undefined) delete place.auth
      else place.auth = judged.authInfo
    }
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

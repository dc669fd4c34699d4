export {
  protectFastify,
  protectFastifyRoute,
  toFastifyPlugin,
  type FastifyHandler,
  type FastifyLike,
  type FastifyPlugin,
  type FastifyReplyLike,
  type FastifyRequestLike,
  type GuardedRequest,
  type Guarding,
  type Judged,
  type RouteHandler,
} from './adapters/fastify.ts'

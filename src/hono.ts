export {
  protectHono,
  toHonoHandler,
  type GuardedVariables,
  type Guarding,
  type HonoContext,
  type HonoOptions,
  type Judged,
  type RouteHandler,
} from './adapters/hono.ts'

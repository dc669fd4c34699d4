export {
  protectExpress,
  toExpressHandler,
  type ExpressHandler,
  type GuardedRequest,
  type Guarding,
  type Judged,
  type Next,
  type RouteHandler,
} from './adapters/express.ts'

export {
  toNextHandlers,
  type NextHandler,
  type NextHandlers,
  type NextOptions,
  type RouteHandler,
} from './adapters/next.ts'

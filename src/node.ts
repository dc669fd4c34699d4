export { authenticateNode } from './adapters/authenticate_node.ts'
export {
  hardenServer,
  protectNode,
  SERVER_OPTIONS,
  toHttpRequest,
  toNodeHandler,
  writeHttpResponse,
  type GuardedHandler,
  type GuardedRequest,
  type Guarding,
  type Judged,
  type Next,
  type NodeHandler,
  type ReadOptions,
  type RouteHandler,
} from './adapters/node.ts'

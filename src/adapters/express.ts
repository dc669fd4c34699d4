/**
 * Express 4 and 5, over the edge to node:http: both are middleware, and mount anywhere in an app.
 *
 * A mount path that Express cuts off `url` is still seen. What `express.json()` or `express.urlencoded()`
 * has parsed before is taken from `req.body`.
 */
import { protectNode, toNodeHandler } from './node.ts'
import type { Guarding, Next, NodeHandler, RouteHandler } from './node.ts'

export type { GuardedRequest, Guarding, Judged, Next, RouteHandler } from './node.ts'

/** Middleware of either version. */
export type ExpressHandler = (
  req: Parameters<NodeHandler>[0],
  res: Parameters<NodeHandler>[1],
  next: Next,
) => void

/** Every OAuth route. What is not ours goes on to the app. Mount it at the root: the paths are the issuer's. */
export function toExpressHandler(auth: RouteHandler): ExpressHandler {
  return toNodeHandler(auth)
}

/**
 * The guard before an MCP route. What follows finds who calls in `req.auth` and the message in `req.body`,
 * as the MCP SDK has them; an outage is answered with 503.
 */
export function protectExpress<Auth, Options extends object>(
  auth: Guarding<Auth, Options>,
  options?: Options,
): ExpressHandler {
  return (req, res, next) => protectNode(auth, () => next(), options)(req, res, next)
}

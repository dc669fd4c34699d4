/**
 * What an edge asks of a server: the OAuth routes and the guard. An edge is given one, and so imports none.
 *
 * It stands apart from the edge to node:http, for where Hono runs the types of Node need not be.
 */
import type { HttpRequest, HttpResponse } from '../http/message.ts'

/** What answers the OAuth routes: `createMcpOAuth`'s result. */
export interface RouteHandler {
  /** Undefined when the path is not one of them. */
  handle(request: HttpRequest): Promise<HttpResponse | undefined>
}

/** What the guard says of a call. */
export type Judged<Auth> =
  | {
      readonly outcome: 'passed'
      readonly authInfo: Auth | undefined
      readonly message: unknown
      readonly headers: HttpResponse['headers']
    }
  | { readonly outcome: 'refused'; readonly response: HttpResponse }

/** What judges calls: `createMcpOAuth`'s result. */
export interface Guarding<Auth, Options> {
  guard(request: HttpRequest, options?: Options): Promise<Judged<Auth>>
}

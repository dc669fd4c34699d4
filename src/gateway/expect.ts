/**
 * `Expect: 100-continue`: RFC 9110 §10.1.1.
 *
 * A client that asks first is asked for its body only when somebody reads it, which the guard does
 * after it has judged the token. Until then the connection is marked to close, for whoever is refused
 * may send the body or not, and nobody can tell what the next bytes are.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpRequest } from '../http/message.ts'

/** `request` as it is, or with a body that is asked for when it is read. */
export function whenExpected(
  request: HttpRequest,
  req: IncomingMessage,
  res: ServerResponse,
): HttpRequest {
  if (req.headers.expect === undefined) return request
  res.setHeader('connection', 'close')
  return {
    ...request,
    readBody(limit) {
      res.removeHeader('connection')
      res.writeContinue()
      return request.readBody(limit)
    },
  }
}

/**
 * The guard for frameworks on node:http that read a message before they ask who sends it, and take a
 * thrown `Response` for their answer, as FastMCP does with `authenticate`.
 *
 * It judges the token and where the page comes from. What is called stays unread, so the tools' scopes are
 * not enforced here: in FastMCP a tool says `canAccess: requireScopes(…)`.
 */
import type { IncomingMessage } from 'node:http'
import { failureResponse } from './failure.ts'
import { toResponse } from './fetch.ts'
import { judgeCall } from './judge_call.ts'
import { toHttpRequest, warn, type Guarding } from './node.ts'

/**
 * Who sends a request. What is thrown is a `Response`: 401 that leads to the sign-in, 503 in an outage.
 * `required: false` has no effect, as such frameworks have no request without a session.
 */
export function authenticateNode<Auth, Options extends object>(
  auth: Guarding<Auth, Options>,
  options?: Options,
): (req: IncomingMessage) => Promise<Auth> {
  const always = { ...(options as Options), required: true }
  return async (req) => {
    const judged = await judge(auth, req, always).catch((error: unknown) => {
      warn(error)
      throw toResponse(failureResponse(error))
    })
    if (judged.outcome === 'refused') throw toResponse(judged.response)
    if (judged.authInfo !== undefined) return judged.authInfo
    throw new TypeError('the guard let a request through without a token')
  }
}

async function judge<Auth, Options extends object>(
  auth: Guarding<Auth, Options>,
  req: IncomingMessage,
  options: Options | undefined,
) {
  const request = toHttpRequest(req)
  // Of a GET the guard reads no body, and this one's was read before.
  const method = request.method === 'POST' ? 'GET' : request.method
  return await judgeCall(auth, { ...request, method }, options)
}

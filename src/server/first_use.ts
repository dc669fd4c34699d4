/**
 * A server that is made when it is first asked for something.
 *
 * Frameworks import a program's routes to build it, on a machine that has none of its secrets. What is
 * made here is made later, and throws then what `create` throws, each time until it does not.
 */
import type { McpOAuth } from './server.ts'

/** Stands for the server that `create` makes: `onFirstUse(() => createMcpOAuth({ … }))`. */
export function onFirstUse(create: () => McpOAuth): McpOAuth {
  let made: McpOAuth | undefined
  const server = (): McpOAuth => (made ??= create())
  return {
    get config() {
      return server().config
    },
    handle: async (request) => await server().handle(request),
    fetch: async (request, caller) => await server().fetch(request, caller),
    guard: async (request, options) => await server().guard(request, options),
    protect: (handler, options) => async (request) =>
      await server().protect(handler, options)(request),
    verifyToken: async (request, token) => await server().verifyToken(request, token),
    verifier: (invalidToken, resource) => ({
      verifyAccessToken: async (token) =>
        await server().verifier(invalidToken, resource).verifyAccessToken(token),
    }),
    caller: (authInfo) => server().caller(authInfo),
    upstreamToken: async (authInfo) => await server().upstreamToken(authInfo),
    assertIdentity: async (authInfo, audience) => await server().assertIdentity(authInfo, audience),
    adopt: async (session) => await server().adopt(session),
    checkKeys: async () => await server().checkKeys(),
    forgetKey: async (kid) => await server().forgetKey(kid),
    close: async () => await made?.close(),
  }
}

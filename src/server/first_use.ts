/**
 * A server that is made when it is first asked for something.
 *
 * Frameworks import a program's routes to build it, on a machine that has none of its secrets. What is
 * made here is made later, and only once: what `create` throws is thrown to everybody, or each stranger's
 * request would open one more store.
 */
import type { McpOAuth } from './server.ts'

/** Stands for the server that `create` makes: `onFirstUse(() => createMcpOAuth({ … }))`. */
export function onFirstUse(create: () => McpOAuth): McpOAuth {
  let made: { readonly server: McpOAuth } | { readonly error: unknown } | undefined
  function server(): McpOAuth {
    made ??= attempt(create)
    if ('error' in made) throw made.error
    return made.server
  }
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
    async close() {
      if (made !== undefined && 'server' in made) await made.server.close()
    },
  }
}

function attempt(create: () => McpOAuth): { server: McpOAuth } | { error: unknown } {
  try {
    return { server: create() }
  } catch (error) {
    return { error }
  }
}

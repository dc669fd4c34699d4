/** What somebody writes who has no types of Node: on Workers, or with those of the DOM. */
import {
  createMcpOAuth,
  OAuthError,
  type AuthInfo,
  type Options,
  type Store,
} from '@mcp-oauth/server'
import { protectHono, toHonoHandler, type GuardedVariables } from '@mcp-oauth/server/hono'
import { memory } from '@mcp-oauth/server/stores/memory'
import { redis } from '@mcp-oauth/server/stores/redis'
import { github, session } from '@mcp-oauth/server/upstream'

interface Settings {
  readonly origin: string
  readonly keys: string
  readonly store?: Store
}

const scopes = { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' }

export function open({ origin, keys, store = memory() }: Settings) {
  const options: Options = {
    issuer: origin,
    resource: `${origin}/mcp`,
    keys,
    store,
    upstream: github({ client_id: 'id', client_secret: 'secret', scope: ['read:user'] }),
    scopes,
    tools: { add_note: ['notes:write'] },
    lifetimes: { accessToken: 600 },
  }
  const auth = createMcpOAuth(options)
  const mcp = auth.protect((_request, { authInfo }) => Response.json(whose(authInfo)), {
    required: false,
  })
  return {
    fetch: (request: Request): Promise<Response> =>
      new URL(request.url).pathname === '/mcp' ? mcp(request) : auth.fetch(request),
    routes: toHonoHandler(auth, { remoteAddress: () => '192.0.2.1' }),
    guard: protectHono(auth, { required: true }),
  }
}

function whose(authInfo: AuthInfo | undefined): object {
  if (authInfo === undefined) return {}
  const { clientId, scopes: given, extra } = authInfo
  return { clientId, given: given.join(' '), subject: extra.subject }
}

export type Variables = GuardedVariables<AuthInfo | undefined>

export const ownLogin = session({
  name: 'Notes',
  identify: ({ headers }) => (headers.has('cookie') ? { sub: 'ada' } : undefined),
  signInUrl: (return_to) => `/login?next=${encodeURIComponent(return_to)}`,
})

export function explain(error: unknown): string {
  return error instanceof OAuthError ? error.code : 'a bug'
}

export const openRedis = redis

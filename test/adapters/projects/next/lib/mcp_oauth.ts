import { createMcpOAuth, onFirstUse, type Store } from '@mcp-oauth/server'
import { memory } from '@mcp-oauth/server/stores/memory'
import { session } from '@mcp-oauth/server/upstream'

/** What is edited while the server runs. */
export const EDITION = 1

// An edit evaluates this file anew, once for each route. The store outlives that.
const kept = globalThis as { mcpOAuthStore?: Store }

export const auth = onFirstUse(() => {
  const { MCP_OAUTH_ISSUER: issuer = '', MCP_OAUTH_KEYS: keys = '' } = process.env
  return createMcpOAuth({
    issuer,
    resource: issuer.replace(/\/oauth$/, '/mcp'),
    keys,
    store: (kept.mcpOAuthStore ??= memory()),
    upstream: session({
      name: 'This app',
      issuer,
      identify: async ({ headers }) => {
        const [, sub] = /(?:^|; )user=([a-z]+)/.exec(headers.get('cookie') ?? '') ?? []
        return sub === undefined ? undefined : { sub }
      },
      signInUrl: (return_to) => `/login?next=${encodeURIComponent(return_to)}`,
    }),
    scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
  })
})

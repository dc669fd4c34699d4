/**
 * The one program: an MCP server on Hono whose tool acts at the upstream as the user who calls it. It is
 * told everything by its environment, and knows nothing of the runtime it is on.
 */
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { createMcpOAuth, type AuthInfo, type McpOAuth, type Store } from '@mcp-oauth/server'
import { protectHono, toHonoHandler, type GuardedVariables } from '@mcp-oauth/server/hono'
import { oidc } from '@mcp-oauth/server/upstream'
import { Hono } from 'hono'
import { z } from 'zod'

export interface Environment {
  readonly MCP_OAUTH_ISSUER: string
  readonly MCP_OAUTH_KEYS: string
  readonly UPSTREAM: string
  readonly UPSTREAM_CLIENT_ID: string
  readonly UPSTREAM_CLIENT_SECRET: string
  readonly NOTES_URL: string
}

/** What a runtime knows of a caller and a `Request` does not say. */
export interface Peer {
  readonly remoteAddress: string | undefined
}

export type App = Hono<{ Bindings: Peer; Variables: GuardedVariables<AuthInfo | undefined> }>

export function createApp(environment: Environment, store: Store): App {
  const { MCP_OAUTH_ISSUER: issuer } = environment
  const auth = createMcpOAuth({
    issuer,
    resource: `${issuer}/mcp`,
    keys: environment.MCP_OAUTH_KEYS,
    store,
    upstream: oidc({
      issuer: environment.UPSTREAM,
      client_id: environment.UPSTREAM_CLIENT_ID,
      client_secret: environment.UPSTREAM_CLIENT_SECRET,
    }),
    scopes: { 'notes:read': 'Read your notes' },
    tools: { whoami: ['notes:read'] },
  })
  const mcp = createMcpHandler(() => createServer(auth, environment.NOTES_URL))
  const app: App = new Hono()
  app.use(toHonoHandler(auth, { remoteAddress: (env) => (env as Peer).remoteAddress }))
  app.all('/mcp', protectHono(auth), (c) => {
    const authInfo = c.get('auth')
    return mcp.fetch(c.req.raw, authInfo === undefined ? {} : { authInfo })
  })
  return app
}

function createServer(auth: McpOAuth, notesUrl: string): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool(
    'whoami',
    { description: 'Asks the upstream who you are', inputSchema: z.object({}) },
    async (_input, { http }) => {
      const token = await auth.upstreamToken(http?.authInfo as AuthInfo)
      const answer = await fetch(notesUrl, { headers: { authorization: `Bearer ${token}` } })
      return { content: [{ type: 'text', text: await answer.text() }] }
    },
  )
  return server
}

/** The web server: the OAuth routes, and the MCP endpoint behind the guard. */
import { serve } from '@hono/node-server'
import type { AuthInfo } from '@mcp-oauth/server'
import { protectHono, toHonoHandler, type GuardedVariables } from '@mcp-oauth/server/hono'
import { Hono } from 'hono'
import { auth } from './mcp_oauth.ts'
import { mcp } from './tools.ts'

const app = new Hono<{ Variables: GuardedVariables<AuthInfo> }>()
app.use(toHonoHandler(auth))
app.all('/mcp', protectHono(auth), (c) =>
  mcp.fetch(c.req.raw, { authInfo: c.get('auth'), parsedBody: c.get('parsedBody') }),
)

const port = Number(process.env['PORT'] ?? 3000)
serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, () =>
  console.log(`MCP clients take ${auth.config.resources[0]?.resource}`),
)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await auth.close()
    process.exit()
  })
}

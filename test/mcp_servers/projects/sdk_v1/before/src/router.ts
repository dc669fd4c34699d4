import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { ProxyOAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/providers/proxyProvider.js'
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthRouter,
} from '@modelcontextprotocol/sdk/server/auth/router.js'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

function createServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('list_notes', { description: 'Lists the notes' }, async ({ authInfo }) => {
    const notes = await readNotes(authInfo?.token)
    return { content: [{ type: 'text', text: notes }] }
  })
  server.registerTool(
    'delete_note',
    { description: 'Deletes a note', inputSchema: { id: z.number() } },
    async ({ id }) => ({ content: [{ type: 'text', text: `deleted ${id}` }] }),
  )
  return server
}

const issuerUrl = new URL(process.env['MCP_OAUTH_ISSUER'] ?? 'http://localhost:3000')
const resourceServerUrl = new URL('/mcp', issuerUrl)
const provider = new ProxyOAuthServerProvider({
  endpoints: {
    authorizationUrl: `${process.env['OIDC_ISSUER']}/auth`,
    tokenUrl: `${process.env['OIDC_ISSUER']}/token`,
  },
  async verifyAccessToken(token) {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`${process.env['OIDC_ISSUER']}/me`, { headers })
    if (!answer.ok) throw new InvalidTokenError('the provider does not know this token')
    return { token, clientId: 'everybody', scopes: [], expiresAt: Date.now() / 1000 + 60 }
  },
  getClient: async (client_id) => ({
    client_id,
    redirect_uris: ['http://localhost:8080/callback'],
  }),
})

const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(resourceServerUrl)
const bearer = requireBearerAuth({ verifier: provider, resourceMetadataUrl })

const app = createMcpExpressApp()
app.use(mcpAuthRouter({ provider, issuerUrl, resourceServerUrl }))
app.post('/mcp', bearer, async (req, res) => {
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  await createServer().connect(transport)
  await transport.handleRequest(req, res, req.body)
})
app.listen(port, '127.0.0.1')

import {
  createMcpExpressApp,
  getOAuthProtectedResourceMetadataUrl,
  requireBearerAuth,
  type OAuthTokenVerifier,
} from '@modelcontextprotocol/express'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  McpServer,
  OAuthError,
  OAuthErrorCode,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('list_notes', { description: 'Lists the notes' }, async () => {
    const notes = await readNotes(process.env['NOTES_TOKEN'])
    return { content: [{ type: 'text', text: notes }] }
  })
  server.registerTool(
    'delete_note',
    {
      description: 'Deletes a note',
      inputSchema: z.object({ id: z.number() }),
    },
    async ({ id }) => ({ content: [{ type: 'text', text: `deleted ${id}` }] }),
  )
  return server
})

const resource = new URL('/mcp', process.env['MCP_OAUTH_ISSUER'] ?? 'http://localhost:3000')
const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(resource)
const verifier: OAuthTokenVerifier = {
  async verifyAccessToken(token) {
    if (token === process.env['SHARED_TOKEN']) {
      return { token, clientId: 'everybody', scopes: [], expiresAt: Date.now() / 1000 + 60 }
    }
    throw new OAuthError(OAuthErrorCode.InvalidToken, 'not the shared token')
  },
}

const mcp = toNodeHandler(handler)
const app = createMcpExpressApp()
app.all('/mcp', requireBearerAuth({ verifier, resourceMetadataUrl }), (req, res) =>
  mcp(req, res, req.body),
)
app.listen(port, '127.0.0.1')

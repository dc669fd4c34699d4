import { toExpressHandler } from '@mcp-oauth/server/express'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { getOAuthProtectedResourceMetadataUrl } from '@modelcontextprotocol/sdk/server/auth/router.js'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'
import { auth } from './mcp_oauth.js'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

function createServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('list_notes', { description: 'Lists the notes' }, async ({ authInfo }) => {
    const caller = auth.caller(authInfo)
    const notes = await readNotes(await auth.upstreamToken(caller))
    return { content: [{ type: 'text', text: `${caller.extra.user.name}: ${notes}` }] }
  })
  server.registerTool(
    'delete_note',
    { description: 'Deletes a note', inputSchema: { id: z.number() } },
    async ({ id }) => ({ content: [{ type: 'text', text: `deleted ${id}` }] }),
  )
  return server
}

const resourceServerUrl = new URL('/mcp', auth.config.issuer)
const verifier = auth.verifier((description) => new InvalidTokenError(description))

const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(resourceServerUrl)
const bearer = requireBearerAuth({ verifier, resourceMetadataUrl })

const app = createMcpExpressApp()
app.use(toExpressHandler(auth))
app.post('/mcp', bearer, async (req, res) => {
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  await createServer().connect(transport)
  await transport.handleRequest(req, res, req.body)
})
app.listen(port, '127.0.0.1')

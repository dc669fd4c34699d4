import { protectExpress, toExpressHandler } from '@mcp-oauth/server/express'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import express from 'express'
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

const app = express()
app.use(toExpressHandler(auth))
app.use(express.json())
app.post('/mcp', protectExpress(auth), async (req, res) => {
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  await createServer().connect(transport)
  await transport.handleRequest(req, res, req.body)
})
app.listen(port, '127.0.0.1')

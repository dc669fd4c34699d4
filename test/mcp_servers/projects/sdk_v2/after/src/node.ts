import { createServer } from 'node:http'
import { protectNode, toNodeHandler as toOAuthHandler } from '@mcp-oauth/server/node'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { auth } from './mcp_oauth.js'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('list_notes', { description: 'Lists the notes' }, async ({ http }) => {
    const caller = auth.caller(http?.authInfo)
    const notes = await readNotes(await auth.upstreamToken(caller))
    return { content: [{ type: 'text', text: `${caller.extra.user.name}: ${notes}` }] }
  })
  server.registerTool(
    'delete_note',
    { description: 'Deletes a note', inputSchema: z.object({ id: z.number() }) },
    async ({ id }) => ({ content: [{ type: 'text', text: `deleted ${id}` }] }),
  )
  return server
})

const mcp = protectNode(auth, toNodeHandler(handler))
const oauth = toOAuthHandler(auth)
createServer((req, res) => {
  if (req.url === '/mcp') void mcp(req, res)
  else oauth(req, res)
}).listen(port, '127.0.0.1')

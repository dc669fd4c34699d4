import { serve } from '@hono/node-server'
import { toHonoHandler } from '@mcp-oauth/server/hono'
import { createMcpHonoApp } from '@modelcontextprotocol/hono'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { Hono } from 'hono'
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

const mcp = auth.protect((request, { authInfo }) => handler.fetch(request, { authInfo }))
const app = createMcpHonoApp()
app.all('/mcp', (c) => mcp(c.req.raw))
const outer = new Hono().use(toHonoHandler(auth)).route('/', app)
serve({ fetch: outer.fetch, port, hostname: '127.0.0.1' })

import { serve } from '@hono/node-server'
import { createMcpHonoApp } from '@modelcontextprotocol/hono'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
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
    { description: 'Deletes a note', inputSchema: z.object({ id: z.number() }) },
    async ({ id }) => ({ content: [{ type: 'text', text: `deleted ${id}` }] }),
  )
  return server
})

const app = createMcpHonoApp()
app.all('/mcp', (c) => handler.fetch(c.req.raw))
serve({ fetch: app.fetch, port, hostname: '127.0.0.1' })

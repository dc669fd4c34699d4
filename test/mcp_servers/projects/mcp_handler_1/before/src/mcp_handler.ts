import { serve } from '@hono/node-server'
import { createMcpHandler } from 'mcp-handler'
import { z } from 'zod'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

const handler = createMcpHandler((server) => {
  server.registerTool('list_notes', { description: 'Lists the notes' }, async () => {
    const notes = await readNotes(process.env['NOTES_TOKEN'])
    return { content: [{ type: 'text', text: notes }] }
  })
  server.registerTool(
    'delete_note',
    { description: 'Deletes a note', inputSchema: { id: z.number() } },
    async ({ id }) => ({ content: [{ type: 'text', text: `deleted ${id}` }] }),
  )
})

serve({
  fetch: (request) => handler(request),
  port,
  hostname: '127.0.0.1',
})

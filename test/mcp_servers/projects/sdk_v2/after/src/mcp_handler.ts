import { serve } from '@hono/node-server'
import { createMcpHandler } from 'mcp-handler'
import { z } from 'zod'
import { auth } from './mcp_oauth.js'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

const handler = createMcpHandler((server) => {
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
})

const mcp = auth.protect(handler)
serve({
  fetch(request, { incoming }) {
    if (new URL(request.url).pathname === '/mcp') return mcp(request)
    return auth.fetch(request, { remoteAddress: incoming.socket.remoteAddress })
  },
  port,
  hostname: '127.0.0.1',
})

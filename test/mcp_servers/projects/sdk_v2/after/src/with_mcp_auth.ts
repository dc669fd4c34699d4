import { serve } from '@hono/node-server'
import { requireScopes } from '@modelcontextprotocol/server'
import { createMcpHandler, withMcpAuth } from 'mcp-handler'
import { z } from 'zod'
import { auth } from './mcp_oauth.js'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

const mcp = createMcpHandler((server) => {
  server.registerTool('list_notes', { description: 'Lists the notes' }, async ({ http }) => {
    const caller = auth.caller(http?.authInfo)
    const notes = await readNotes(await auth.upstreamToken(caller))
    return { content: [{ type: 'text', text: `${caller.extra.user.name}: ${notes}` }] }
  })
  server.registerTool(
    'delete_note',
    {
      description: 'Deletes a note',
      inputSchema: z.object({ id: z.number() }),
      scopeChallenge: requireScopes('notes:write'),
    },
    async ({ id }) => ({ content: [{ type: 'text', text: `deleted ${id}` }] }),
  )
})

const handler = withMcpAuth(mcp, auth.verifyToken, {
  required: true,
  resourceUrl: auth.config.issuer,
  resourceMetadataPath: '/.well-known/oauth-protected-resource/mcp',
})

serve({
  fetch(request, { incoming }) {
    const { pathname } = new URL(request.url)
    if (pathname === '/mcp') return handler(request)
    return auth.fetch(request, { remoteAddress: incoming.socket.remoteAddress })
  },
  port,
  hostname: '127.0.0.1',
})

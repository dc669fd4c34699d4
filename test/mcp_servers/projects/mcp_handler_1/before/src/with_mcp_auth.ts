import { serve } from '@hono/node-server'
import { createMcpHandler, protectedResourceHandler, withMcpAuth } from 'mcp-handler'
import { z } from 'zod'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

const mcp = createMcpHandler((server) => {
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

async function verifyToken(_request: Request, token?: string) {
  if (token === undefined || token !== process.env['SHARED_TOKEN']) return undefined
  return { token, clientId: 'everybody', scopes: [] }
}

const handler = withMcpAuth(mcp, verifyToken, { required: true })
const metadata = protectedResourceHandler({ authServerUrls: ['https://auth.example.com'] })

serve({
  fetch(request) {
    const { pathname } = new URL(request.url)
    if (pathname === '/mcp') return handler(request)
    if (pathname === '/.well-known/oauth-protected-resource') return metadata(request)
    return new Response('nothing is here', { status: 404 })
  },
  port,
  hostname: '127.0.0.1',
})

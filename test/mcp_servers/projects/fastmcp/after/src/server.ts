import { authenticateNode } from '@mcp-oauth/server/node'
import { toHonoHandler } from '@mcp-oauth/server/hono'
import { FastMCP, requireScopes } from 'fastmcp'
import { z } from 'zod'
import { auth } from './mcp_oauth.js'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

const server = new FastMCP({
  name: 'notes',
  version: '1.0.0',
  authenticate: authenticateNode(auth),
})
server.getApp().use(toHonoHandler(auth))

server.addTool({
  name: 'list_notes',
  description: 'Lists the notes',
  async execute(_, { session }) {
    const caller = auth.caller(session)
    const notes = await readNotes(await auth.upstreamToken(caller))
    return `${caller.extra.user.name}: ${notes}`
  },
})

server.addTool({
  name: 'delete_note',
  description: 'Deletes a note',
  canAccess: requireScopes('notes:write'),
  parameters: z.object({ id: z.number() }),
  execute: async ({ id }) => `deleted ${id}`,
})

await server.start({ transportType: 'httpStream', httpStream: { port, host: '127.0.0.1' } })

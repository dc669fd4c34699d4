/** The MCP server: three tools. None of them sees a call that the guard has not let pass. */
import type { AuthInfo } from '@mcp-oauth/server'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { askUpstream, auth } from './mcp_oauth.ts'
import { addNote, listNotes } from './notes.ts'

export const mcp = createMcpHandler((call) => {
  // The guard made it.
  const caller = call.authInfo as AuthInfo
  const { subject } = caller.extra
  const server = new McpServer({ name: 'notes', version: '1.0.0' })

  server.registerTool(
    'whoami',
    { description: 'Who you are, as your identity provider says' },
    async () => tell(await askUpstream(await auth.upstreamToken(caller))),
  )
  server.registerTool('list_notes', { description: 'Your notes' }, async () =>
    tell(JSON.stringify(await listNotes(subject))),
  )
  server.registerTool(
    'add_note',
    { description: 'Writes a note', inputSchema: z.object({ text: z.string().max(500) }) },
    async ({ text }) => {
      await addNote(subject, text)
      return tell('Written.')
    },
  )
  return server
})

function tell(text: string) {
  return { content: [{ type: 'text' as const, text }] }
}

/**
 * The demo's MCP server: notes, for each user their own. It knows nothing of OAuth.
 *
 * The gateway before it tells it who calls (`X-Mcp-*` headers), and hands it the user's own access token
 * of the identity provider, with which `whoami` asks there. It believes those headers because only the
 * gateway should reach it: it listens on 127.0.0.1, and its address is told to nobody.
 */
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { readCaller, askUpstream, type Caller } from './caller.ts'
import { refuseProduction, serve, setting } from './child_process.ts'
import { openNotes } from './notes.ts'

refuseProduction('the MCP server')
const notes = openNotes(setting('DEMO_FILE'))
const userinfo = setting('DEMO_USERINFO')

const handler = createMcpHandler(({ requestInfo }) => {
  const server = new McpServer({ name: 'demo-notes', version: '1.0.0' })
  addTools(server, readCaller(requestInfo?.headers ?? new Headers()))
  return server
})
const answer = toNodeHandler(handler)

serve(Number(setting('DEMO_PORT')), (request, response) => {
  const { method = 'GET', url = '/' } = request
  if (url.split('?')[0] === '/mcp') void answer(Object.assign(request, { method, url }), response)
  else response.writeHead(404).end()
})

function addTools(server: McpServer, caller: Caller): void {
  server.registerTool(
    'whoami',
    { description: 'Who you are, by the gateway and by the identity provider.' },
    async () => tell(describe(caller, await askUpstream(userinfo, caller.upstreamToken))),
  )
  server.registerTool('list_notes', { description: 'Your notes.' }, async () =>
    tell(notes.list(caller.user)),
  )
  server.registerTool(
    'add_note',
    {
      description: 'Writes a note down.',
      inputSchema: z.object({ text: z.string().min(1).max(500) }),
    },
    async ({ text }) => tell(notes.add(caller.user, text)),
  )
  server.registerTool(
    'delete_note',
    {
      description: 'Deletes one of your notes. Needs the scope notes:write.',
      inputSchema: z.object({ id: z.number().int() }),
    },
    async ({ id }) => tell({ deleted: notes.remove(caller.user, id) }),
  )
}

function describe(caller: Caller, upstream: unknown): object {
  const { user, name, email, client, scope } = caller
  return { gateway_says: { user, name, email, client, scope }, upstream_says: upstream }
}

function tell(value: unknown): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text: JSON.stringify(value, undefined, 2) }] }
}

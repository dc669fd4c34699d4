import { toExpressHandler } from '@mcp-oauth/server/express'
import {
  createMcpExpressApp,
  getOAuthProtectedResourceMetadataUrl,
  requireBearerAuth,
} from '@modelcontextprotocol/express'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  McpServer,
  OAuthError,
  OAuthErrorCode,
  requireScopes,
} from '@modelcontextprotocol/server'
import express from 'express'
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
    {
      description: 'Deletes a note',
      inputSchema: z.object({ id: z.number() }),
      scopeChallenge: requireScopes('notes:write'),
    },
    async ({ id }) => ({ content: [{ type: 'text', text: `deleted ${id}` }] }),
  )
  return server
})

const resource = new URL('/mcp', process.env['MCP_OAUTH_ISSUER'] ?? 'http://localhost:3000')
const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(resource)
const verifier = auth.verifier(
  (description) => new OAuthError(OAuthErrorCode.InvalidToken, description),
)

const mcp = toNodeHandler(handler)
const app = createMcpExpressApp()
app.all('/mcp', requireBearerAuth({ verifier, resourceMetadataUrl }), (req, res) =>
  mcp(req, res, req.body),
)
express().use(toExpressHandler(auth), app).listen(port, '127.0.0.1')

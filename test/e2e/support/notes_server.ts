/**
 * A program of the kind the library is for: an MCP server made with the SDK, whose tool acts at the
 * upstream as the user who calls it.
 */
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { AuthInfo } from '../../../src/guard/verifier.ts'
import type { McpOAuth } from '../../../src/server/server.ts'
import { oidc } from '../../../src/upstream/oidc.ts'
import type { TestOidcProvider } from '../../support/oidc_provider.ts'
import { startServer, type TestServer, type TestServerOptions } from '../../support/server.ts'

/** Starts it with `provider` as the upstream. */
export async function startNotes(
  provider: TestOidcProvider,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const served: { auth?: McpOAuth } = {}
  const handler = toNodeHandler(
    createMcpHandler(() => {
      const server = new McpServer({ name: 'notes', version: '1.0.0' })
      server.registerTool(
        'whoami',
        { description: 'Asks the upstream who you are' },
        async (context) => {
          const { auth } = served
          const authInfo = context.http?.authInfo as AuthInfo | undefined
          if (auth === undefined || authInfo === undefined) return tell('nobody')
          const token = await auth.upstreamToken(authInfo)
          const answer = await fetch(provider.notesUrl, {
            headers: { authorization: `Bearer ${token}` },
          })
          return tell(await answer.text())
        },
      )
      server.registerTool(
        'delete_note',
        { description: 'Needs notes:write', inputSchema: z.object({ id: z.number() }) },
        async ({ id }) => tell(`deleted ${id}`),
      )
      return server
    }),
  )
  const server = await startServer({
    upstream: (issuer) => {
      provider.allowRedirect(`${issuer}/callback`)
      const { client_id, client_secret } = provider
      return oidc({ issuer: provider.issuer, client_id, client_secret, name: 'Example provider' })
    },
    handler: (req, res) =>
      void handler(
        Object.assign(req, { method: 'POST', url: '/mcp' }),
        res,
        Reflect.get(req, 'body'),
      ),
    ...options,
  })
  served.auth = server.auth
  return server
}

function tell(text: string): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text }] }
}

/** The first text of a tool's answer. */
export function textOf(result: unknown): string {
  const { content = [] } = result as { content?: { text?: string }[] }
  return content[0]?.text ?? ''
}

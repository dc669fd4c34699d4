/**
 * Somebody with the official MCP client: calls tools, and signs in on the way when the server asks for it.
 */
import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { textOf } from '../e2e/support/notes_server.ts'
import { createProvider } from '../e2e/support/provider.ts'
import { call } from '../support/flow.ts'

/** What a person does in the browser: from the URL that the client wants opened to its callback. */
export type SignIn = (authorizationUrl: string, redirect_uri: string) => Promise<URLSearchParams>

export interface Caller {
  /** The text of a tool's answer, and how often the server asked for a sign-in before it. */
  call(
    tool: string,
    args?: { [name: string]: unknown },
  ): Promise<{ readonly text: string; readonly signIns: number }>
  /** One call with the access token as it is, at `at` if that is elsewhere: what the server says to it. */
  callRaw(tool: string, args?: object, at?: string): Promise<Response>
  readonly tokens: { readonly access_token: string; readonly refresh_token: string }
  readonly client_id: string
}

export function createCaller(url: string, signIn: SignIn): Caller {
  const provider = createProvider('http://127.0.0.1:33333/callback')

  async function once(tool: string, args: { [name: string]: unknown }): Promise<string | SignIn> {
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider })
    const client = new Client({ name: 'test', version: '1' })
    try {
      await client.connect(transport)
      return textOf(await client.callTool({ name: tool, arguments: args }))
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error
      const asked = provider.kept.authorizationUrl?.href ?? ''
      await transport.finishAuth(await signIn(asked, provider.redirectUrl))
      return signIn
    } finally {
      await client.close()
    }
  }

  return {
    async call(tool, args = {}) {
      for (let signIns = 0; signIns < 3; signIns += 1) {
        const answer = await once(tool, args)
        if (typeof answer === 'string') return { text: answer, signIns }
      }
      throw new Error(`${url} asks for a sign-in again and again`)
    },
    callRaw: (tool, args = {}, at = url) => {
      const access_token = String(provider.kept.tokens?.['access_token'])
      const headers = { 'mcp-protocol-version': '2025-06-18' }
      return call(
        { resource: at },
        access_token,
        'tools/call',
        { name: tool, arguments: args },
        headers,
      )
    },
    get tokens() {
      return provider.kept.tokens as unknown as Caller['tokens']
    },
    get client_id() {
      return String(provider.kept.information?.['client_id'])
    },
  }
}

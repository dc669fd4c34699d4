/**
 * The official TypeScript SDK over its versions: every line that is in use signs in, as it is.
 */
import { Client as LatestClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LatestTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Client as Client110 } from 'mcp-sdk-1.10/client/index.js'
import { StreamableHTTPClientTransport as Transport110 } from 'mcp-sdk-1.10/client/streamableHttp.js'
import { Client as Client113 } from 'mcp-sdk-1.13/client/index.js'
import { StreamableHTTPClientTransport as Transport113 } from 'mcp-sdk-1.13/client/streamableHttp.js'
import { Client as Client120 } from 'mcp-sdk-1.20/client/index.js'
import { StreamableHTTPClientTransport as Transport120 } from 'mcp-sdk-1.20/client/streamableHttp.js'
import { Client as Client124 } from 'mcp-sdk-1.24/client/index.js'
import { StreamableHTTPClientTransport as Transport124 } from 'mcp-sdk-1.24/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, post } from '../support/flow.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import type { TestServer } from '../support/server.ts'
import { signInHeadless } from './support/headless.ts'
import { startNotes, textOf } from './support/notes_server.ts'
import { createProvider } from './support/provider.ts'

/** What all lines have in common, as far as it is needed here. */
interface AnyTransport {
  finishAuth(code: string): Promise<void>
}
interface AnyClient {
  connect(transport: AnyTransport): Promise<void>
  callTool(call: { name: string; arguments: object }): Promise<unknown>
  close(): Promise<void>
}
interface Line {
  readonly Client: new (info: { name: string; version: string }) => AnyClient
  readonly Transport: new (url: URL, options: { authProvider: object }) => AnyTransport
}

const LINES = {
  '1.10': { Client: Client110, Transport: Transport110 },
  '1.13': { Client: Client113, Transport: Transport113 },
  '1.20': { Client: Client120, Transport: Transport120 },
  '1.24': { Client: Client124, Transport: Transport124 },
  newest: { Client: LatestClient, Transport: LatestTransport },
} as unknown as { readonly [name: string]: Line }

let upstream: TestOidcProvider
let server: TestServer

beforeAll(async () => {
  upstream = await startOidcProvider()
  server = await startNotes(upstream)
})
afterAll(async () => {
  await server.close()
  await upstream.close()
})

describe.each(Object.entries(LINES))('MCP SDK %s', (_, { Client, Transport }) => {
  it('discovers, registers, signs in, calls a tool as the user, refreshes, and is out when revoked', async () => {
    const provider = createProvider('http://localhost:43117/callback')
    const url = new URL(server.resource)
    const first = new Transport(url, { authProvider: provider })
    const client = new Client({ name: 'a client', version: '1' })
    await expect(client.connect(first)).rejects.toThrow(/unauthorized/i)

    const asked = provider.kept.authorizationUrl?.href ?? ''
    const arrived = await signInHeadless(asked, upstream, 'ada')
    expect(`${arrived.origin}${arrived.pathname}`).toBe('http://localhost:43117/callback')
    await first.finishAuth(arrived.searchParams.get('code') ?? '')

    const connected = new Client({ name: 'a client', version: '1' })
    await connected.connect(new Transport(url, { authProvider: provider }))
    const answer = await connected.callTool({ name: 'whoami', arguments: {} })
    expect(JSON.parse(textOf(answer))).toMatchObject({ user: 'ada' })

    const before = provider.kept.tokens
    // A client refreshes when its access token is refused.
    const { client_id } = provider.kept.information as { client_id: string }
    await post(server, '/revoke', { token: String(before?.['access_token']), client_id })
    await connected.callTool({ name: 'whoami', arguments: {} })
    expect(provider.kept.tokens?.['refresh_token']).not.toBe(before?.['refresh_token'])

    await post(server, '/revoke', {
      token: String(provider.kept.tokens?.['refresh_token']),
      client_id,
    })
    const status = (await call(server, String(provider.kept.tokens?.['access_token']))).status
    expect(status).toBe(401)
    await connected.close()
  })
})

/**
 * The gateway's command in front of a server that nobody here wrote, with a provider that nobody here
 * wrote as the upstream: a real client signs in, lists the tools, and calls one that streams.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { signInHeadless } from './support/headless.ts'
import { textOf } from './support/notes_server.ts'
import { startEverything, startGatewayCommand, type Running } from './support/processes.ts'
import { createProvider } from './support/provider.ts'

describe('mcp-oauth gateway before @modelcontextprotocol/server-everything', () => {
  let upstream: TestOidcProvider
  let everything: Running
  let gateway: Running
  const provider = createProvider('http://localhost:43118/callback')
  const connect = async () => {
    const client = new Client({ name: 'a client', version: '1' })
    const transport = new StreamableHTTPClientTransport(new URL(gateway.url), {
      authProvider: provider as never,
    })
    return { client, transport }
  }

  beforeAll(async () => {
    upstream = await startOidcProvider()
    everything = await startEverything()
    gateway = await startGatewayCommand(everything.url, upstream)
  })
  afterAll(async () => {
    await gateway.close()
    await everything.close()
    await upstream.close()
  })

  it('a client signs in', async () => {
    const { client, transport } = await connect()
    await expect(client.connect(transport as never)).rejects.toThrow(/unauthorized/i)
    const asked = provider.kept.authorizationUrl?.href ?? ''
    const arrived = await signInHeadless(asked, upstream, 'grace')
    await transport.finishAuth(arrived.searchParams.get('code') ?? '')
    expect(provider.kept.tokens).toMatchObject({ token_type: 'Bearer' })
  })

  it('lists the tools, and calls one', async () => {
    const { client, transport } = await connect()
    await client.connect(transport as never)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('echo')
    const answer = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
    expect(textOf(answer)).toContain('hello')
    await client.close()
  })

  it('progress comes while the tool is at work, and not at its end', async () => {
    const { client, transport } = await connect()
    await client.connect(transport as never)
    const seen: { progress: number; at: number }[] = []
    const answer = await client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 2, steps: 4 } },
      undefined,
      { onprogress: ({ progress }) => void seen.push({ progress, at: performance.now() }) },
    )
    const end = performance.now()
    expect(seen.map(({ progress }) => progress)).toEqual([1, 2, 3, 4])
    expect(end - (seen[0]?.at ?? end)).toBeGreaterThan(500)
    expect(textOf(answer)).toMatch(/completed/i)
    await client.close()
  })

  it('LG-01 nothing that the gateway wrote is a secret', () => {
    const { access_token, refresh_token } = provider.kept.tokens as { [name: string]: string }
    for (const secret of [
      access_token,
      refresh_token,
      upstream.client_secret,
      provider.kept.verifier,
    ]) {
      expect(gateway.told()).not.toContain(secret)
    }
  })
})

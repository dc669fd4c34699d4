/**
 * The sign-in as it is meant to be: SDK v2 as the client, a real browser as the user, an OpenID provider
 * that somebody else wrote as the upstream, and a tool that acts there as the user.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserSuite, launchBrowser, type TestBrowser } from '../support/browser.ts'
import { call, post } from '../support/flow.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import type { TestServer } from '../support/server.ts'
import { signInBrowsing } from './support/browse.ts'
import { listenLoopback, type Loopback } from './support/loopback.ts'
import { startNotes, textOf } from './support/notes_server.ts'
import { createProvider, type TestProvider } from './support/provider.ts'

browserSuite(describe, 'MCP SDK v2 in a real browser', () => {
  let upstream: TestOidcProvider
  let server: TestServer
  let browser: TestBrowser
  let loopback: Loopback
  let provider: TestProvider

  beforeAll(async () => {
    upstream = await startOidcProvider()
    server = await startNotes(upstream)
    browser = await launchBrowser()
    loopback = await listenLoopback()
    provider = createProvider(loopback.redirect_uri)
  })
  afterAll(async () => {
    loopback.close()
    await browser.close()
    await server.close()
    await upstream.close()
  })

  const connect = async () => {
    const client = new Client({ name: 'a client', version: '1' })
    const transport = new StreamableHTTPClientTransport(new URL(server.resource), {
      authProvider: provider,
    })
    return { client, transport }
  }
  const whoami = async () => {
    const { client, transport } = await connect()
    await client.connect(transport)
    const answer = await client.callTool({ name: 'whoami', arguments: {} })
    await client.close()
    return JSON.parse(textOf(answer)) as object
  }

  it('401, discovery, registration, consent, upstream, code, token', async () => {
    const { client, transport } = await connect()
    await expect(client.connect(transport)).rejects.toThrow(/unauthorized/i)
    const asked = provider.kept.authorizationUrl
    expect(asked?.searchParams.get('resource')).toBe(server.resource)
    const consent = await signInBrowsing(browser, asked?.href ?? '', 'ada')
    expect(consent).toContain('An MCP client')
    expect(consent).toContain('127.0.0.1')
    expect(consent).toContain('Change your notes')
    const arrived = await loopback.arrived
    expect(arrived.searchParams.get('state')).toBe(provider.kept.state)
    expect(arrived.searchParams.get('iss')).toBe(server.issuer)
    await transport.finishAuth(arrived.searchParams)
    expect(provider.kept.tokens).toMatchObject({ token_type: 'Bearer' })
  })

  it('a tool acts at the upstream as the user', async () => {
    expect(await whoami()).toMatchObject({ user: 'ada', notes: ['A note of Ada Lovelace'] })
  })

  it('an access token that is over is renewed without the user', async () => {
    const before = provider.kept.tokens?.['access_token']
    server.advance(3601)
    expect(await whoami()).toMatchObject({ user: 'ada' })
    expect(provider.kept.tokens?.['access_token']).not.toBe(before)
  })

  it('a revoked sign-in is out at once', async () => {
    const { client_id } = provider.kept.information as { client_id: string }
    const { access_token, refresh_token } = provider.kept.tokens as { [name: string]: string }
    expect((await call(server, access_token)).status).toBe(200)
    const revoked = await post(server, '/revoke', { token: refresh_token, client_id })
    expect(revoked.status).toBe(200)
    expect((await call(server, access_token)).status).toBe(401)
    await expect(whoami()).rejects.toThrow(/unauthorized/i)
  })
})

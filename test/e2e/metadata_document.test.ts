/**
 * A client that never registers: its `client_id` is the URL of its metadata document, which the gateway
 * fetches over TLS. SDK v2 as the client, a real browser as the user.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UNTRUSTED } from '../gateway/support/certificate.ts'
import { browserSuite, launchBrowser, type TestBrowser } from '../support/browser.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { tempFiles } from '../support/temp.ts'
import { signInBrowsing } from './support/browse.ts'
import { listenLoopback, type Loopback } from './support/loopback.ts'
import { startEverything, startGatewayCommand, type Running } from './support/processes.ts'
import { createProvider, type TestProvider } from './support/provider.ts'

const certificate = tempFiles('.pem')()

browserSuite(describe, 'Client ID Metadata Document, from the first call to a tool', () => {
  let upstream: TestOidcProvider
  let everything: Running
  let gateway: Running
  let browser: TestBrowser
  let loopback: Loopback
  let documents: Server
  let provider: TestProvider
  let fetched = 0

  beforeAll(async () => {
    loopback = await listenLoopback()
    documents = createServer(UNTRUSTED).listen(0, '127.0.0.1')
    await once(documents, 'listening')
    const client_id = `https://127.0.0.1:${(documents.address() as AddressInfo).port}/client.json`
    provider = createProvider(loopback.redirect_uri, client_id)
    documents.on('request', (_, res) => {
      fetched += 1
      res.writeHead(200, { 'content-type': 'application/json' })
      // As native clients have it: without the port, which they choose at run time.
      const redirect_uris = ['http://127.0.0.1/callback', 'http://localhost/callback']
      res.end(JSON.stringify({ ...provider.clientMetadata, client_id, redirect_uris }))
    })
    upstream = await startOidcProvider()
    everything = await startEverything()
    writeFileSync(certificate, UNTRUSTED.cert)
    gateway = await startGatewayCommand(everything.url, upstream, {
      flags: ['--dangerously-allow-private-cimd'],
      env: { NODE_EXTRA_CA_CERTS: certificate },
    })
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await gateway.close()
    await everything.close()
    await upstream.close()
    loopback.close()
    documents.close()
  })

  it('signs in without registering, and the page says who published the document', async () => {
    const client = new Client({ name: 'a client', version: '1' })
    const url = new URL(gateway.url)
    const transport = new StreamableHTTPClientTransport(url, { authProvider: provider })
    await expect(client.connect(transport)).rejects.toThrow(/unauthorized/i)
    const asked = provider.kept.authorizationUrl
    expect(asked?.searchParams.get('client_id')).toBe(provider.clientMetadataUrl)
    const consent = await signInBrowsing(browser, asked?.href ?? '', 'grace')
    expect(consent).toContain('Verified')
    await transport.finishAuth((await loopback.arrived).searchParams)

    const connected = new Client({ name: 'a client', version: '1' })
    await connected.connect(new StreamableHTTPClientTransport(url, { authProvider: provider }))
    const { tools } = await connected.listTools()
    expect(tools.map(({ name }) => name)).toContain('echo')
    await connected.close()
    expect(fetched).toBe(1)
  })
})

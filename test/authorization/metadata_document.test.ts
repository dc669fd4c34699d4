/**
 * Clients that a document describes, while a sign-in is under way.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Page } from '../support/agent.ts'
import { agentOf, authorizeUrl, decide, pkce } from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { arrive, depart, startWorld, UNLIMITED } from '../support/upstream_flow.ts'
import { expectErrorPage } from './support.ts'

const GOOD = 'https://good.example/cb'
const documents = { status: 200, redirect_uris: [GOOD], fetched: 0 }
const host = createServer((req, res) => {
  documents.fetched += 1
  const client_id = `http://${req.headers.host}${req.url}`
  res.writeHead(documents.status, {
    'content-type': 'application/json',
    'cache-control': 'max-age=0',
  })
  res.end(
    JSON.stringify({
      client_id,
      client_name: 'Documented',
      redirect_uris: documents.redirect_uris,
      token_endpoint_auth_method: 'none',
    }),
  )
}).listen(0, '127.0.0.1')
await once(host, 'listening')
const origin = `http://127.0.0.1:${(host.address() as AddressInfo).port}`
const OPTIONS = {
  rateLimits: UNLIMITED,
  clientIdMetadataDocuments: { dangerouslyAllowPrivateAddresses: true, fetchesPerHost: 1000 },
}
const FRESH = 61

let count = 0
/** A client of its own for each test, so that nothing of it is kept yet. */
function newClient(): { client_id: string; redirect_uri: string } {
  documents.redirect_uris = [GOOD]
  documents.status = 200
  count += 1
  return { client_id: `${origin}/client${count}.json`, redirect_uri: GOOD }
}

describe('CIMD §6.3 a document that changes', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer(OPTIONS)
  })
  afterAll(async () => {
    await server.close()
    host.closeAllConnections()
    host.close()
  })

  it.each(['approve', 'deny'] as const)(
    'CI-29 after the page was shown, %s goes to no new redirect URI',
    async (decision) => {
      const client = newClient()
      const agent = agentOf('ada')
      const page = await agent.get(authorizeUrl(server, client, pkce().challenge))
      expect(page.status).toBe(200)
      documents.redirect_uris = ['https://evil.example/cb']
      server.advance(FRESH)
      const after = await decide(server, agent, page, decision)
      expectErrorPage(after)
      expect(after.body).not.toContain('evil.example')
    },
  )

  it('CI-29 within the time that the copy is fresh the code goes where the page said', async () => {
    const client = newClient()
    const agent = agentOf('ada')
    const page = await agent.get(authorizeUrl(server, client, pkce().challenge))
    documents.redirect_uris = ['https://evil.example/cb']
    expect((await decide(server, agent, page)).leadsTo?.startsWith(`${GOOD}?code=`)).toBe(true)
  })

  it('CI-29 while the user is at the upstream: the callback ends in a page', async () => {
    const world = await startWorld(OPTIONS)
    const client = newClient()
    const departure = await depart(world, { client })
    const callback = await world.provider.signIn(departure.upstreamUrl, 'ada')
    documents.redirect_uris = ['https://evil.example/cb']
    world.server.advance(FRESH)
    expectErrorPage(await departure.agent.get(callback))
    expect(world.provider.tokenCalls().all).toBe(0)
    await world.close()
  })

  it.each([503, 429])(
    'a host that answers %i in the middle uses nothing up: 503, and then it goes on',
    async (status) => {
      const world = await startWorld(OPTIONS)
      const client = newClient()
      const departure = await depart(world, { client })
      const callback = await world.provider.signIn(departure.upstreamUrl, 'ada')
      world.server.advance(FRESH)
      documents.status = status
      const failed = await departure.agent.get(callback)
      expectErrorPage(failed, 503)
      expect(failed.headers.get('retry-after')).not.toBeNull()
      documents.status = 200
      world.server.advance(FRESH)
      expect(arrive(departure, await departure.agent.get(callback)).code).not.toBe('')
      await world.close()
    },
  )

  it('CI-46 both hosts are named where they differ, with a warning', async () => {
    const page = await agentOf('ada').get(authorizeUrl(server, newClient(), pkce().challenge))
    const text = page.body.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ')
    expect(text).toContain('Two different sites')
    expect(text).toContain('published by 127.0.0.1, but the access goes to good.example')
  })

  it('CI-47 an id of more than 2 kB is a page, and nothing is fetched', async () => {
    const before = documents.fetched
    const client = { ...newClient(), client_id: `${origin}/${'x'.repeat(3000)}.json` }
    const pages: Page[] = [await agentOf('ada').get(authorizeUrl(server, client, pkce().challenge))]
    for (const page of pages) expectErrorPage(page)
    expect(documents.fetched).toBe(before)
  })
})

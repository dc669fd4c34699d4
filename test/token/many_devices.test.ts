/**
 * One client on many devices: a Client ID Metadata Document is shared by every installation, so its
 * sign-ins must not get in each other's way.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, post, refresh, signIn, type TestClient } from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'

const redirect_uri = 'http://127.0.0.1:43121/callback'
const documents = createServer((req, res) => {
  const client_id = `http://${req.headers.host}${req.url}`
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end(
    JSON.stringify({
      client_id,
      client_name: 'An installed client',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    }),
  )
})

let server: TestServer
let client: TestClient

beforeAll(async () => {
  documents.listen(0, '127.0.0.1')
  await once(documents, 'listening')
  const { port } = documents.address() as AddressInfo
  client = { client_id: `http://127.0.0.1:${port}/client.json`, redirect_uri }
  server = await startServer({
    maxGrantsPerClient: 3,
    clientIdMetadataDocuments: { dangerouslyAllowPrivateAddresses: true },
  })
})
afterAll(async () => {
  documents.close()
  await server.close()
})

describe('CI-42 one document, many installations', () => {
  it('a sign-in on one device ends none on another, and revoking one leaves the other', async () => {
    const [laptop, desktop] = [await signIn(server, { client }), await signIn(server, { client })]
    expect((await call(server, laptop.tokens.access_token)).status).toBe(200)
    const refreshed = await refresh(server, client, laptop.tokens.refresh_token)
    expect(refreshed.status).toBe(200)
    const { client_id } = client
    await post(server, '/revoke', { token: desktop.tokens.refresh_token, client_id })
    expect((await call(server, desktop.tokens.access_token)).status).toBe(401)
    expect((await call(server, laptop.tokens.access_token)).status).toBe(200)
  })

  it('beyond their number the oldest ends, and no other', async () => {
    const sessions = []
    for (let device = 0; device < 4; device += 1) {
      // Two of one second are of one age.
      server.advance(1)
      sessions.push(await signIn(server, { client }))
    }
    const statuses = []
    for (const { tokens } of sessions) {
      statuses.push((await call(server, tokens.access_token)).status)
    }
    expect(statuses).toEqual([401, 200, 200, 200])
    expect(server.events).toContainEqual(
      expect.objectContaining({ type: 'grant_ended', reason: 'superseded' }),
    )
  })
})

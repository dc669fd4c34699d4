/**
 * A client library that checks every answer to the letter of the RFCs, and refuses what MCP clients
 * would let pass.
 */
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REDIRECT } from '../support/flow.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import type { TestServer } from '../support/server.ts'
import { signInHeadless } from './support/headless.ts'
import { startNotes } from './support/notes_server.ts'

const loopback = { [oauth.allowInsecureRequests]: true }
const RS_SECRET = 'a-secret-of-a-resource-server-0123456789'

let upstream: TestOidcProvider
let server: TestServer
let as: oauth.AuthorizationServer

beforeAll(async () => {
  upstream = await startOidcProvider()
  server = await startNotes(upstream, {
    path: '/t1',
    resourceServer: { client_id: 'resource-server', client_secret: RS_SECRET },
    clients: [
      {
        client_id: 'confidential',
        client_secret: 'a-secret-of-the-confidential-client-0123',
        redirect_uris: [REDIRECT],
      },
    ],
  })
  const issuer = new URL(server.issuer)
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    const response = await oauth.discoveryRequest(issuer, { ...loopback, algorithm })
    as = await oauth.processDiscoveryResponse(issuer, response)
  }
})
afterAll(async () => {
  await server.close()
  await upstream.close()
})

/** From the authorization request to the tokens. */
async function signIn(client: oauth.Client, authentication: oauth.ClientAuth) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint ?? '')
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    response_type: 'code',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    resource: server.resource,
    scope: 'notes:read offline_access',
  }).toString()
  const arrived = await signInHeadless(url.href, upstream, 'ada')
  const callback = oauth.validateAuthResponse(as, client, arrived, state)
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    authentication,
    callback,
    REDIRECT,
    verifier,
    loopback,
  )
  return await oauth.processAuthorizationCodeResponse(as, client, response)
}

describe('oauth4webapi', () => {
  it('RFC 9728 the resource’s metadata names the issuer', async () => {
    const resource = new URL(server.resource)
    const response = await oauth.resourceDiscoveryRequest(resource, loopback)
    const metadata = await oauth.processResourceDiscoveryResponse(resource, response)
    expect(metadata.authorization_servers).toEqual([server.issuer])
  })

  it('RFC 7591 registers, signs in, calls, refreshes and revokes as a public client', async () => {
    const registered = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(
        as,
        {
          redirect_uris: [REDIRECT],
          token_endpoint_auth_method: 'none',
          grant_types: ['authorization_code', 'refresh_token'],
        },
        loopback,
      ),
    )
    const client: oauth.Client = { client_id: registered.client_id }
    const tokens = await signIn(client, oauth.None())
    expect(tokens.scope).toBe('notes:read offline_access')

    const called = await oauth.protectedResourceRequest(
      tokens.access_token,
      'POST',
      new URL(server.resource),
      new Headers({
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      }),
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      loopback,
    )
    expect(called.status).not.toBe(401)

    const refreshed = await oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(
        as,
        client,
        oauth.None(),
        tokens.refresh_token ?? '',
        loopback,
      ),
    )
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(
        as,
        client,
        oauth.None(),
        refreshed.refresh_token ?? '',
        loopback,
      ),
    )
  })

  it('RFC 6749 §2.3.1 a confidential client signs in with its secret in the header', async () => {
    const client: oauth.Client = { client_id: 'confidential' }
    const secret = oauth.ClientSecretBasic('a-secret-of-the-confidential-client-0123')
    expect(await signIn(client, secret)).toMatchObject({ token_type: 'bearer' })
  })

  it('RFC 6749 §5.2 errors and their challenges are well formed', async () => {
    const client: oauth.Client = { client_id: 'confidential' }
    const response = await oauth.refreshTokenGrantRequest(
      as,
      client,
      oauth.ClientSecretBasic('not-the-secret-of-the-confidential-client'),
      'anything',
      loopback,
    )
    const failed = oauth.processRefreshTokenResponse(as, client, response)
    await expect(failed).rejects.toMatchObject({
      code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
      status: 401,
    })
  })

  it('RFC 7662 §2.2 a resource server learns what a token is good for', async () => {
    const client: oauth.Client = { client_id: 'confidential' }
    const tokens = await signIn(
      client,
      oauth.ClientSecretBasic('a-secret-of-the-confidential-client-0123'),
    )
    const caller: oauth.Client = { client_id: 'resource-server' }
    const answer = await oauth.processIntrospectionResponse(
      as,
      caller,
      await oauth.introspectionRequest(
        as,
        caller,
        oauth.ClientSecretBasic(RS_SECRET),
        tokens.access_token,
        loopback,
      ),
    )
    expect(answer).toMatchObject({
      active: true,
      client_id: 'confidential',
      scope: 'notes:read',
      aud: server.resource,
      iss: server.issuer,
    })
  })
})

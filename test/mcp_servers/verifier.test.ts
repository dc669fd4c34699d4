/**
 * `auth.verifier` and `auth.caller` against the SDKs themselves: what each takes for a bad token, and that
 * an outage is never taken for one.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth as requireBearerAuthV1 } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { OAuthError, OAuthErrorCode, requireBearerAuth } from '@modelcontextprotocol/server'
import express from 'express'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memory } from '../../src/stores/memory.ts'
import type { TokenVerifier } from '../../src/guard/token_verifier.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { failingStore } from '../grants/failing_store.ts'
import { post, signIn } from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let down = false

beforeEach(async () => {
  down = false
  server = await startServer({ store: failingStore(memory(), () => down) })
})
afterEach(() => server.close())

const forV1 = () => server.auth.verifier((description) => new InvalidTokenError(description))
const forV2 = () =>
  server.auth.verifier(
    (description) => new OAuthError(OAuthErrorCode.InvalidToken, description),
    server.resource,
  )

/** What the middleware of SDK v1 answers. */
async function askV1(verifier: TokenVerifier, token: string): Promise<Response> {
  const app = express()
  app.use(requireBearerAuthV1({ verifier }), (req, res) => void res.json(req.auth))
  const listening = createServer(app).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: bearer(token) })
  listening.close()
  return answer
}

/** What the Fetch gate of SDK v2 answers. */
async function askV2(verifier: TokenVerifier, token: string): Promise<Response> {
  const request = new Request(server.resource, { headers: bearer(token) })
  const judged = await requireBearerAuth({ verifier })(request)
  return judged instanceof Response ? judged : Response.json(judged)
}

function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` }
}

describe.each([
  ['SDK v1', forV1, askV1],
  ['SDK v2', forV2, askV2],
])('the verifier of %s', (_name, verifier, ask) => {
  it('RFC 6750 §3.1 knows who holds a token', async () => {
    const { tokens } = await signIn(server)
    const answer = await ask(verifier(), tokens.access_token)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({
      scopes: ['notes:read', 'notes:write'],
      resource: server.resource,
      extra: { user: { sub: 'ada' } },
    })
  })

  it('RFC 6750 §3.1 answers 401 to a token that is forged, expired, revoked or of no shape', async () => {
    const { tokens, client } = await signIn(server)
    const { access_token, refresh_token } = tokens
    for (const forged of ['forged', `${access_token}x`, access_token.slice(0, -1), refresh_token]) {
      const answer = await ask(verifier(), forged)
      expect([forged, answer.status]).toEqual([forged, 401])
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
    }
    server.advance(3601)
    expect((await ask(verifier(), access_token)).status).toBe(401)
    server.advance(-3601)
    expect((await ask(verifier(), access_token)).status).toBe(200)
    await post(server, '/revoke', { token: refresh_token, client_id: client.client_id })
    expect((await ask(verifier(), access_token)).status).toBe(401)
  })

  it('an outage is no bad token: 500, and nobody is sent to sign in', async () => {
    const { tokens } = await signIn(server)
    server.advance(2)
    down = true
    const answer = await ask(verifier(), tokens.access_token)
    expect(answer.status).toBe(500)
    expect(answer.headers.has('www-authenticate')).toBe(false)
    await expect(verifier().verifyAccessToken(tokens.access_token)).rejects.toBeInstanceOf(
      StoreUnavailable,
    )
  })
})

describe('a verifier', () => {
  it('RFC 8707 §2 of one resource refuses the tokens of another', async () => {
    const { origin } = server
    const two = await startServer({
      store: server.store,
      keys: server.keys,
      resources: [`${origin}/mcp`, `${origin}/other`],
    })
    const { tokens } = await signIn(server)
    const invalid = (description: string) => new InvalidTokenError(description)
    const here = two.auth.verifier(invalid, `${origin}/mcp`)
    const there = two.auth.verifier(invalid, `${origin}/other`)
    expect(await here.verifyAccessToken(tokens.access_token)).toMatchObject({ scopes: {} })
    await expect(there.verifyAccessToken(tokens.access_token)).rejects.toThrow(InvalidTokenError)
    expect(() => two.auth.verifier(invalid)).toThrow(/say which resource: .*\/mcp, .*\/other/)
    expect(() => two.auth.verifier(invalid, `${origin}/third`)).toThrow(/no resource .*\/third/)
    await two.close()
  })
})

describe('the caller, in a tool', () => {
  it('has its types again', async () => {
    const { tokens } = await signIn(server)
    const { token, clientId, scopes, expiresAt, extra } = await forV1().verifyAccessToken(
      tokens.access_token,
    )
    // What an SDK hands to a tool: its own type, in which `extra` is unknown.
    const handed: { token: string; extra?: Record<string, unknown> } = {
      token,
      extra: { ...extra },
    }
    const { subject, user, grantId } = server.auth.caller(handed).extra
    expect([user.sub, user.name]).toEqual(['ada', 'The user ada'])
    expect([subject, grantId]).toEqual([extra.subject, extra.grantId])
    expect([clientId.length > 0, scopes.length, expiresAt > 0]).toEqual([true, 2, true])
  })

  it.each([
    ['nobody', undefined, /nobody is signed in/],
    ['an authInfo of somebody else', { extra: { userId: 'ada' } }, /not made by the guard/],
    ['one without extra', {}, /not made by the guard/],
    ['one with half of it', { extra: { grantId: '1', subject: 'ada' } }, /not made by the guard/],
    [
      'one with null',
      { extra: { grantId: '1', subject: 'a', user: null } },
      /not made by the guard/,
    ],
  ])('is not made of %s', async (_name, authInfo, message) => {
    expect(() => server.auth.caller(authInfo)).toThrow(message)
    await expect(server.auth.upstreamToken(authInfo)).rejects.toThrow(message)
  })
})

/**
 * Introspection over the wire: RFC 7662.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  authorize,
  post,
  redeem,
  refresh,
  register,
  signIn,
  type TestClient,
  type Tokens,
} from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ID = 'resource-server'
const SECRET = 'the-secret-of-a-resource-server-0123456'
const AUTHORIZATION = `Basic ${Buffer.from(`${ID}:${SECRET}`).toString('base64')}`

let server: TestServer
let client: TestClient
let tokens: Tokens

beforeAll(async () => {
  server = await startServer({ resourceServer: { client_id: ID, client_secret: SECRET } })
  client = await register(server)
  tokens = (await signIn(server, { client })).tokens
})
afterAll(() => server.close())

function introspect(token: string | undefined, authorization: string | undefined = AUTHORIZATION) {
  return post(server, '/introspect', { token }, { ...(authorization && { authorization }) })
}

describe('RFC 7662 §2.1 who may ask', () => {
  it('IN-03 the secret does in the header and in the body', async () => {
    expect((await introspect(tokens.access_token)).body['active']).toBe(true)
    const inBody = await post(server, '/introspect', {
      token: tokens.access_token,
      client_id: ID,
      client_secret: SECRET,
    })
    expect(inBody.body['active']).toBe(true)
  })

  it.each([
    ['nobody', ''],
    ['a wrong secret', `Basic ${Buffer.from(`${ID}:wrong`).toString('base64')}`],
    ['an unknown id', `Basic ${Buffer.from(`other:${SECRET}`).toString('base64')}`],
    ['a user’s token', 'Bearer token'],
  ])('IN-01 %s learns nothing', async (_, authorization) => {
    const { status, text } = await introspect(tokens.access_token, authorization)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
    expect(text).not.toContain('active')
  })

  it('IN-01 a client that has a secret is no resource server', async () => {
    const confidential = await register(server, {
      token_endpoint_auth_method: 'client_secret_post',
    })
    const { status } = await post(server, '/introspect', {
      token: tokens.access_token,
      client_id: confidential.client_id,
      client_secret: confidential.client_secret,
    })
    expect(status).toBe(401)
  })

  it('IN-06 only by POST, and never in the query', async () => {
    const url = `${server.issuer}/introspect?token=${tokens.access_token}`
    const got = await fetch(url, { headers: { authorization: AUTHORIZATION } })
    expect(got.status).toBe(405)
    const queried = await post(
      server,
      `/introspect?token=${tokens.access_token}`,
      {},
      {
        authorization: AUTHORIZATION,
      },
    )
    expect(queried.body['error']).toBe('invalid_request')
  })

  it('a server without resource servers has no such endpoint', async () => {
    const other = await startServer()
    try {
      expect((await post(other, '/introspect', { token: 'x' })).status).toBe(404)
      const document = await fetch(`${other.issuer}/.well-known/oauth-authorization-server`)
      expect(await document.json()).not.toHaveProperty('introspection_endpoint')
    } finally {
      await other.close()
    }
  })
})

describe('RFC 7662 §2.2 what is told', () => {
  it('IN-03 who, for what, until when; not the token, and nothing is kept on the way', async () => {
    const { body, text, headers } = await introspect(tokens.access_token)
    expect(body).toMatchObject({
      active: true,
      token_type: 'Bearer',
      client_id: client.client_id,
      scope: 'notes:read notes:write',
      aud: server.resource,
      iss: server.issuer,
    })
    expect(body['sub']).toMatch(/^[\w-]{43}$/)
    expect(body['exp']).toBeGreaterThan(Date.now() / 1000 + 3500)
    expect(text).not.toContain(tokens.access_token)
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('IN-02 of anything else exactly that it is not active', async () => {
    const flipped = `${tokens.access_token.slice(0, -1)}${tokens.access_token.endsWith('A') ? 'B' : 'A'}`
    for (const token of ['random', flipped, 'x'.repeat(10_000), 'mcp_at_', 'null']) {
      const { status, text } = await introspect(token)
      expect([status, text]).toEqual([200, '{"active":false}'])
    }
    expect((await introspect('')).body['error']).toBe('invalid_request')
  })

  it('IN-04 a refresh token and a code are no access tokens', async () => {
    const authorized = await authorize(server, client)
    for (const token of [tokens.refresh_token, authorized.code]) {
      expect((await introspect(token)).text).toBe('{"active":false}')
    }
    expect((await redeem(server, authorized)).status).toBe(200)
  })

  it('IN-05 a revoked token is not active from that moment on', async () => {
    const { tokens: mine } = await signIn(server, { client })
    await post(server, '/revoke', { token: mine.access_token, client_id: client.client_id })
    expect((await introspect(mine.access_token)).text).toBe('{"active":false}')
    const next = await refresh(server, client, mine.refresh_token)
    const token = String(next.body['access_token'])
    expect((await introspect(token)).body['active']).toBe(true)
    await post(server, '/revoke', {
      token: String(next.body['refresh_token']),
      client_id: client.client_id,
    })
    expect((await introspect(token)).text).toBe('{"active":false}')
  })

  it('IN-02 an expired token is not active', async () => {
    const { tokens: mine } = await signIn(server, { client })
    server.advance(3600)
    expect((await introspect(mine.access_token)).text).toBe('{"active":false}')
    server.advance(-3600)
  })

  it('IN-07 each resource server sees the tokens of its own resource', async () => {
    const resources = ['https://a.example/a', 'https://a.example/b']
    const two = await startServer({
      resources,
      resourceServers: [{ client_id: ID, client_secret: SECRET, resource: 'https://a.example/b' }],
    })
    try {
      for (const resource of resources) {
        const { tokens: mine } = await signIn(two, { params: { resource } })
        const { body } = await post(
          two,
          '/introspect',
          { token: mine.access_token },
          { authorization: AUTHORIZATION },
        )
        expect(body['active']).toBe(resource === 'https://a.example/b')
      }
    } finally {
      await two.close()
    }
  })

  it('IN-08 §4 guessing is slowed down', async () => {
    const limited = await startServer({
      resourceServer: { client_id: ID, client_secret: SECRET },
      rateLimits: { introspect: 20 },
    })
    try {
      const ask = () =>
        post(limited, '/introspect', { token: 'x' }, { authorization: AUTHORIZATION })
      const answers = await Promise.all(Array.from({ length: 40 }, ask))
      const refused = answers.filter(({ status }) => status === 429)
      expect(refused).toHaveLength(20)
      expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    } finally {
      await limited.close()
    }
  })
})

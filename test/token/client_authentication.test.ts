/**
 * Who the client is: OAuth 2.1 §2.4, over the wire at the token endpoint.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  authorize,
  post,
  redeem,
  refresh,
  register,
  REDIRECT,
  signIn,
  type Authorized,
  type Params,
  type TestClient,
} from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
/** Sends its secret in the body. */
let client: TestClient
/** Sends it in the header. */
let basic: TestClient

beforeAll(async () => {
  server = await startServer({ rateLimits: { token: 0, register: 0 } })
  client = await register(server, { token_endpoint_auth_method: 'client_secret_post' })
  basic = await register(server, {
    client_name: 'basic',
    token_endpoint_auth_method: 'client_secret_basic',
  })
})
afterAll(() => server.close())

const header = (id: string, secret: string) =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`

/** A token request whose authentication is all that matters. */
function ask(params: Params | string, headers: Readonly<{ [name: string]: string }> = {}) {
  const form =
    typeof params === 'string'
      ? params
      : { grant_type: 'refresh_token', refresh_token: 'mcp_rt_nothing', ...params }
  return post(server, '/token', form, headers)
}

describe('RFC 6749 §3.2.1 a confidential client', () => {
  it('TK-16 is who has its secret: nothing else does', async () => {
    const { client_id, client_secret = '' } = client
    const wrong: Params[] = [
      { client_id },
      { client_id, client_secret: '' },
      { client_id, client_secret: 'undefined' },
      { client_id, client_secret: 'null' },
      { client_id, client_secret: client_secret.slice(0, -1) },
      { client_id, client_secret: `${client_secret}x` },
      { client_id, client_secret: client_secret.toUpperCase() },
      { client_id, client_secret: ` ${client_secret}` },
    ]
    for (const params of wrong) {
      const { status, body, headers } = await ask(params)
      expect([status, body['error']]).toEqual([401, 'invalid_client'])
      expect(headers.get('cache-control')).toBe('no-store')
    }
    expect((await ask({ client_id, client_secret })).body['error']).toBe('invalid_grant')
  })

  it('TK-16 RFC 6749 §5.2 a client that used the header gets a challenge back', async () => {
    const { status, headers, body } = await ask(
      {},
      { authorization: header(basic.client_id, 'no') },
    )
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
    expect(headers.get('www-authenticate')).toMatch(/^Basic realm=/)
  })

  it('TK-16 an unknown client and a wrong secret are answered alike', async () => {
    const unknown = await ask({ client_id: 'nobody', client_secret: 'x' })
    const wrong = await ask({ client_id: client.client_id, client_secret: 'x' })
    expect(unknown.text).toBe(wrong.text)
  })

  it('TK-15 uses one method at a time', async () => {
    const { client_id, client_secret = '' } = client
    const both = await ask(
      { client_id, client_secret },
      { authorization: header(client_id, client_secret) },
    )
    expect([400, 401]).toContain(both.status)
    expect(both.body['error']).toMatch(/^invalid_(request|client)$/)
    const other = await ask(
      { client_id: 'somebody-else' },
      { authorization: header(basic.client_id, basic.client_secret ?? '') },
    )
    expect([400, 401]).toContain(other.status)
  })

  it('TK-16 uses the method that it registered', async () => {
    const { client_id, client_secret = '' } = client
    const inHeader = await ask({}, { authorization: header(client_id, client_secret) })
    expect([inHeader.status, inHeader.body['error']]).toEqual([401, 'invalid_client'])
    const inBody = await ask({ client_id: basic.client_id, client_secret: basic.client_secret })
    expect([inBody.status, inBody.body['error']]).toEqual([401, 'invalid_client'])
  })

  it('RF-09 cannot refresh without its secret, and the token outlives the attempt', async () => {
    const { tokens } = await signIn(server, { client })
    for (const client_secret of [undefined, '', 'wrong']) {
      const refused = await refresh(server, client, tokens.refresh_token, { client_secret })
      expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client'])
    }
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200)
  })

  it('redeems its code with its secret only, and a failure does not use the code up', async () => {
    const authorized: Authorized = await authorize(server, client)
    const refused = await redeem(server, authorized, { client_secret: 'wrong' })
    expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client'])
    expect((await redeem(server, authorized)).status).toBe(200)
  })

  it('TK-28 RFC 6749 §2.3.1 the header is form-encoded, and parted at the first colon', async () => {
    const special = await startServer({
      clients: [
        {
          client_id: 'a:client/with?signs',
          client_secret: 'a secret: with 100% of + the & signs, é 32',
          redirect_uris: [REDIRECT],
        },
      ],
    })
    try {
      const form = (text: string) => new URLSearchParams({ x: text }).toString().slice(2)
      const pair = `${form('a:client/with?signs')}:${form('a secret: with 100% of + the & signs, é 32')}`
      const good = await post(
        special,
        '/token',
        { grant_type: 'refresh_token', refresh_token: 'x' },
        { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
      )
      expect(good.body['error']).toBe('invalid_grant')
    } finally {
      await special.close()
    }
  })

  it.each([
    'Basic',
    'Basic ',
    'Basic !!!!',
    `Basic ${Buffer.from('nocolon').toString('base64')}`,
    `Basic ${Buffer.from(':').toString('base64')}`,
    `Basic ${Buffer.from('%zz:%zz').toString('base64')}`,
    `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0x00]).toString('base64')}`,
    `Basic ${Buffer.from('a:b:c').toString('base64')}`,
    'Bearer abc',
    'Digest username="x"',
    `Basic ${'A'.repeat(12_000)}`,
  ])('TK-17 RG-20 the header %j is 4xx at every endpoint that reads it', async (authorization) => {
    for (const path of ['/token', '/revoke']) {
      const { status, body } = await post(
        server,
        path,
        { grant_type: 'refresh_token', refresh_token: 'x', token: 'x' },
        { authorization },
      )
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
      expect(body['error']).toMatch(/^invalid_(request|client)$/)
    }
  })
})

describe('RFC 6749 §2.1 a public client', () => {
  it('names itself, and needs nothing more', async () => {
    const one = await register(server, { client_name: 'public' })
    expect((await ask({ client_id: one.client_id })).body['error']).toBe('invalid_grant')
    expect((await ask({})).body['error']).toBe('invalid_client')
  })

  it('TK-16 that sends a secret is not the client it says it is', async () => {
    const one = await register(server, { client_name: 'public' })
    const { status, body } = await ask({ client_id: one.client_id, client_secret: 'anything' })
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
  })
})

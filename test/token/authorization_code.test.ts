/**
 * Codes over the wire: what a client, a thief or a broken program sends to the token endpoint.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sqlite } from '../../src/stores/sqlite.ts'
import {
  agentOf,
  authorize,
  authorizeUrl,
  call,
  post,
  redeem,
  refresh,
  register,
  REDIRECT,
  signIn,
  type Params,
  type TestClient,
} from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'

const database = tempFiles('.db')
let server: TestServer
let client: TestClient

beforeAll(async () => {
  server = await startServer({ store: sqlite(database()), rateLimits: { token: 0, register: 0 } })
  client = await register(server)
})
afterAll(() => server.close())

describe('OAuth 2.1 §4.1.3 a code is redeemed once', () => {
  it('TK-01 RFC 6749 §5.1 the answer is JSON, Bearer, not stored, and says how long it lasts', async () => {
    const { status, headers, body } = await redeem(server, await authorize(server, client))
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual({
      access_token: expect.stringMatching(/^mcp_at_/),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^mcp_rt_/),
      scope: 'notes:read notes:write',
    })
  })

  it('TK-02 a replay is refused, and what the code gave is dead', async () => {
    const { tokens, authorized } = await signIn(server, { client })
    expect((await call(server, tokens.access_token)).status).toBe(200)
    const replay = await redeem(server, authorized)
    expect([replay.status, replay.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await call(server, tokens.access_token)).status).toBe(401)
    expect((await refresh(server, client, tokens.refresh_token)).body['error']).toBe(
      'invalid_grant',
    )
  })

  it('TK-03 a replay by somebody else ends nothing', async () => {
    const { tokens, authorized } = await signIn(server, { client })
    const thief = await register(server, { client_name: 'thief' })
    await redeem(server, { ...authorized, client: thief })
    await redeem(server, { ...authorized, verifier: 'v'.repeat(43) })
    await redeem(server, { ...authorized, code: `${authorized.code.slice(0, -2)}AA` })
    expect((await call(server, tokens.access_token)).status).toBe(200)
  })

  it('TK-20 of fifty at once exactly one succeeds', async () => {
    for (let round = 0; round < 3; round += 1) {
      const authorized = await authorize(server, client)
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => redeem(server, authorized)),
      )
      const won = answers.filter(({ status }) => status === 200)
      expect(won).toHaveLength(1)
      for (const answer of answers) {
        if (answer !== won[0])
          expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_grant'])
      }
    }
  })

  it('ST-19 a code is over after its minute, whether or not anybody cleans up', async () => {
    const one = await startServer()
    try {
      const authorized = await authorize(one, await register(one))
      one.advance(61)
      expect((await redeem(one, authorized)).body['error']).toBe('invalid_grant')
    } finally {
      await one.close()
    }
  })
})

describe('RFC 7636 §4.6 the verifier', () => {
  it.each([
    ['TK-04 another one', { code_verifier: 'x'.repeat(43) }, 'invalid_grant'],
    ['TK-05 none', { code_verifier: undefined }, 'invalid_request'],
    ['TK-05 an empty one', { code_verifier: '' }, 'invalid_request'],
    ['TK-07 five characters', { code_verifier: 'short' }, 'invalid_grant'],
    ['TK-07 129 characters', { code_verifier: 'v'.repeat(129) }, 'invalid_grant'],
    ['TK-07 letters that no verifier has', { code_verifier: 'é'.repeat(43) }, 'invalid_grant'],
  ] as [string, Params, string][])(
    '%s is refused, and the code still works',
    async (_, params, error) => {
      const authorized = await authorize(server, client)
      const refused = await redeem(server, authorized, params)
      expect([refused.status, refused.body['error']]).toEqual([400, error])
      expect((await redeem(server, authorized)).status).toBe(200)
    },
  )

  it('TK-06 the challenge is no verifier, whatever method the request names', async () => {
    const authorized = await authorize(server, client)
    const asked = server.events.length
    const { createHash } = await import('node:crypto')
    const challenge = createHash('sha256').update(authorized.verifier).digest('base64url')
    const refused = await redeem(server, authorized, {
      code_verifier: challenge,
      code_challenge_method: 'plain',
    })
    expect(refused.body['error']).toBe('invalid_grant')
    expect(server.events.length).toBeGreaterThan(asked)
  })

  it('TK-08 nobody gets a code without a challenge, not even a confidential client', async () => {
    const confidential = await register(server, {
      token_endpoint_auth_method: 'client_secret_post',
    })
    const url = authorizeUrl(server, confidential, '', { code_challenge: undefined })
    const { leadsTo = '' } = await agentOf('ada').get(url)
    expect(new URL(leadsTo).searchParams.get('error')).toBe('invalid_request')
    expect(new URL(leadsTo).searchParams.has('code')).toBe(false)
  })
})

describe('what the code is bound to', () => {
  it('AZ-40 TK-10 the redirect URI: another one of the same client does not do', async () => {
    const two = await register(server, {
      redirect_uris: [REDIRECT, 'https://client.example/other'],
    })
    const authorized = await authorize(server, two)
    for (const redirect_uri of [
      'https://client.example/other',
      `${REDIRECT}/`,
      `${REDIRECT}?x=1`,
    ]) {
      const refused = await redeem(server, authorized, { redirect_uri })
      expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_grant'])
    }
    expect((await redeem(server, authorized)).status).toBe(200)
  })

  it('TK-11 RFC 8707 §2.2 the resource, and the attempt does not use the code up', async () => {
    const authorized = await authorize(server, client)
    const refused = await redeem(server, authorized, { resource: 'https://evil.example/mcp' })
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_target'])
    expect((await redeem(server, authorized)).status).toBe(200)
  })

  it('TK-34 two resources at once are invalid_target', async () => {
    const authorized = await authorize(server, client)
    const refused = await post(
      server,
      '/token',
      new URLSearchParams([
        ['grant_type', 'authorization_code'],
        ['code', authorized.code],
        ['code_verifier', authorized.verifier],
        ['client_id', client.client_id],
        ['resource', server.resource],
        ['resource', 'https://other.example/mcp'],
      ]).toString(),
    )
    expect(refused.body['error']).toBe('invalid_target')
  })

  it('TK-23 the scope that the user allowed, whatever the exchange asks for', async () => {
    const authorized = await authorize(server, client, { params: { scope: 'notes:read' } })
    const { body } = await redeem(server, authorized, { scope: 'notes:read notes:write' })
    expect(body['scope']).toBe('notes:read')
  })

  it('TK-21 TK-25 unknown, foreign and used codes are told apart by nobody', async () => {
    const stranger = await register(server, { client_name: 'stranger' })
    const used = await authorize(server, client)
    await redeem(server, used)
    const answers = await Promise.all([
      redeem(server, { ...used, code: 'mcp_ac_nothing' }),
      redeem(server, { ...(await authorize(server, client)), client: stranger }),
      redeem(server, used),
    ])
    for (const { status, text, headers } of answers) {
      expect(status).toBe(400)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('content-type')).toBe('application/json')
      expect(text).toBe(answers[0]?.text)
      expect(text).not.toMatch(/node:|\.ts|at \w+ \(/)
    }
  })
})

describe('RFC 6749 §3.2 the shape of a request', () => {
  it('TK-13 GET is refused, and parameters in the query count for nothing', async () => {
    const authorized = await authorize(server, client)
    const query = new URLSearchParams({
      grant_type: 'authorization_code',
      code: authorized.code,
      code_verifier: authorized.verifier,
      client_id: client.client_id,
    }).toString()
    const got = await fetch(`${server.issuer}/token?${query}`)
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    expect((await post(server, `/token?${query}`, {})).body['error']).toBe('invalid_request')
    const overridden = await fetch(`${server.issuer}/token?${query}`, {
      headers: { 'x-http-method-override': 'POST' },
    })
    expect(overridden.status).toBe(405)
  })

  it.each([
    'password',
    'implicit',
    'client_credentials',
    'urn:evil',
    'AUTHORIZATION_CODE',
    'authorization_code ',
    '__proto__',
    'constructor',
  ])('TK-18 grant_type %j is unsupported_grant_type', async (grant_type) => {
    const { status, body } = await post(server, '/token', {
      grant_type,
      client_id: client.client_id,
      username: 'a',
      password: 'b',
    })
    expect([status, body['error']]).toEqual([400, 'unsupported_grant_type'])
  })

  it.each([
    ['no grant_type', 'client_id=x', 400],
    ['an empty grant_type', 'grant_type=&client_id=x', 400],
    ['a doubled grant_type', 'grant_type=refresh_token&grant_type=authorization_code', 400],
    ['TK-24 arrays', 'grant_type=authorization_code&code[]=x&code[$ne]=y&client_id=x', 401],
    ['TK-24 an encoded NUL', 'grant_type=authorization_code&code=%00&client_id=x', 400],
    ['TK-24 broken UTF-8', 'grant_type=authorization_code&code=%ff%fe&client_id=x', 400],
    ['TK-24 a lone percent', 'grant_type=authorization_code&code=%&client_id=x', 400],
    ['TK-24 ampersands', '&&&&&&', 400],
    ['TK-24 __proto__', '__proto__=x&constructor=y', 400],
    [
      'TK-24 DS-03 five thousand parameters',
      Array.from({ length: 5000 }, (_, i) => `a${i}=1`).join('&'),
      400,
    ],
  ])('%s is a 4xx in JSON', async (_, form, expected) => {
    const { status, body, headers } = await post(server, '/token', form)
    expect(status).toBe(expected)
    expect(body['error']).toMatch(/^invalid_(request|client)$/)
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', ''])(
    'a body of type %j is 415',
    async (type) => {
      const { status, body } = await post(server, '/token', 'grant_type=refresh_token', {
        'content-type': type,
      })
      expect([status, body['error']]).toEqual([415, 'invalid_request'])
    },
  )

  it('TK-19 a body of 5 MB is refused, and the next request is served', async () => {
    const huge = `grant_type=authorization_code&code=${'x'.repeat(5_000_000)}`
    const refused = await post(server, '/token', huge).catch(() => undefined)
    if (refused !== undefined) expect(refused.status).toBe(413)
    expect((await redeem(server, await authorize(server, client))).status).toBe(200)
  })

  it.each(['grant_type', 'code', 'refresh_token', 'client_secret', 'code_verifier'])(
    'TK-26 what stands in %s is never said again',
    async (name) => {
      for (const grant_type of ['authorization_code', 'refresh_token']) {
        const secret = 'SECRET-that-must-not-come-back'
        const { text, headers } = await post(server, '/token', {
          grant_type,
          client_id: client.client_id,
          code: 'a',
          refresh_token: 'b',
          code_verifier: 'c',
          [name]: secret,
        })
        expect(text + JSON.stringify([...headers])).not.toContain('SECRET')
      }
      expect(JSON.stringify(server.events)).not.toContain('SECRET')
    },
  )

  it('TK-35 RF-08 a parameter of one grant means nothing in another', async () => {
    const { tokens } = await signIn(server, { client })
    const authorized = await authorize(server, client)
    const code = await redeem(server, authorized, {
      code: undefined,
      refresh_token: tokens.refresh_token,
    })
    expect(code.body['error']).toBe('invalid_request')
    const swapped = await redeem(server, authorized, { code: tokens.refresh_token })
    expect(swapped.body['error']).toBe('invalid_grant')
    for (const wrong of [tokens.access_token, authorized.code]) {
      expect((await refresh(server, client, wrong)).body['error']).toBe('invalid_grant')
    }
    expect((await redeem(server, authorized)).status).toBe(200)
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200)
  })

  it('TK-33 a client that hangs up in the middle harms nobody', async () => {
    const authorized = await authorize(server, client)
    const controller = new AbortController()
    const gone = fetch(`${server.issuer}/token`, {
      method: 'POST',
      signal: controller.signal,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: authorized.code,
        code_verifier: authorized.verifier,
        client_id: client.client_id,
      }),
    }).catch(() => undefined)
    controller.abort()
    await gone
    // Used or not, the code gives at most one pair, and the server goes on.
    expect([200, 400]).toContain((await redeem(server, authorized)).status)
    expect((await redeem(server, await authorize(server, client))).status).toBe(200)
  })
})

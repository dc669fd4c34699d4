/**
 * The authorization request, once the client and its redirect URI are known to be good.
 */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { createAgent, type Page } from '../support/agent.ts'
import {
  agentOf,
  authorize,
  authorizeUrl,
  decide,
  pkce,
  redeem,
  REDIRECT,
  register,
  signIn,
  type Params,
} from '../support/flow.ts'
import { startServer } from '../support/server.ts'
import { UNLIMITED } from '../support/upstream_flow.ts'
import { answerOf, expectErrorPage, sendRaw } from './support.ts'

const server = await startServer({ rateLimits: UNLIMITED })
afterAll(() => server.close())
const client = await register(server)
const STRANGE = [
  'a b+c%20&d=e#f',
  `"'<script>alert(1)</script>`,
  'é 中文 🦊 \u202E',
  'x\r\nSet-Cookie: pwn=1',
  '../..//?a=b',
  '\u2028\u2029\u0001\u007f',
  '0',
  'a;b,c',
  "url='https://evil.example'",
]

function ask(params: Params, extra: string = '', user: string = 'ada'): Promise<Page> {
  return agentOf(user).get(authorizeUrl(server, client, pkce().challenge, params) + extra)
}

/** The error that a request is sent back with, the state and the issuer checked. */
async function errorOf(params: Params): Promise<string | null> {
  const page = await ask({ state: 'st', ...params })
  expect(page.status).toBe(303)
  expect(page.leadsTo?.startsWith(`${REDIRECT}?`)).toBe(true)
  const answer = answerOf(page)
  expect([answer.get('state'), answer.get('iss')]).toEqual(['st', server.issuer])
  expect(answer.get('code')).toBeNull()
  return answer.get('error')
}

/** The scope that a request is given, told by the token response. */
async function grantedBy(params: Params): Promise<string> {
  const authorized = await authorize(server, client, { params })
  return String((await redeem(server, authorized)).body['scope'])
}

describe('OAuth 2.1 §4.1.1 response_type and PKCE', () => {
  it.each([
    'token',
    'id_token',
    'code token',
    'code id_token',
    'none',
    'CODE',
    'code,token',
    'code ',
    ' code',
    'code\n',
  ])('AZ-18 response_type %j is not served', async (response_type) => {
    expect(await errorOf({ response_type })).toBe('unsupported_response_type')
  })

  it.each(['', undefined])('AZ-18 response_type %j is missing', async (response_type) => {
    expect(await errorOf({ response_type })).toBe('invalid_request')
  })

  it.each(['', undefined])('AZ-19 code_challenge %j is refused', async (code_challenge) => {
    expect(await errorOf({ code_challenge })).toBe('invalid_request')
    expect(await errorOf({ code_challenge, code_challenge_method: undefined })).toBe(
      'invalid_request',
    )
  })

  it('AZ-19 a confidential client needs PKCE like any other', async () => {
    const confidential = await register(server, {
      token_endpoint_auth_method: 'client_secret_basic',
    })
    const url = authorizeUrl(server, confidential, 'x', { code_challenge: undefined })
    expect(answerOf(await agentOf('ada').get(url)).get('error')).toBe('invalid_request')
  })

  it.each(['plain', undefined, '', 'S512', 's256', 'none', 'S256 ', 'S256\0', 'S256,plain'])(
    'AZ-20 the challenge method %j is refused',
    async (code_challenge_method) => {
      const params = { state: 'st', code_challenge_method }
      // A NUL is refused before the request is read: there is no parameter then.
      if (code_challenge_method === 'S256\0') return expectErrorPage(await ask(params))
      expect(await errorOf(params)).toBe('invalid_request')
    },
  )

  it.each([
    'x'.repeat(5),
    'x'.repeat(42),
    'x'.repeat(44),
    'x'.repeat(129),
    `${'x'.repeat(42)}!`,
    `${'x'.repeat(42)}=`,
    `${'x'.repeat(42)}é`,
    `${'x'.repeat(42)} `,
    `${'x'.repeat(42)}+`,
    `${'x'.repeat(42)}/`,
  ])('AZ-21 the challenge %j is malformed', async (code_challenge) => {
    expect(await errorOf({ code_challenge })).toBe('invalid_request')
  })
})

describe('OAuth 2.1 §4.1.2 state and iss', () => {
  it.each(STRANGE)('AZ-22 an error gives the state %j back, and iss', async (state) => {
    const answer = answerOf(await ask({ state, response_type: 'token' }))
    expect([answer.get('state'), answer.get('iss')]).toEqual([state, server.issuer])
  })

  it.each(STRANGE)(
    'AZ-23 AZ-39 a code comes with the state %j, iss, and nothing else',
    async (state) => {
      const agent = agentOf('ada')
      const page = await agent.get(authorizeUrl(server, client, pkce().challenge, { state }))
      const after = await decide(server, agent, page)
      expect(after.leadsTo?.startsWith(`${REDIRECT}?code=`)).toBe(true)
      expect(after.headers.get('set-cookie')).not.toContain('pwn')
      expect([...answerOf(after).keys()]).toEqual(['code', 'state', 'iss'])
      expect([answerOf(after).get('state'), answerOf(after).get('iss')]).toEqual([
        state,
        server.issuer,
      ])
    },
  )

  it('AZ-22 any state comes back as it was sent, by property', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
        async (state) => {
          const asked = state.replaceAll('\0', '')
          const answer = answerOf(await ask({ state: `s${asked}`, prompt: 'none' }))
          expect(answer.get('state')).toBe(`s${asked}`)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('AZ-22 without a state none comes back', async () => {
    expect(answerOf(await ask({ state: undefined, prompt: 'none' })).has('state')).toBe(false)
    expect(answerOf(await ask({ state: '', prompt: 'none' })).has('state')).toBe(false)
  })

  it.each(['%', '%zz', '%c3', '%ed%a0%80', '%00', '%f5%80%80%80'])(
    'AZ-39 the state %s is no UTF-8, and nobody guesses what it was',
    async (state) => {
      expectErrorPage(await ask({ state: undefined }, `&state=${state}`))
    },
  )

  it('AZ-39 bytes beyond ASCII in the target split nothing and are not given back as others', async () => {
    const path = authorizeUrl(server, client, pkce().challenge, {
      state: undefined,
      response_type: 'x',
    }).slice(server.origin.length)
    const head = Buffer.from(`GET ${path}&state=`)
    const tail = Buffer.from(
      ' HTTP/1.1\r\nHost: ' + new URL(server.origin).host + '\r\nConnection: close\r\n\r\n',
    )
    const answer = await sendRaw(server.origin, Buffer.concat([head, Buffer.from('é'), tail]))
    const [, state] = /location: \S*[?&]state=([^&\r]*)/i.exec(answer) ?? []
    if (state === undefined) expect(answer).toMatch(/^HTTP\/1.1 400/)
    else expect(decodeURIComponent(state)).toBe('é')
  })

  it('AZ-38 a state of 4096 characters is served, a longer one goes back without harm', async () => {
    expect(
      answerOf(await ask({ state: 'x'.repeat(4096), prompt: 'none' })).get('state'),
    ).toHaveLength(4096)
    expect(answerOf(await ask({ state: 'x'.repeat(4097) })).get('error')).toBe('invalid_request')
  })

  it.each([9_000, 60_000])(
    'AZ-38 a state of %i characters is 4xx or goes back, and the server lives',
    async (length) => {
      const page = await ask({ state: 'x'.repeat(length) })
      if (page.status === 303) expect(answerOf(page).get('error')).toBe('invalid_request')
      else expect([400, 414, 431]).toContain(page.status)
      expect((await ask({})).status).toBe(200)
    },
  )

  it('AZ-38 a query of 16 KiB and more, or of too many parameters, is a page', async () => {
    // Node itself refuses 16 KiB of headers; other runtimes hand them on.
    const url = authorizeUrl(server, client, pkce().challenge) + `&x=${'y'.repeat(16_384)}`
    const response = await server.auth.fetch(new Request(url))
    expect([response.status, response.headers.get('location')]).toEqual([400, null])
    expectErrorPage(await ask({}, '&a=1'.repeat(101)))
  })
})

describe('RFC 8707 §2 resource', () => {
  it.each(['https://evil.example/mcp', 'https://mcp.example.com/mcp', 'https://127.0.0.1/mcp'])(
    'AZ-25 %s is not served here',
    async (resource) => {
      expect(await errorOf({ resource })).toBe('invalid_target')
    },
  )

  it.each(['#x', '#'])('AZ-26 a fragment %s is refused', async (fragment) => {
    expect(await errorOf({ resource: server.resource + fragment })).toBe('invalid_target')
  })

  it.each([
    '/mcp',
    'mcp',
    'mcp.example.com',
    'javascript:alert(1)',
    ' ',
    '%',
    'http://',
    'urn:x:y',
  ])('AZ-26 the resource %j is refused', async (resource) => {
    expect(await errorOf({ resource })).toBe('invalid_target')
  })

  it('AZ-26 a resource with a NUL is a page', async () => {
    expectErrorPage(await ask({ resource: `${server.resource}\0` }))
  })

  it('AZ-27 two resources are refused, the same twice is one', async () => {
    const foreign = `&resource=${encodeURIComponent('https://evil.example/mcp')}`
    expect(answerOf(await ask({}, foreign)).get('error')).toBe('invalid_target')
    expect((await ask({}, `&resource=${encodeURIComponent(server.resource)}`)).status).toBe(200)
  })

  it.each([
    ['HTTP://127.0.0.1:PORT/mcp', true],
    ['http://127.0.0.1:PORT/mcp/', false],
    ['http://127.0.0.1:PORT/%6dcp', false],
    ['http://127.0.0.1:PORT/MCP', false],
    ['http://127.0.0.1:PORT/x/../mcp', false],
    ['http://127.0.0.1:PORT//mcp', false],
    ['http://127.1:PORT/mcp', false],
    ['http://user@127.0.0.1:PORT/mcp', false],
    ['http://127.0.0.1:PORT/mcp?x=1', false],
    ['http://127.0.0.1:PORT', true],
    ['http://127.0.0.1:PORT/', true],
  ])('AZ-51 %s: %s, and the audience is the canonical one', async (spelling, served) => {
    const resource = spelling.replace('PORT', new URL(server.origin).port)
    if (!served) return expect(await errorOf({ resource })).toBe('invalid_target')
    const { tokens } = await signIn(server, { client, params: { resource } })
    const info = await server.auth.verifyToken(undefined, tokens.access_token)
    expect(info?.resource?.href ?? '').toBe(server.resource)
  })
})

describe('RFC 6749 §3.3 scope', () => {
  it('AZ-28 unknown and privileged scopes are dropped, and the answer tells what was given', async () => {
    expect(await grantedBy({ scope: 'notes:read admin root openid' })).toBe('notes:read')
    expect(await grantedBy({ scope: 'admin' })).toBe('notes:read notes:write')
    expect(await grantedBy({ scope: 'NOTES:READ notes:read2' })).toBe('notes:read notes:write')
    expect(await grantedBy({ scope: '__proto__ constructor notes:write' })).toBe('notes:write')
  })

  it('AZ-28 the page shows what will be given and nothing that was dropped', async () => {
    const page = await ask({ scope: 'notes:read read-only-safe' })
    expect(page.body).toContain('Read your notes')
    expect(page.body).not.toContain('read-only-safe')
    expect(page.body).not.toContain('Change your notes')
  })

  it.each(['"', '\\', 'a\nb', 'é', 'a\tb', '\u007f', 'x'.repeat(5000), 'a '.repeat(300)])(
    'AZ-29 the scope %j is refused without a crash',
    async (scope) => {
      expect(await errorOf({ scope })).toBe('invalid_scope')
    },
  )

  it('AZ-29 20,000 characters of scope are 4xx, and a NUL is a page', async () => {
    const page = await ask({ scope: 'x'.repeat(20_000) })
    expect([303, 400, 414, 431]).toContain(page.status)
    expectErrorPage(await ask({ scope: 'a\0b' }))
  })
})

describe('RFC 9101 §10 and what OpenID adds', () => {
  it('AZ-30 request and request_uri are refused, and nothing is fetched', async () => {
    let asked = 0
    const canary = createServer((_req, res) => {
      asked += 1
      res.end('{}')
    }).listen(0, '127.0.0.1')
    await once(canary, 'listening')
    const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/request.jwt`
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const jwt = `${part({ alg: 'none' })}.${part({ redirect_uri: 'https://evil.example/cb' })}.`
    expect(await errorOf({ request: jwt })).toBe('request_not_supported')
    const forged = 'urn:ietf:params:oauth:request_uri:forged'
    for (const request_uri of [url, 'https://169.254.169.254/', forged, 'file:///etc/passwd']) {
      expect(await errorOf({ request_uri })).toBe('request_uri_not_supported')
    }
    expect(asked).toBe(0)
    canary.close()
  })

  it.each([
    'fragment',
    'web_message',
    'form_post',
    'query.jwt',
    'jwt',
    'okta_post_message',
    'xyz',
    'QUERY',
  ])('AZ-31 response_mode %s is refused', async (response_mode) => {
    expect(await errorOf({ response_mode })).toBe('invalid_request')
  })

  it('AZ-31 response_mode=query is what happens anyway', async () => {
    expect((await authorize(server, client, { params: { response_mode: 'query' } })).code).not.toBe(
      '',
    )
  })

  it('AZ-32 prompt=none gives no code: without a session, with one, and after an approval', async () => {
    const none = authorizeUrl(server, client, pkce().challenge, { prompt: 'none' })
    expect(answerOf(await createAgent().get(none)).get('error')).toBe('login_required')
    expect(await errorOf({ prompt: 'none' })).toBe('consent_required')
    const agent = agentOf('grace')
    await authorize(server, client, { agent })
    expect(answerOf(await agent.get(none)).get('error')).toBe('consent_required')
    for (const prompt of ['none login', 'none consent', 'login none', 'none none select_account']) {
      expect(await errorOf({ prompt })).toBe('invalid_request')
    }
  })

  it.each([
    { ui_locales: '../../etc/passwd' },
    { ui_locales: 'x'.repeat(5000) },
    { max_age: '-1' },
    { max_age: 'NaN' },
    { max_age: '1e999' },
    { claims: `{"a":"${'x'.repeat(9000)}"}` },
    { claims: '{"__proto__":{"x":1}}' },
    { acr_values: '<script>' },
    { login_hint: '<script>alert(1)</script>' },
    { login_hint: 'x'.repeat(5000) },
    { display: 'touch', id_token_hint: 'x.y.z', nonce: '"' },
    { prompt: 'create unknown' },
  ])('AZ-44 %j is ignored', async (params) => {
    const page = await ask(params)
    expect(page.status).toBe(200)
    expect(page.body).not.toContain('<script')
  })

  it('AZ-48 prompt=login and max_age send even a signed-in user to the login first', async () => {
    for (const params of [
      { prompt: 'login' },
      { max_age: '0' },
      { max_age: '3600' },
      { prompt: 'login consent' },
    ]) {
      const page = await ask(params)
      expect(page.status).toBe(303)
      const url = new URL(page.leadsTo ?? '')
      expect([url.origin, url.pathname]).toEqual([server.origin, '/login'])
    }
  })

  it('AZ-48 the wish is not met a second time on the way back, however it is spelt', async () => {
    const url = authorizeUrl(server, client, pkce().challenge)
    for (const wish of [
      '&prompt=login',
      '&%70rompt=login',
      '&max%5Fage=0',
      '&prompt=%6Cogin',
      '&p%72ompt=select_account+login',
    ]) {
      const agent = agentOf('ada')
      const page = await agent.get(url + wish)
      const next = new URL(page.leadsTo ?? '').searchParams.get('next') ?? ''
      expect((await agent.get(next)).status).toBe(200)
    }
  })

  it('AZ-43 the way back from the login is this very request and nothing that was asked for', async () => {
    const url = authorizeUrl(server, client, pkce().challenge, {
      next: '//evil.example',
      return_to: 'https://evil.example',
    })
    const page = await createAgent().get(url)
    const next = new URL(page.leadsTo ?? '').searchParams.get('next')
    expect(next).toBe(url)
    expect(page.headers.get('cache-control')).toBe('no-store')
  })
})

describe('OAuth 2.1 §3.1 the endpoint', () => {
  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND'])(
    'CR-02 AZ-41 %s is 405 without CORS',
    async (method) => {
      const response = await fetch(authorizeUrl(server, client, pkce().challenge), {
        method,
        headers: {
          origin: 'https://evil.example',
          'access-control-request-method': 'GET',
          cookie: 'user=ada',
        },
        redirect: 'manual',
      })
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('GET')
      expect(
        [...response.headers.keys()].filter((name) => name.startsWith('access-control')),
      ).toEqual([])
      expect(response.headers.getSetCookie()).toEqual([])
    },
  )

  it('CR-02 AZ-41 pages, redirects, consent and callback have no CORS header', async () => {
    const foreign = { origin: 'https://evil.example' }
    const agent = agentOf('ada')
    const page = await agent.get(authorizeUrl(server, client, pkce().challenge), foreign)
    const pages = [
      page,
      await agent.get(authorizeUrl(server, client, pkce().challenge, { prompt: 'none' }), foreign),
      await agent.get(`${server.issuer}/callback?state=x`, foreign),
      await agent.post(`${server.issuer}/consent`, 'a=b', foreign),
      await decide(server, agent, page),
    ]
    for (const { headers } of pages) {
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  it('AZ-34 LG-02 no page or redirect is stored or referred to', async () => {
    const agent = agentOf('ada')
    const page = await agent.get(authorizeUrl(server, client, pkce().challenge))
    const pages = [
      page,
      await agent.get(authorizeUrl(server, client, pkce().challenge, { prompt: 'none' })),
      await createAgent().get(authorizeUrl(server, client, pkce().challenge)),
      await decide(server, agent, page),
    ]
    for (const { headers } of pages) {
      expect([headers.get('cache-control'), headers.get('referrer-policy')]).toEqual([
        'no-store',
        'no-referrer',
      ])
    }
  })

  it('AZ-33 what answers the form is no redirect that would repeat a POST', async () => {
    const agent = agentOf('ada')
    const page = await agent.get(authorizeUrl(server, client, pkce().challenge))
    expect([200, 302, 303]).toContain((await decide(server, agent, page)).status)
  })

  it('DS-06 too many requests from one address are 429, with Retry-After and a page', async () => {
    const limited = await startServer({ rateLimits: { authorize: 3 } })
    const one = await register(limited)
    const pages: Page[] = []
    for (let time = 0; time < 4; time += 1) {
      pages.push(await agentOf('ada').get(authorizeUrl(limited, one, pkce().challenge)))
    }
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 429])
    expect(Number(pages[3]?.headers.get('retry-after'))).toBeGreaterThan(0)
    limited.advance(62)
    expect((await agentOf('ada').get(authorizeUrl(limited, one, pkce().challenge))).status).toBe(
      200,
    )
    await limited.close()
  })
})

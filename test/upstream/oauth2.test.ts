/** Any OAuth 2.0 upstream, honest and hostile: RFC 6749, RFC 7636, RFC 9700. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { oauth2, type OAuth2Options } from '../../src/upstream/generic.ts'
import { startFake } from './fake.ts'
import { CALLBACK, failureOf, HINTS, SIGN_IN } from './sign_in.ts'

const fake = await startFake()
afterAll(() => fake.close())

const SECRET = 's3cret/+:of the client'
const TOKEN_ENDPOINT = `${fake.origin}/token`
const OPTIONS: OAuth2Options = {
  id: 'acme',
  client_id: 'client-1_x.y',
  client_secret: SECRET,
  authorization_endpoint: `${fake.origin}/authorize?fixed=1`,
  token_endpoint: TOKEN_ENDPOINT,
  revocation_endpoint: `${fake.origin}/revoke`,
  userinfo_endpoint: `${fake.origin}/me`,
  identify: { sub: 'id', name: ['full_name', 'login'], email: 'email', email_verified: 'verified' },
  scope: ['read', 'write'],
  timeout: 2,
}
const TOKENS = {
  access_token: 'at-1',
  token_type: 'bearer',
  expires_in: 3600,
  refresh_token: 'rt-1',
  scope: 'read',
}
const ME = { id: 42, login: 'ada', full_name: null, email: 'ada@example.com', verified: true }

beforeEach(() => {
  fake.reset()
  fake.on('/token', { body: TOKENS })
  fake.on('/me', { body: ME })
})

function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

describe('RFC 6749 §4.1.1 the authorization URL', () => {
  test('CB-01 has state, PKCE with S256 and the scopes, and keeps the query of the endpoint', async () => {
    const url = new URL(await oauth2(OPTIONS).authorizationUrl(SIGN_IN, HINTS))
    expect(Object.fromEntries(url.searchParams)).toEqual({
      fixed: '1',
      scope: 'read write',
      response_type: 'code',
      client_id: OPTIONS.client_id,
      redirect_uri: SIGN_IN.redirect_uri,
      state: SIGN_IN.state,
      code_challenge: createHash('sha256').update(SIGN_IN.code_verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
  })
  test('has further parameters, and scopes in the form of the upstream', async () => {
    const upstream = oauth2({
      ...OPTIONS,
      scopeParameter: 'user_scope',
      scopeSeparator: ',',
      authorizationParameters: { audience: 'api' },
    })
    const { searchParams } = new URL(await upstream.authorizationUrl(SIGN_IN, HINTS))
    expect(searchParams.get('user_scope')).toBe('read,write')
    expect(searchParams.get('audience')).toBe('api')
    expect(searchParams.has('scope')).toBe(false)
  })
})

describe('RFC 6749 §4.1.3 the exchange', () => {
  test('CB-13 gives tokens and a user who is issuer and stable id, as text', async () => {
    const { tokens, user } = await oauth2(OPTIONS).exchange(CALLBACK, SIGN_IN)
    expect(tokens).toEqual({
      access_token: 'at-1',
      refresh_token: 'rt-1',
      expires_in: 3600,
      scope: ['read'],
      token_endpoint: TOKEN_ENDPOINT,
    })
    expect(user).toEqual({
      issuer: fake.origin,
      sub: '42',
      name: 'ada',
      email: 'ada@example.com',
      email_verified: true,
    })
    const { form, headers } = fake.last('/token')
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'authorization_code',
      code: 'a-code',
      redirect_uri: SIGN_IN.redirect_uri,
      code_verifier: SIGN_IN.code_verifier,
    })
    expect(headers.authorization).toBe(basic('client-1_x.y', 's3cret%2F%2B%3Aof+the+client'))
    expect(fake.last('/me').headers.authorization).toBe('Bearer at-1')
  })
  test.each([
    ['client_secret_post', SECRET],
    ['none', null],
  ] as const)('§2.3.1 authenticates by %s', async (method, secret) => {
    const upstream = oauth2({
      ...OPTIONS,
      token_endpoint_auth_method: method,
      tokenParameters: { audience: 'api' },
    })
    await upstream.exchange(CALLBACK, SIGN_IN)
    const { form, headers } = fake.last('/token')
    expect(form.get('client_id')).toBe(OPTIONS.client_id)
    expect(form.get('client_secret')).toBe(secret)
    expect(form.get('audience')).toBe('api')
    expect(headers.authorization).toBeUndefined()
  })
  test('CB-22 reports the scopes that were granted, not those asked for', async () => {
    fake.on('/token', { body: { ...TOKENS, scope: ['read', 'extra'] } })
    const { tokens } = await oauth2(OPTIONS).exchange(CALLBACK, SIGN_IN)
    expect(tokens.scope).toEqual(['read', 'extra'])
  })
  test('reads the user from the token answer when there is no userinfo_endpoint', async () => {
    fake.on('/token', { body: { ...TOKENS, owner: { user: { id: 'u-1' } } } })
    const { userinfo_endpoint: _left, ...options } = OPTIONS
    const upstream = oauth2({ ...options, identify: { sub: 'owner.user.id' } })
    const { user } = await upstream.exchange(CALLBACK, SIGN_IN)
    expect(user).toMatchObject({ sub: 'u-1', email: undefined, email_verified: false })
  })
  test.each([
    ['no id', { login: 'ada' }],
    ['an empty id', { ...ME, id: '' }],
    ['an id that lost digits', { ...ME, id: 2 ** 53 }],
    ['an id that is an object', { ...ME, id: { toString: 'ada' } }],
    ['an id with a line break', { ...ME, id: 'a\nb' }],
    ['a list of users', [ME]],
  ])('CB-13 refuses %s', async (_name, body) => {
    fake.on('/me', { body })
    expect(await failureOf(oauth2(OPTIONS).exchange(CALLBACK, SIGN_IN))).toMatchObject({
      failure: 'transient',
    })
  })
  test.each([
    { ...ME, verified: undefined },
    { ...ME, verified: 1 },
    { ...ME, verified: 'yes' },
  ])('CB-13 an address counts as verified only when the upstream says so', async (body) => {
    fake.on('/me', { body })
    const { user } = await oauth2(OPTIONS).exchange(CALLBACK, SIGN_IN)
    expect(user.email_verified).toBe(false)
  })
})

describe('CB-17 §4.1.2 the callback', () => {
  test.each([
    ['CB-17 error and code together', `${CALLBACK}&error=invalid_scope`, 'permanent'],
    ['CB-17 access_denied beside a code', `${CALLBACK}&error=access_denied`, 'denied'],
    ['access_denied', `error=access_denied&state=${SIGN_IN.state}`, 'denied'],
    ['server_error', `error=server_error&state=${SIGN_IN.state}`, 'transient'],
    [
      'temporarily_unavailable',
      `error=temporarily_unavailable&state=${SIGN_IN.state}`,
      'transient',
    ],
    ['CB-17 two codes', `${CALLBACK}&code=another`, 'permanent'],
    ['CB-17 an empty code', `code=&state=${SIGN_IN.state}`, 'permanent'],
    ['CB-17 no code', `state=${SIGN_IN.state}`, 'permanent'],
    ['CB-17 two states', `${CALLBACK}&state=${SIGN_IN.state}`, 'permanent'],
    ['another state', 'code=a-code&state=other', 'permanent'],
    ['no state', 'code=a-code', 'permanent'],
    ['an error with another state', 'error=access_denied&state=other', 'permanent'],
    ['an implicit answer', `${CALLBACK}&id_token=x`, 'permanent'],
    ['a signed answer', `${CALLBACK}&response=x`, 'permanent'],
    ['nothing', '', 'permanent'],
  ])('%s is refused and nothing is exchanged', async (_name, query, failure) => {
    expect(await failureOf(oauth2(OPTIONS).exchange(query, SIGN_IN))).toMatchObject({ failure })
    expect(fake.asked).toEqual([])
  })
  test('CB-08 RFC 9207 §2.4 an iss that is not the upstream is refused where the upstream is known', async () => {
    const upstream = oauth2({ ...OPTIONS, issuer: 'https://acme.example' })
    const foreign = `${CALLBACK}&iss=${encodeURIComponent('https://evil.example')}`
    expect(await failureOf(upstream.exchange(foreign, SIGN_IN))).toMatchObject({
      failure: 'permanent',
    })
    expect(fake.asked).toEqual([])
    const own = `${CALLBACK}&iss=${encodeURIComponent('https://acme.example')}`
    const { user } = await upstream.exchange(own, SIGN_IN)
    expect(user.issuer).toBe('https://acme.example')
  })
  test('RFC 9207 an iss is no obstacle where no issuer is known', async () => {
    const query = `${CALLBACK}&iss=${encodeURIComponent('https://unknown.example')}`
    expect((await oauth2(OPTIONS).exchange(query, SIGN_IN)).user.sub).toBe('42')
  })
  test('CB-06 the message for the log is short, plain and without what looks like a token', async () => {
    const description = `<script>\n${'secret0123456789'.repeat(4)} ${'x '.repeat(2000)}`
    const query = `error=weird%0Aerror&error_description=${encodeURIComponent(description)}&state=${SIGN_IN.state}`
    const { message } = await failureOf(oauth2(OPTIONS).exchange(query, SIGN_IN))
    expect(message.length).toBeLessThan(500)
    expect(message).toMatch(/^[\x20-\x7E]*$/)
    expect(message).not.toContain('secret0123456789')
  })
})

describe('CB-09 hostile answers end nothing and are bounded', () => {
  const bomb = gzipSync(Buffer.alloc(30 * 1024 * 1024, ' '))
  test.each([
    ['200 HTML', { body: '<html>hello</html>', headers: { 'content-type': 'text/html' } }],
    ['200 with an error of its own', { body: { error: 'slow_down' } }],
    ['200 and nothing', { body: '' }],
    ['a JSON list', { body: [TOKENS] }],
    ['JSON that is cut off', { body: '{"access_token":"at' }],
    ['bytes that are no UTF-8', { body: Buffer.from([0x7b, 0xff, 0x7d]) }],
    ['JSON of great depth', { body: `{"access_token":${'['.repeat(100_000)}` }],
    ['500', { status: 500, body: { error: 'invalid_grant' } }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' }, body: TOKENS }],
    ['a redirect that keeps the method', { status: 307, headers: { location: '/elsewhere' } }],
    ['30 MB', { body: 'x'.repeat(30 * 1024 * 1024) }],
    ['a gzip bomb', { body: bomb, headers: { 'content-encoding': 'gzip' } }],
    ['401 with a challenge', { status: 401, headers: { 'www-authenticate': 'Basic' }, body: '' }],
    ['400 without JSON', { status: 400, body: 'bad' }],
    ['no access_token', { body: { token_type: 'bearer' } }],
    ['token_type mac', { body: { ...TOKENS, token_type: 'mac' } }],
    ['expires_in "NaN"', { body: { ...TOKENS, expires_in: 'NaN' } }],
    ['expires_in -1', { body: { ...TOKENS, expires_in: -1 } }],
    ['expires_in 1e12', { body: { ...TOKENS, expires_in: 1e12 } }],
  ])('%s', async (_name, reply) => {
    fake.on('/token', reply)
    const upstream = oauth2(OPTIONS)
    const failures = [
      await failureOf(upstream.exchange(CALLBACK, SIGN_IN)),
      await failureOf(upstream.refresh('rt-1', TOKEN_ENDPOINT)),
    ]
    for (const { failure, message } of failures) {
      expect(failure).toBe('transient')
      expect(message.length).toBeLessThan(500)
      expect(message).not.toContain('rt-1')
    }
    expect(fake.count('/elsewhere')).toBe(0)
    // CB-10: a code and a refresh token are not for trying twice.
    expect(fake.count('/token')).toBe(2)
  })
  test('a slow answer', async () => {
    fake.on('/token', () => 'handled')
    const upstream = oauth2({ ...OPTIONS, timeout: 0.2 })
    const failure = await failureOf(upstream.refresh('rt-1', TOKEN_ENDPOINT))
    expect(failure).toMatchObject({ failure: 'transient' })
  })
  test('an answer that never ends', async () => {
    fake.on('/token', (_asked, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"access_token":')
      return 'handled'
    })
    const upstream = oauth2({ ...OPTIONS, timeout: 0.2 })
    const failure = await failureOf(upstream.refresh('rt-1', TOKEN_ENDPOINT))
    expect(failure).toMatchObject({ failure: 'transient' })
  })
  test('a connection that is refused', async () => {
    const other = await startFake()
    await other.close()
    const token_endpoint = `${other.origin}/token`
    const failure = await failureOf(
      oauth2({ ...OPTIONS, token_endpoint }).refresh('rt-1', token_endpoint),
    )
    expect(failure).toMatchObject({ failure: 'transient' })
  })
  test('userinfo that is HTML, an error or down', async () => {
    for (const reply of [{ body: '<html>' }, { status: 401, body: {} }, { status: 503 }]) {
      fake.on('/me', reply)
      const failure = await failureOf(oauth2(OPTIONS).exchange(CALLBACK, SIGN_IN))
      expect(failure).toMatchObject({ failure: 'transient' })
    }
  })
})

describe('RFC 6749 §6 the refresh', () => {
  test('gives new tokens; what did not come back is undefined', async () => {
    fake.on('/token', { body: { access_token: 'at-2', token_type: 'Bearer' } })
    expect(await oauth2(OPTIONS).refresh('rt-1', TOKEN_ENDPOINT)).toEqual({
      access_token: 'at-2',
      refresh_token: undefined,
      expires_in: undefined,
      scope: undefined,
      token_endpoint: TOKEN_ENDPOINT,
    })
    expect(Object.fromEntries(fake.last('/token').form)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt-1',
    })
  })
  test('an id_token beside it is left alone', async () => {
    fake.on('/token', { body: { ...TOKENS, id_token: 'not.even.one' } })
    expect((await oauth2(OPTIONS).refresh('rt-1', TOKEN_ENDPOINT)).access_token).toBe('at-1')
  })
  test.each([
    ['invalid_grant', 400, 'permanent'],
    ['invalid_grant', 401, 'permanent'],
    ['unauthorized_client', 403, 'permanent'],
    ['interaction_required', 400, 'permanent'],
    ['invalid_client', 401, 'transient'],
    ['invalid_request', 400, 'transient'],
    ['temporarily_unavailable', 400, 'transient'],
    ['made_up', 400, 'transient'],
    ['invalid_grant', 429, 'transient'],
    ['invalid_grant', 503, 'transient'],
  ])('CB-21 %s with %i is %s', async (error, status, failure) => {
    fake.on('/token', {
      status,
      headers: { 'www-authenticate': 'Basic realm="x"' },
      body: { error, error_description: 'the token rt-1-and-many-more-characters is bad' },
    })
    const thrown = await failureOf(oauth2(OPTIONS).refresh('rt-1', TOKEN_ENDPOINT))
    expect(thrown).toMatchObject({ failure })
    expect(thrown.message).not.toContain('rt-1')
  })
  test.each([
    ['30', 30],
    ['0', 0],
    ['999999', 3600],
    ['-5', undefined],
    ['soon', undefined],
    [new Date(Date.now() - 60_000).toUTCString(), 0],
    [new Date(Date.now() + 86_400_000).toUTCString(), 3600],
  ])('CB-10 Retry-After %s is %s seconds', async (value, seconds) => {
    fake.on('/token', { status: 429, headers: { 'retry-after': value } })
    const thrown = await failureOf(oauth2(OPTIONS).refresh('rt-1', TOKEN_ENDPOINT))
    expect(thrown).toMatchObject({ failure: 'transient', retryAfter: seconds })
  })
  test.each([
    'https://evil.example/token',
    'http://127.0.0.1:9/token',
    'http://169.254.169.254/token',
    'file:///etc/passwd',
    'token',
    '',
  ])('CB-25 the refresh token never goes to %s', async (pinned) => {
    expect(await failureOf(oauth2(OPTIONS).refresh('rt-1', pinned))).toMatchObject({
      failure: 'transient',
    })
    expect(fake.asked).toEqual([])
  })
  test('CB-25 it goes to the endpoint that it was pinned to, not to the one configured now', async () => {
    fake.on('/old', { body: TOKENS })
    const { token_endpoint } = await oauth2(OPTIONS).refresh('rt-1', `${fake.origin}/old`)
    expect(token_endpoint).toBe(`${fake.origin}/old`)
    expect(fake.count('/token')).toBe(0)
  })
})

describe('RFC 7009 §2.1 the revocation', () => {
  const both = { access_token: 'at-1', refresh_token: 'rt-1' }
  test('hands in the refresh token, or the access token alone', async () => {
    fake.on('/revoke', { status: 200 })
    await oauth2(OPTIONS).revoke(both)
    expect(fake.last('/revoke').form.get('token')).toBe('rt-1')
    expect(fake.last('/revoke').headers.authorization).toMatch(/^Basic /)
    await oauth2(OPTIONS).revoke({ ...both, refresh_token: undefined })
    expect(fake.last('/revoke').form.get('token')).toBe('at-1')
  })
  test('a token that is gone already is no failure', async () => {
    fake.on('/revoke', { status: 400, body: { error: 'invalid_token' } })
    await oauth2(OPTIONS).revoke(both)
  })
  test.each([500, 429, 401, 302])('%i is a transient failure', async (status) => {
    fake.on('/revoke', { status, body: {} })
    expect(await failureOf(oauth2(OPTIONS).revoke(both))).toMatchObject({ failure: 'transient' })
  })
  test('does nothing where there is no endpoint', async () => {
    const { revocation_endpoint: _left, ...options } = OPTIONS
    await oauth2(options).revoke(both)
    expect(fake.asked).toEqual([])
  })
})

describe('CB-23 the options are judged', () => {
  test.each([
    [{ authorization_endpoint: 'javascript:alert(1)' }, /authorization_endpoint is not an https/],
    [{ token_endpoint: 'http://169.254.169.254/t' }, /token_endpoint is http and not loopback/],
    [{ token_endpoint: 'https://u:p@acme.example/t' }, /token_endpoint has user information/],
    [{ userinfo_endpoint: 'file:///etc/passwd' }, /userinfo_endpoint is not an https/],
    [{ revocation_endpoint: 'https://acme.example/#x' }, /revocation_endpoint has a fragment/],
    [{ client_id: '' }, /client_id is missing/],
    [{ client_id: '…' }, /client_id has a character that cannot be sent/],
    [{ client_secret: 'a\nb' }, /client_secret/],
    [{ scope: ['read write'] }, /scope must be a list/],
    [{ id: 'Ac me' }, /id must be/],
    [{ authorizationParameters: { state: 'mine' } }, /may not set state/],
    [{ authorizationParameters: { redirect_uri: 'x' } }, /may not set redirect_uri/],
    [{ identify: { sub: '' } }, /identify.sub/],
    [{ timeout: 0 }, /timeout/],
    [{ trustedOrigins: ['https://a.example/'] }, /trustedOrigins/],
  ])('%j', (bad, message) => {
    expect(() => oauth2({ ...OPTIONS, ...bad })).toThrow(message)
  })
  test('every fault at once', () => {
    const bad = { ...OPTIONS, client_id: '', token_endpoint: 'x', timeout: -1 }
    expect(() => oauth2(bad)).toThrow(/token_endpoint.*client_id.*timeout/)
  })
})

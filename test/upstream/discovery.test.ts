/** Metadata, honest and hostile: OpenID Connect Discovery §4. */
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { oidc } from '../../src/upstream/oidc.ts'
import { sign, startFakeOidc } from './fake_oidc.ts'
import { CALLBACK, failureOf, HINTS, SIGN_IN } from './sign_in.ts'

const provider = await startFakeOidc()
const { fake } = provider
const DOCUMENT = '/tenant/.well-known/openid-configuration'
afterAll(() => fake.close())
beforeEach(() => provider.restore())
afterEach(() => vi.useRealTimers())

describe('CB-23 §4.3 what the document says is judged', () => {
  test.each([
    ['another issuer', { issuer: 'https://evil.example' }],
    ['the issuer with a slash more', { issuer: `${provider.issuer}/` }],
    ['no issuer', { issuer: undefined }],
    [
      'an authorization_endpoint that is a script',
      { authorization_endpoint: 'javascript:alert(1)' },
    ],
    ['an authorization_endpoint that is a file', { authorization_endpoint: 'file:///etc/passwd' }],
    ['no authorization_endpoint', { authorization_endpoint: undefined }],
    ['a token_endpoint in the cloud’s metadata', { token_endpoint: 'http://169.254.169.254/t' }],
    [
      'a token_endpoint on another port of this machine',
      { token_endpoint: 'http://127.0.0.1:9/t' },
    ],
    ['a token_endpoint with user information', { token_endpoint: 'https://a:b@op.example/t' }],
    ['a relative token_endpoint', { token_endpoint: '/token' }],
    ['a jwks_uri that is data', { jwks_uri: 'data:application/json,{}' }],
    ['no jwks_uri', { jwks_uri: undefined }],
    ['a userinfo_endpoint that is no text', { userinfo_endpoint: 5 }],
    ['a revocation_endpoint over http', { revocation_endpoint: 'http://op.example/revoke' }],
  ])('%s', async (_name, more) => {
    fake.on(DOCUMENT, { body: provider.metadata(more) })
    const upstream = provider.upstream()
    expect(await failureOf(upstream.authorizationUrl(SIGN_IN, HINTS))).toMatchObject({
      failure: 'transient',
    })
    expect(await failureOf(upstream.exchange(CALLBACK, SIGN_IN))).toMatchObject({
      failure: 'transient',
    })
    expect(fake.asked.every(({ path }) => path === DOCUMENT)).toBe(true)
  })
  test('an https token_endpoint on a private address is not asked', async () => {
    const token_endpoint = 'https://127.0.0.1:9/token'
    fake.on(DOCUMENT, { body: provider.metadata({ token_endpoint }) })
    const failure = await failureOf(provider.upstream().exchange(CALLBACK, SIGN_IN))
    expect(failure).toMatchObject({ failure: 'transient' })
    expect(failure.message).toContain('refused')
  })
  test('an endpoint on another origin is asked where the operator has named that origin', async () => {
    const trustedOrigins = ['http://127.0.0.1:9']
    fake.on(DOCUMENT, { body: provider.metadata({ token_endpoint: 'http://127.0.0.1:9/t' }) })
    await provider.upstream({ trustedOrigins }).authorizationUrl(SIGN_IN, HINTS)
  })
})

describe('§4 the document is kept', () => {
  test('is fetched once for many at once', async () => {
    const upstream = provider.upstream()
    await Promise.all(Array.from({ length: 50 }, () => upstream.authorizationUrl(SIGN_IN, HINTS)))
    expect(fake.count(DOCUMENT)).toBe(1)
  })
  test('is fetched again after an hour, and the old one serves while the new cannot be had', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const upstream = provider.upstream()
    await upstream.authorizationUrl(SIGN_IN, HINTS)
    vi.advanceTimersByTime(3_601_000)
    fake.on(DOCUMENT, { status: 503 })
    await upstream.authorizationUrl(SIGN_IN, HINTS)
    await upstream.authorizationUrl(SIGN_IN, HINTS)
    expect(fake.count(DOCUMENT)).toBe(2)
    vi.advanceTimersByTime(61_000)
    const authorization_endpoint = `${fake.origin}/moved`
    fake.on(DOCUMENT, { body: provider.metadata({ authorization_endpoint }) })
    const moved = new URL(await upstream.authorizationUrl(SIGN_IN, HINTS))
    expect(moved.pathname).toBe('/moved')
  })
  test.each([{ status: 404 }, { status: 500 }, { body: '<html>' }, { body: [] }, { status: 302 }])(
    'and while nothing is known, %j is transient and the next sign-in asks again',
    async (reply) => {
      fake.on(DOCUMENT, reply)
      const upstream = provider.upstream()
      expect(await failureOf(upstream.authorizationUrl(SIGN_IN, HINTS))).toMatchObject({
        failure: 'transient',
      })
      fake.on(DOCUMENT, { body: provider.metadata() })
      await upstream.authorizationUrl(SIGN_IN, HINTS)
    },
  )
})

describe('CB-25 a refresh token is never sent to a guessed or new endpoint', () => {
  const PINNED = `${fake.origin}/token`
  test('while discovery fails nothing is sent', async () => {
    fake.on(DOCUMENT, { status: 404 })
    expect(await failureOf(provider.upstream().refresh('rt-1', PINNED))).toMatchObject({
      failure: 'transient',
    })
    expect(fake.asked.filter(({ method }) => method === 'POST')).toEqual([])
  })
  test('when the metadata names another endpoint, the pinned one is asked', async () => {
    const token_endpoint = 'https://evil.example/token'
    fake.on(DOCUMENT, { body: provider.metadata({ token_endpoint }) })
    fake.on('/token', { body: { access_token: 'at', token_type: 'bearer' } })
    const tokens = await provider.upstream().refresh('rt-1', PINNED)
    expect(tokens.token_endpoint).toBe(PINNED)
  })
  test('a record that names a foreign endpoint is not followed', async () => {
    const work = provider.upstream().refresh('rt-1', 'https://evil.example/token')
    expect(await failureOf(work)).toMatchObject({ failure: 'transient' })
  })
})

test('§3 Debian’s glewlwyd: an issuer with a path, token_type in lower case, no iss in the redirect', async () => {
  const { privateKey } = { privateKey: provider.key }
  provider.giveIdToken(await sign(provider.claims(), privateKey))
  const { user } = await provider.upstream().exchange(CALLBACK, SIGN_IN)
  expect(user.issuer).toBe(provider.issuer)
  expect(fake.count('/.well-known/oauth-authorization-server/tenant')).toBe(0)
})

test.each([
  ['http://op.example', /issuer is http and not loopback/],
  ['ftp://op.example', /issuer is not an https/],
  ['op.example', /issuer is not an absolute URL/],
  ['https://op.example/?x=1', /issuer has a query/],
  ['https://op.example/#x', /issuer has a fragment/],
  ['https://a:b@op.example', /issuer has user information/],
])('CB-23 the issuer %s is refused at construction', (issuer, message) => {
  expect(() => oidc({ issuer, client_id: 'c' })).toThrow(message)
})

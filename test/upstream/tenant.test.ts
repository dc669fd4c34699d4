/** One document for many tenants, as Microsoft Entra has it: OpenID Connect Core §3.1.3.7 rule 2. */
import { generateKeyPair } from 'jose'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createOidcUpstream } from '../../src/upstream/oidc.ts'
import { CLIENT_ID, sign, startFakeOidc } from './fake_oidc.ts'
import { CALLBACK, failureOf, SIGN_IN } from './sign_in.ts'

const provider = await startFakeOidc()
const { fake, key } = provider
const [ONE, TWO] = ['1', '2'].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`)
const PATTERN = `${fake.origin}/{tenantid}/v2.0`
const issuerOf = (tenant = ''): string => PATTERN.replace('{tenantid}', tenant)

afterAll(() => fake.close())
afterEach(() => vi.useRealTimers())
beforeEach(() => {
  provider.restore()
  const body = provider.metadata({ issuer: PATTERN })
  fake.on('/common/v2.0/.well-known/openid-configuration', { body })
})

const upstream = createOidcUpstream(
  { issuer: `${fake.origin}/common/v2.0`, client_id: CLIENT_ID, client_secret: 's', id: 'many' },
  { documentIssuer: PATTERN, noUserinfo: true, noConsentPrompt: true },
)

async function exchangeWith(claims: object, more = '', signer = key) {
  const header = { alg: 'ES256', kid: signer === key ? 'k1' : 'unknown' }
  provider.giveIdToken(await sign(provider.claims(claims), signer, header))
  return upstream.exchange(`${CALLBACK}${more}`, SIGN_IN)
}

test('CB-13 users of two tenants are two users, whatever their sub', async () => {
  for (const tid of [ONE, TWO]) {
    const { user } = await exchangeWith({ iss: issuerOf(tid), tid })
    expect(user).toMatchObject({ issuer: issuerOf(tid), sub: 'ada' })
  }
})

test.each([
  ['a tid of another tenant', { iss: issuerOf(ONE), tid: TWO }],
  ['no tid', { iss: issuerOf(ONE) }],
  ['the pattern itself', { iss: PATTERN }],
  ['a tid that leads elsewhere', { iss: `${fake.origin}/x/../${ONE}/v2.0`, tid: `x/../${ONE}` }],
  ['a foreign issuer', { iss: `https://evil.example/${ONE}/v2.0`, tid: ONE }],
])('CB-11 an id_token with %s is refused', async (_name, claims) => {
  expect(await failureOf(exchangeWith(claims))).toMatchObject({ failure: 'permanent' })
})

test('CB-08 RFC 9207 an iss of a tenant is taken, a foreign one and a doubled one are not', async () => {
  const claims = { iss: issuerOf(ONE), tid: ONE }
  const own = `&iss=${encodeURIComponent(issuerOf(ONE))}`
  await exchangeWith(claims, own)
  for (const more of [`&iss=https://evil.example/${ONE}/v2.0`, `${own}${own}`]) {
    const before = fake.count('/token')
    expect(await failureOf(exchangeWith(claims, more))).toMatchObject({ failure: 'permanent' })
    expect(fake.count('/token')).toBe(before)
  }
})

test('CB-11 keys are shared by the tenants, and fetched at most once a minute', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.advanceTimersByTime(3_700_000)
  await exchangeWith({ iss: issuerOf(ONE), tid: ONE })
  const before = fake.count('/jwks')
  const stranger = (await generateKeyPair('ES256')).privateKey
  for (const tid of [ONE, TWO, ONE, TWO]) {
    await exchangeWith({ iss: issuerOf(tid), tid })
    await failureOf(exchangeWith({ iss: issuerOf(tid), tid }, '', stranger))
  }
  expect(fake.count('/jwks')).toBe(before)
  vi.advanceTimersByTime(61_000)
  await failureOf(exchangeWith({ iss: issuerOf(TWO), tid: TWO }, '', stranger))
  await failureOf(exchangeWith({ iss: issuerOf(ONE), tid: ONE }, '', stranger))
  expect(fake.count('/jwks')).toBe(before + 1)
})

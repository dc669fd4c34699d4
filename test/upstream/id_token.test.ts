/** What an id_token and userinfo must prove, against a provider that lies: OpenID Connect Core §3.1.3.7, §5.3.2. */
import { createHash } from 'node:crypto'
import { generateKeyPair } from 'jose'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ACCESS_TOKEN, CLIENT_ID, sign, startFakeOidc } from './fake_oidc.ts'
import { CALLBACK, failureOf, SIGN_IN } from './sign_in.ts'

const provider = await startFakeOidc()
const { fake, claims, key, jwk } = provider
const stranger = (await generateKeyPair('ES256')).privateKey
afterAll(() => fake.close())
beforeEach(() => provider.restore())
afterEach(() => vi.useRealTimers())

const now = (): number => Math.floor(Date.now() / 1000)

function atHash(token: string, hash = 'sha256'): string {
  const digest = createHash(hash).update(token).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

async function exchangeWith(id_token: unknown) {
  provider.giveIdToken(id_token)
  return provider.upstream().exchange(CALLBACK, SIGN_IN)
}

describe('CB-11 §3.1.3.7 the id_token', () => {
  test('is taken when all is right, with at_hash, azp, several audiences and a clock that is off by seconds', async () => {
    for (const more of [
      {},
      { at_hash: atHash(ACCESS_TOKEN) },
      { azp: CLIENT_ID },
      { aud: [CLIENT_ID, 'other'], azp: CLIENT_ID },
      { iat: now() + 20, nbf: now() + 20 },
      { exp: now() - 20 },
    ]) {
      const { user } = await exchangeWith(await sign(claims(more), key))
      expect(user).toEqual({
        issuer: provider.issuer,
        sub: 'ada',
        name: 'Ada',
        email: 'ada@example.com',
        email_verified: true,
      })
    }
  })
  test.each([
    ['iss of another provider', { iss: 'https://evil.example' }],
    ['iss with a slash more', { iss: `${provider.issuer}/` }],
    ['no iss', { iss: undefined }],
    ['aud of another client', { aud: 'client-2' }],
    ['aud that only contains the client', { aud: `${CLIENT_ID}0` }],
    ['no aud', { aud: undefined }],
    ['an empty list of audiences', { aud: [] }],
    ['several audiences without azp', { aud: [CLIENT_ID, 'other'] }],
    ['azp of another client', { azp: 'client-2' }],
    ['azp of another client beside several audiences', { aud: [CLIENT_ID, 'o'], azp: 'o' }],
    ['nonce of another sign-in', { nonce: 'other' }],
    ['no nonce', { nonce: undefined }],
    ['exp in the past', { exp: now() - 60 }],
    ['no exp', { exp: undefined }],
    ['exp as text', { exp: String(now() + 300) }],
    ['nbf in the future', { nbf: now() + 120 }],
    ['iat in the future', { iat: now() + 120 }],
    ['no iat', { iat: undefined }],
    ['at_hash of another access token', { at_hash: atHash('other') }],
    ['at_hash by another hash', { at_hash: atHash(ACCESS_TOKEN, 'sha512') }],
    ['at_hash that is no text', { at_hash: 5 }],
    ['no sub', { sub: undefined }],
    ['an empty sub', { sub: '' }],
    ['a sub that is a number', { sub: 5 }],
    ['a sub beyond 255 characters', { sub: 'a'.repeat(256) }],
    ['a sub with a line break', { sub: 'a\nb' }],
  ])('is refused with %s', async (_name, more) => {
    const work = exchangeWith(await sign(claims(more), key))
    expect(await failureOf(work)).toMatchObject({ failure: 'permanent' })
    expect(fake.count('/userinfo')).toBe(0)
  })
  test('is refused without a signature: alg none, in each spelling', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      const parts = [{ alg, kid: 'k1' }, claims()].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url'),
      )
      for (const signature of ['', 'AAAA']) {
        const work = exchangeWith([...parts, signature].join('.'))
        expect(await failureOf(work)).toMatchObject({ failure: 'permanent' })
      }
    }
  })
  test('is refused when signed by HMAC with the public key or the client secret', async () => {
    for (const secret of [JSON.stringify(jwk), String(jwk['x']), 's'.padEnd(32, 's')]) {
      const bytes = new TextEncoder().encode(secret)
      const work = exchangeWith(await sign(claims(), bytes, { alg: 'HS256', kid: 'k1' }))
      expect(await failureOf(work)).toMatchObject({ failure: 'permanent' })
    }
  })
  test('is refused when another key signed it, whatever key the header brings along', async () => {
    for (const header of [
      { alg: 'ES256', kid: 'k1' },
      { alg: 'ES256' },
      { alg: 'ES256', kid: 'k1', jku: `${fake.origin}/evil` },
      { alg: 'ES256', kid: 'unknown', jwk },
    ]) {
      const work = exchangeWith(await sign(claims(), stranger, header))
      expect(await failureOf(work)).toMatchObject({ failure: 'permanent' })
    }
    expect(fake.count('/evil')).toBe(0)
  })
  test('is refused when its claims were changed after it was signed', async () => {
    const [header = '', , signature = ''] = (await sign(claims(), key)).split('.')
    const payload = Buffer.from(JSON.stringify(claims({ sub: 'grace' }))).toString('base64url')
    const work = exchangeWith([header, payload, signature].join('.'))
    expect(await failureOf(work)).toMatchObject({ failure: 'permanent' })
  })
  test.each([
    ['there is none', undefined],
    ['it is no text', { sub: 'ada' }],
    ['it is empty', ''],
    ['it is no JWT', 'not-a-jwt'],
    ['it has two parts', 'a.b'],
    ['it has five parts', 'a.b.c.d.e'],
    ['it is not base64url', '%%%.%%%.%%%'],
    ['its parts are no objects', 'W10.W10.W10'],
  ])('is refused when %s', async (_name, id_token) => {
    expect(await failureOf(exchangeWith(id_token))).toMatchObject({ failure: 'permanent' })
  })
  test('of an alg that the metadata does not list is refused', async () => {
    const body = provider.metadata({ id_token_signing_alg_values_supported: undefined })
    fake.on('/tenant/.well-known/openid-configuration', { body })
    expect(await failureOf(exchangeWith(await sign(claims(), key)))).toMatchObject({
      failure: 'permanent',
    })
  })
})

describe('CB-11 §10.1.1 the keys', () => {
  test('are fetched once for many sign-ins, and for an unknown kid at most once a minute', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const upstream = provider.upstream()
    provider.giveIdToken(await sign(claims(), key))
    for (let count = 0; count < 3; count += 1) await upstream.exchange(CALLBACK, SIGN_IN)
    expect(fake.count('/jwks')).toBe(1)
    for (let minute = 1; minute <= 3; minute += 1) {
      vi.advanceTimersByTime(61_000)
      const forged = await sign(claims(), stranger, { alg: 'ES256', kid: `unknown-${minute}` })
      provider.giveIdToken(forged)
      for (let count = 0; count < 5; count += 1) {
        const failure = await failureOf(upstream.exchange(CALLBACK, SIGN_IN))
        expect(failure).toMatchObject({ failure: 'permanent' })
      }
      expect(fake.count('/jwks')).toBe(1 + minute)
    }
  })
  test('that are new are found within a minute', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const upstream = provider.upstream()
    provider.giveIdToken(await sign(claims(), key))
    await upstream.exchange(CALLBACK, SIGN_IN)
    fake.on('/jwks', { body: { keys: [{ ...jwk, kid: 'k2' }] } })
    vi.advanceTimersByTime(61_000)
    provider.giveIdToken(await sign(claims(), key, { alg: 'ES256', kid: 'k2' }))
    expect((await upstream.exchange(CALLBACK, SIGN_IN)).user.sub).toBe('ada')
  })
  test('that cannot be had are a transient failure', async () => {
    for (const reply of [
      { status: 500 },
      { status: 404 },
      { body: '<html>' },
      { body: { keys: 'none' } },
      { body: 'x'.repeat(5_000_000) },
    ]) {
      fake.on('/jwks', reply)
      expect(await failureOf(exchangeWith(await sign(claims(), key)))).toMatchObject({
        failure: 'transient',
      })
    }
  })
  test('that are odd verify nothing and break nothing', async () => {
    for (const keys of [
      [],
      [{}],
      [{ kty: 'EC' }],
      [{ ...jwk, x: 'A' }],
      [{ ...jwk, use: 'enc' }],
    ]) {
      fake.on('/jwks', { body: { keys } })
      expect(await failureOf(exchangeWith(await sign(claims(), key)))).toMatchObject({
        failure: 'permanent',
      })
    }
  })
})

describe('CB-12 §5.3.2 userinfo', () => {
  const bare = { name: undefined, email: undefined, email_verified: undefined }
  async function signInWith(reply: object, more: object = bare) {
    fake.on('/userinfo', reply)
    return exchangeWith(await sign(claims(more), key))
  }
  test('adds name and address when the id_token has none, and is not asked when it has both', async () => {
    const body = { sub: 'ada', name: 'Ada L.', email: 'a@example.com', email_verified: true }
    expect((await signInWith({ body })).user).toMatchObject({
      name: 'Ada L.',
      email: 'a@example.com',
      email_verified: true,
    })
    expect(fake.last('/userinfo').headers.authorization).toBe(`Bearer ${ACCESS_TOKEN}`)
    await signInWith({ body }, {})
    expect(fake.count('/userinfo')).toBe(1)
  })
  test.each([
    ['another sub', { sub: 'grace', email: 'admin@example.com', email_verified: true }],
    ['no sub', { email: 'admin@example.com', email_verified: true }],
    ['a sub in a list', { sub: ['ada'] }],
  ])('with %s is refused', async (_name, body) => {
    expect(await failureOf(signInWith({ body }))).toMatchObject({ failure: 'permanent' })
  })
  test('cannot vouch for the address of the id_token', async () => {
    const body = { sub: 'ada', name: 'Ada', email: 'mine@example.com', email_verified: true }
    const { user } = await signInWith({ body }, { ...bare, email: 'ceo@example.com' })
    expect(user).toMatchObject({ email: 'ceo@example.com', email_verified: false, name: 'Ada' })
  })
  test('that the access token is not for leaves the user as the id_token has it', async () => {
    const { user } = await signInWith({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
    expect(user).toMatchObject({ sub: 'ada', name: undefined, email: undefined })
  })
  test.each([{ status: 500 }, { status: 404 }, { body: '<html>' }, { body: [] }])(
    'that fails is a transient failure: %j',
    async (reply) => {
      expect(await failureOf(signInWith(reply))).toMatchObject({ failure: 'transient' })
    },
  )
})

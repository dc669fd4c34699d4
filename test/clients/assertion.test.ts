import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { FetchError } from '../../src/http/safe_fetch.ts'
import { authenticateClient } from '../../src/server/clients/authenticate.ts'
import { resolveClient } from '../../src/server/clients/resolve.ts'
import type { Context } from '../../src/server/config/context.ts'
import { CLOCK_SKEW } from '../../src/server/config/defaults.ts'
import { createTestContext, START } from '../support/context.ts'
import { createHost, errorOf, form, post } from './support.ts'

const CLIENT = 'https://chatgpt.example/oauth/client.json'
const JWKS = 'https://chatgpt.example/oauth/jwks.json'
const ISSUER = 'https://mcp.example.com'
const DOCUMENT = {
  client_id: CLIENT,
  client_name: 'ChatGPT',
  redirect_uris: ['https://chatgpt.example/cb'],
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
  jwks_uri: JWKS,
}

interface Signer {
  readonly privateKey: CryptoKey
  readonly jwk: object
  readonly kid: string
}

async function signer(kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { modulusLength: 2048 })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' }, kid }
}

let first: Signer
let second: Signer
beforeAll(async () => {
  first = await signer('first')
  second = await signer('second')
})

let serial = 0
const claims = () => ({
  iss: CLIENT,
  sub: CLIENT,
  aud: ISSUER,
  iat: START,
  exp: START + 300,
  jti: `jti-${(serial += 1)}`,
})

function assertion(members: object = {}, by: Signer = first, header: object = {}): Promise<string> {
  return new SignJWT({ ...claims(), ...members })
    .setProtectedHeader({ alg: 'RS256', kid: by.kid, ...header })
    .sign(by.privateKey)
}

async function setUp(document: object = DOCUMENT) {
  const host = createHost()
  host.serve(CLIENT, document)
  host.serve(JWKS, { keys: [first.jwk] })
  const made = createTestContext({ fetch: host.fetch })
  await resolveClient(made.context, CLIENT)
  return { host, ...made }
}

function present(context: Context, client_assertion: string, more: object = {}) {
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const parameters = { client_assertion, client_assertion_type, ...more }
  return authenticateClient(context, post({}), form(parameters))
}

/** Another process with the same store. */
function replica(context: Context): Context {
  return { ...context, config: { ...context.config } }
}

const outcome = (error: { code: string; status: number }) => [error.code, error.status]
const REFUSED = ['invalid_client', 401]

describe('RFC 7523 §3 private_key_jwt', () => {
  it('§3 lets the client of the key in, with and without client_id beside', async () => {
    const { context } = await setUp()
    expect((await present(context, await assertion())).client_id).toBe(CLIENT)
    const again = await present(context, await assertion(), { client_id: CLIENT })
    expect(again.client_id).toBe(CLIENT)
  })

  it('§3 takes a header type, an audience in a list of one, and none of the optional claims', async () => {
    const { context } = await setUp()
    const header = { typ: 'client-authentication+jwt' }
    const accepted = await Promise.all([
      assertion({}, first, header),
      assertion({ aud: [ISSUER] }),
      // Printed by a URL parser.
      assertion({ aud: `${ISSUER}/` }),
      assertion({ iat: undefined, nbf: undefined }),
      assertion({ exp: START + 3600 }),
      assertion({ jti: undefined }),
      assertion({}, first, { kid: undefined }),
      assertion({ exp: START - 29, iat: START + 29, nbf: START + 29 }),
    ])
    for (const jwt of accepted) expect((await present(context, jwt)).client_id).toBe(CLIENT)
  })

  const WRONG: readonly (readonly [string, object])[] = [
    ['no exp', { exp: undefined }],
    ['exp as text', { exp: String(START + 300) }],
    ['exp in a year', { exp: START + 365 * 24 * 60 * 60 }],
    ['exp past', { exp: START - 31 }],
    ['nbf ahead', { nbf: START + 31 }],
    ['nbf as text', { nbf: 'x' }],
    ['iat ahead', { iat: START + 31 }],
    ['another sub', { sub: 'https://other.example/c' }],
    ['another iss', { iss: 'https://other.example/c' }],
    ['no iss', { iss: undefined }],
    ['no aud', { aud: undefined }],
    ['the aud of another server', { aud: 'https://other.example' }],
    ['a list with a foreign aud', { aud: [ISSUER, 'https://other.example'] }],
    ['the same aud twice', { aud: [ISSUER, ISSUER] }],
    ['an empty list', { aud: [] }],
    ['the token endpoint as aud', { aud: `${ISSUER}/token` }],
    ['an aud in capitals', { aud: ISSUER.toUpperCase() }],
    ['an aud that only begins so', { aud: `${ISSUER}.evil.example` }],
  ]
  it.each(WRONG)('TK-27 %s is refused', async (_, members) => {
    const { context } = await setUp()
    const jwt = await assertion(members)
    expect(outcome(await errorOf(present(context, jwt)))).toEqual(REFUSED)
  })

  it('TK-27 the slash is no part of an issuer with a path', async () => {
    const { context } = await setUp()
    const issuer = `${ISSUER}/t1`
    const config = { ...context.config, issuer }
    const tenant = { ...context, config }
    const error = await errorOf(present(tenant, await assertion({ aud: `${issuer}/` })))
    expect(outcome(error)).toEqual(REFUSED)
    expect((await present(tenant, await assertion({ aud: issuer }))).client_id).toBe(CLIENT)
  })

  it('TK-27 alg none, HS256, a strange key, and a key inside the token are refused', async () => {
    const { context } = await setUp()
    const secret = Buffer.from(JSON.stringify(first.jwk))
    const tokens = [
      new UnsecuredJWT(claims()).encode(),
      await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret),
      await assertion({}, second),
      await assertion({}, second, { kid: 'first' }),
      await assertion({}, second, { kid: undefined, jwk: second.jwk }),
      await assertion({}, second, { jku: 'https://evil.example/jwks' }),
      (await assertion()).slice(0, -2),
    ]
    for (const token of tokens)
      expect(outcome(await errorOf(present(context, token)))).toEqual(REFUSED)
  })

  it('TK-27 an assertion counts once, on whichever instance', async () => {
    const { context } = await setUp()
    const jwt = await assertion()
    await present(context, jwt)
    expect(outcome(await errorOf(present(context, jwt)))).toEqual(REFUSED)
    expect(outcome(await errorOf(present(replica(context), jwt)))).toEqual(REFUSED)
    const sameId = await assertion({ jti: 'again' })
    await present(context, sameId)
    const other = await assertion({ jti: 'again', exp: START + 200 })
    expect(outcome(await errorOf(present(replica(context), other)))).toEqual(REFUSED)
  })

  it('TK-27 of fifty at once one wins', async () => {
    const { context } = await setUp()
    const jwt = await assertion()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) =>
        present(index % 2 === 0 ? context : replica(context), jwt),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('TK-27 without a jti the signed text counts once, whatever signature stands behind it', async () => {
    const { context } = await setUp()
    const jwt = await assertion({ jti: undefined })
    await present(context, jwt)
    expect(outcome(await errorOf(present(context, jwt)))).toEqual(REFUSED)
  })

  it('TK-27 the id is kept until the assertion is past, and a refused one uses nothing up', async () => {
    const { context, advance } = await setUp()
    const jwt = await assertion({ nbf: START + 60 })
    expect(outcome(await errorOf(present(context, jwt)))).toEqual(REFUSED)
    advance(60)
    await present(context, jwt)
    advance(240 + 29)
    await context.store.deleteExpired(context.clock(), 1000)
    expect((await errorOf(present(context, jwt))).reason).toBe('the assertion is replayed')
    advance(1)
    expect((await errorOf(present(context, jwt))).reason).toBe('expired')
  })

  it('TK-27 an instance whose clock is ahead deletes no id that one behind still needs', async () => {
    const { context, advance } = await setUp()
    const jwt = await assertion()
    await present(context, jwt)
    advance(300 + 29)
    await context.store.deleteExpired(context.clock() + CLOCK_SKEW, 1000)
    expect((await errorOf(present(context, jwt))).reason).toBe('the assertion is replayed')
  })

  it('TK-27 the ids of two clients do not meet', async () => {
    const { host, context } = await setUp()
    const other = 'https://other.example/client.json'
    host.serve(other, { ...DOCUMENT, client_id: other })
    await resolveClient(context, other)
    await present(context, await assertion({ jti: 'same' }))
    const theirs = await assertion({ jti: 'same', iss: other, sub: other })
    expect((await present(context, theirs)).client_id).toBe(other)
  })

  it.each([
    [
      'of another type',
      { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' },
    ],
    ['without a type', { client_assertion_type: '' }],
    ['of another client', { client_id: 'https://other.example/c' }],
  ])('RFC 7521 §4.2 an assertion %s is refused', async (_, more) => {
    const { context } = await setUp()
    expect(outcome(await errorOf(present(context, await assertion(), more)))).toEqual(REFUSED)
  })

  it.each([['x'], ['a.b.c'], ['..'], ['e30.e30.'], [`${'a'.repeat(20_000)}`], ['é.é.é']])(
    'DS-15 %j is refused',
    async (text) => {
      const { context } = await setUp()
      expect(outcome(await errorOf(present(context, text, { client_id: CLIENT })))).toEqual(REFUSED)
    },
  )

  it('§6.2 a client that has keys is never let in as a public one', async () => {
    const { context } = await setUp()
    const work = authenticateClient(context, post({}), form({ client_id: CLIENT }))
    expect(outcome(await errorOf(work))).toEqual(REFUSED)
  })

  it('§2 a public client that sends an assertion is refused', async () => {
    const { context } = await setUp({ ...DOCUMENT, token_endpoint_auth_method: 'none' })
    expect(outcome(await errorOf(present(context, await assertion())))).toEqual(REFUSED)
  })

  it('RFC 7591 §2 keys in the metadata need no fetch', async () => {
    const { jwks_uri: _, ...rest } = DOCUMENT
    const { host, context } = await setUp({ ...rest, jwks: { keys: [first.jwk] } })
    expect((await present(context, await assertion())).client_id).toBe(CLIENT)
    expect(host.fetched).toEqual([CLIENT])
  })
})

describe('the keys at jwks_uri', () => {
  it('are fetched once for many, and kept as long as their headers say', async () => {
    const { host, context, advance } = await setUp()
    host.serve(JWKS, { keys: [first.jwk] }, { 'cache-control': 'max-age=120' })
    const tokens = await Promise.all(Array.from({ length: 20 }, () => assertion()))
    await Promise.all(tokens.map((token) => present(context, token)))
    const fetches = () => host.fetched.filter((url) => url === JWKS).length
    expect(fetches()).toBe(1)
    advance(119)
    await present(context, await assertion())
    expect(fetches()).toBe(1)
    advance(1)
    await present(context, await assertion())
    expect(fetches()).toBe(2)
  })

  it('are looked up again for an unknown key id, once a minute', async () => {
    const { host, context, advance } = await setUp()
    host.serve(JWKS, { keys: [first.jwk] }, { 'cache-control': 'max-age=86400' })
    await present(context, await assertion())
    host.serve(JWKS, { keys: [second.jwk] }, { 'cache-control': 'max-age=86400' })
    advance(59)
    expect(outcome(await errorOf(present(context, await assertion({}, second))))).toEqual(REFUSED)
    advance(1)
    expect((await present(context, await assertion({}, second))).client_id).toBe(CLIENT)
    expect(outcome(await errorOf(present(context, await assertion())))).toEqual(REFUSED)
    for (let turn = 0; turn < 20; turn += 1) {
      const strange = await assertion({}, first, { kid: `strange-${turn}` })
      expect(outcome(await errorOf(present(context, strange)))).toEqual(REFUSED)
    }
    expect(host.fetched.filter((url) => url === JWKS)).toHaveLength(2)
  })

  it('CI-41 a key that was withdrawn is refused once the copy is no longer fresh', async () => {
    const { host, context, advance } = await setUp()
    await present(context, await assertion())
    host.serve(JWKS, { keys: [second.jwk] })
    advance(60)
    expect(outcome(await errorOf(present(context, await assertion())))).toEqual(REFUSED)
  })

  it.each([
    ['an internal address', new FetchError('refused', '10.0.0.7 is not public')],
    ['a redirect', { status: 302, headers: { location: 'https://10.0.0.7/' } }],
    ['1 MB', { body: Buffer.alloc(1024 * 1024, ' ') }],
    ['a slow host', new FetchError('timeout', 'no answer within 5 seconds')],
    ['no JSON', { body: Buffer.from('<html>') }],
    ['no keys', { body: Buffer.from('{}') }],
    ['a private key', { body: Buffer.from('{"keys":[{"kty":"EC","d":"x"}]}') }],
    ['a symmetric key', { body: Buffer.from('{"keys":[{"kty":"oct","k":"x"}]}') }],
    ['nothing', { status: 404 }],
  ])('CI-37 %s is 401, and tells nothing of what was there', async (_, answer) => {
    const { host, context } = await setUp()
    host.answer(JWKS, answer)
    const error = await errorOf(present(context, await assertion()))
    expect(outcome(error)).toEqual(REFUSED)
    expect(error.description).toBe('client authentication failed')
  })

  it('DS-11 a thousand keys are refused without looking at them', async () => {
    const { host, context } = await setUp()
    const keys = Array.from({ length: 1000 }, (_, index) => ({ kty: 'EC', kid: `${index}` }))
    host.serve(JWKS, { keys })
    expect(outcome(await errorOf(present(context, await assertion())))).toEqual(REFUSED)
  })

  it('a host that is down signs nobody out: 503, and the keys of before while they may be stale', async () => {
    const { host, context, advance } = await setUp()
    const down = new FetchError('unreachable', 'connection refused')
    host.answer(JWKS, down)
    const jwt = await assertion()
    const error = await errorOf(present(context, jwt))
    expect(outcome(error)).toEqual(['temporarily_unavailable', 503])
    host.serve(JWKS, { keys: [first.jwk] })
    advance(10)
    expect((await present(context, jwt)).client_id).toBe(CLIENT)
    host.answer(JWKS, down)
    advance(60)
    expect((await present(context, await assertion())).client_id).toBe(CLIENT)
    const { maxStale } = context.config.metadataDocuments
    advance(maxStale - 60)
    host.serve(CLIENT, DOCUMENT)
    const late = { iat: undefined, exp: START + maxStale + 300 }
    expect((await present(context, await assertion(late))).client_id).toBe(CLIENT)
    advance(60)
    expect(outcome(await errorOf(present(context, await assertion(late))))).toEqual([
      'temporarily_unavailable',
      503,
    ])
  })
})

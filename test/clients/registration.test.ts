import { describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { matchRedirectUri } from '../../src/protocol/redirect_uri.ts'
import { resolveClient } from '../../src/server/clients/resolve.ts'
import { RATE_LIMITS } from '../../src/server/config/defaults.ts'
import { jwks } from '../../src/server/endpoints/jwks.ts'
import { registration } from '../../src/server/endpoints/registration.ts'
import type { Context } from '../../src/server/config/context.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { createTestContext, START, type TestContextOptions } from '../support/context.ts'
import { REGISTRATIONS } from './personas.ts'
import { createHost, errorOf, post, type Sent } from './support.ts'

const JSON_TYPE = ['Content-Type', 'application/json'] as const
const PUBLIC = {
  client_name: 'Client',
  redirect_uris: ['http://localhost:1234/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}

/** A context whose rate is no obstacle, as most tests here register a lot. */
function setUp(options: TestContextOptions = {}) {
  const rateLimits = { ...RATE_LIMITS, register: 0 }
  return createTestContext({ ...options, config: { rateLimits, ...options.config } })
}

async function register(context: Context, body: unknown, sent: Sent = {}) {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const headers = [...JSON_TYPE, ...(sent.headers ?? [])]
  const response = await registration(context, post({ ...sent, headers, body: text }))
  const answer = JSON.parse(String(response.body)) as { [name: string]: unknown; client_id: string }
  return { response, answer }
}

/** The ids of the clients stored, and everything stored, through a store that tells. */
function recording(): { store: Store; ids: string[]; stored: unknown[] } {
  const inner = memory()
  const ids: string[] = []
  const stored: unknown[] = []
  const store: Store = {
    ...inner,
    insert: (kind, record) => {
      if (kind === 'client') ids.push(record.id)
      stored.push(record)
      return inner.insert(kind, record)
    },
  }
  return { store, ids, stored }
}

describe('RFC 7591 §3.2.1 the answer', () => {
  it.each(Object.entries(REGISTRATIONS))('lets %s register as it does', async (_, body) => {
    const { context } = setUp()
    const { response, answer } = await register(context, body)
    expect(response.status).toBe(201)
    expect(answer['redirect_uris']).toEqual(body['redirect_uris'])
    expect(answer['token_endpoint_auth_method']).toBe(body['token_endpoint_auth_method'])
    expect(answer['application_type']).toBe(body['application_type'])
    expect(answer['client_name']).toBe(body['client_name'])
    expect(answer['grant_types']).toEqual(['authorization_code', 'refresh_token'])
    const client = await resolveClient(context, answer.client_id)
    for (const uri of body['redirect_uris'] as readonly string[]) {
      expect(matchRedirectUri(uri, client.metadata.redirect_uris)).toBe(uri)
    }
  })

  it('RG-18 has no null, whole numbers, and no secret for a public client', async () => {
    const { context } = setUp()
    const { response, answer } = await register(context, {
      ...PUBLIC,
      client_uri: null,
      scope: null,
    })
    expect(response).toMatchObject({
      status: 201,
      headers: { 'cache-control': 'no-store', 'content-type': 'application/json' },
    })
    expect(answer).toEqual({ ...PUBLIC, client_id: answer.client_id, client_id_issued_at: START })
    expect(String(response.body)).not.toContain('null')
  })

  it('RG-18 RG-35 shows a strong secret once, and stores its hash', async () => {
    const { store, stored } = recording()
    const { context } = setUp({ store })
    const body = { redirect_uris: ['https://client.example/cb'] }
    const { answer } = await register(context, body)
    const secret = String(answer['client_secret'])
    expect(secret).toMatch(/^mcp_cs_[A-Za-z0-9_-]{43}$/)
    expect(answer).toMatchObject({
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_basic',
    })
    expect(JSON.stringify(stored)).not.toContain(secret)
    const other = await register(context, body)
    expect(other.answer['client_secret']).not.toBe(secret)
    expect(other.answer.client_id).not.toBe(answer.client_id)
  })

  it('§3.2.1 answers with what it registered, not with what was asked', async () => {
    const { context } = setUp()
    const { answer } = await register(context, {
      ...PUBLIC,
      redirect_uris: ['http://evil.example/cb', 'http://localhost/cb'],
      grant_types: ['authorization_code', 'urn:evil'],
      logo_uri: 'javascript:alert(1)',
      client_uri: 'javascript:alert(1)',
      client_id: 'mine',
      client_secret: 'mine',
      client_id_issued_at: 1,
      registration_access_token: 'mine',
    })
    expect(answer).toEqual({
      client_id: answer.client_id,
      client_id_issued_at: START,
      client_name: 'Client',
      redirect_uris: ['http://localhost/cb'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    })
    expect(answer.client_id).not.toBe('mine')
  })

  it('tells the stream who registered and where its codes go', async () => {
    const { context, events } = setUp()
    const { answer } = await register(context, REGISTRATIONS['Cursor'])
    expect(events).toEqual([
      {
        type: 'client_registered',
        client_id: answer.client_id,
        about: 'anysphere.cursor-mcp www.cursor.com localhost:8787',
        network: '192.0.2.0/24',
        at: START,
      },
    ])
  })
})

describe('RFC 7591 §5 identical registrations', () => {
  it('RG-38 fifty at once are one client, with one record', async () => {
    const { store, ids } = recording()
    const { context } = setUp({ store })
    const answers = await Promise.all(Array.from({ length: 50 }, () => register(context, PUBLIC)))
    expect(new Set(answers.map(({ answer }) => answer.client_id)).size).toBe(1)
    expect(answers.every(({ response }) => response.status === 201)).toBe(true)
    expect(new Set(ids).size).toBe(1)
  })

  it('RG-38 differ by any member', async () => {
    const { context } = setUp()
    const bodies = [
      PUBLIC,
      { ...PUBLIC, client_name: 'client' },
      { ...PUBLIC, client_name: undefined },
      { ...PUBLIC, redirect_uris: ['http://localhost:1234/other'] },
      { ...PUBLIC, redirect_uris: ['http://127.0.0.1:1234/callback'] },
      { ...PUBLIC, redirect_uris: [...PUBLIC.redirect_uris, 'https://a.example/cb'] },
      { ...PUBLIC, application_type: 'native' },
      { ...PUBLIC, software_id: 'a' },
      { ...PUBLIC, software_version: 'a' },
    ]
    const answers = await Promise.all(bodies.map((body) => register(context, body)))
    expect(new Set(answers.map(({ answer }) => answer.client_id)).size).toBe(bodies.length)
  })

  it('RG-38 another loopback port is the same client, and each hears of the port it asked for', async () => {
    const { store, ids } = recording()
    const { context } = setUp({ store })
    const uris = ['http://localhost:1234/callback', 'http://localhost:1235/callback']
    const answers = await Promise.all(
      uris.map((uri) => register(context, { ...PUBLIC, redirect_uris: [uri] })),
    )
    expect(answers.map(({ answer }) => answer['redirect_uris'])).toEqual(uris.map((uri) => [uri]))
    expect(new Set(ids).size).toBe(1)
    const { metadata } = await resolveClient(context, answers[1]?.answer.client_id ?? '')
    for (const uri of [...uris, 'http://localhost/callback']) {
      expect(matchRedirectUri(uri, metadata.redirect_uris)).toBeDefined()
    }
  })

  it('RG-38 another scope is the same client, and each hears of the one it asked for', async () => {
    const { context } = setUp()
    const one = await register(context, { ...PUBLIC, scope: 'a' })
    const two = await register(context, { ...PUBLIC, scope: 'a b' })
    expect(two.answer.client_id).toBe(one.answer.client_id)
    expect([one.answer['scope'], two.answer['scope']]).toEqual(['a', 'a b'])
  })

  it('RG-38 another port of anything but loopback is another client', async () => {
    const { context } = setUp()
    const uris = ['https://a.example/cb', 'https://a.example:444/cb']
    const answers = await Promise.all(
      uris.map((uri) => register(context, { ...PUBLIC, redirect_uris: [uri] })),
    )
    expect(new Set(answers.map(({ answer }) => answer.client_id)).size).toBe(uris.length)
  })

  it('RG-38 the order of members and unknown ones make no difference', async () => {
    const { context } = setUp()
    const one = await register(context, PUBLIC)
    const turned = Object.fromEntries(Object.entries(PUBLIC).toReversed())
    const two = await register(context, { ...turned, nonce: Math.PI, contacts: ['x@y.example'] })
    expect(two.answer.client_id).toBe(one.answer.client_id)
  })

  it('RG-34 no id can be told from outside: another server gives another', async () => {
    const one = await register(setUp().context, PUBLIC)
    const two = await register(setUp().context, PUBLIC)
    expect(one.answer.client_id).not.toBe(two.answer.client_id)
    expect(one.answer.client_id).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  it('RG-31 one that registers again lives on, and keeps its date of issue', async () => {
    const { context, advance } = setUp()
    const { unusedLifetime } = context.config.registration
    const { answer } = await register(context, PUBLIC)
    advance(unusedLifetime - 1)
    const again = await register(context, PUBLIC)
    expect(again.answer).toEqual(answer)
    advance(unusedLifetime - 1)
    expect((await resolveClient(context, answer.client_id)).source).toBe('dynamic')
    advance(1)
    await errorOf(resolveClient(context, answer.client_id))
    expect((await register(context, PUBLIC)).answer.client_id).toBe(answer.client_id)
    expect((await resolveClient(context, answer.client_id)).source).toBe('dynamic')
  })

  it('RG-33 a store that fails leaves nothing behind that was answered', async () => {
    const { context } = setUp()
    await context.store.close()
    await expect(register(context, PUBLIC)).rejects.toThrow(StoreUnavailable)
    const confidential = { ...PUBLIC, token_endpoint_auth_method: 'client_secret_post' }
    await expect(register(context, confidential)).rejects.toThrow(StoreUnavailable)
  })
})

describe('RFC 7591 §3.1 the request', () => {
  it.each([
    [[]],
    [['Content-Type', 'application/x-www-form-urlencoded']],
    [['Content-Type', 'text/plain']],
    [['Content-Type', 'multipart/form-data; boundary=x']],
    [['Content-Type', 'application/xml']],
    [['Content-Type', 'text/plain; application/json']],
  ])('RG-12 a body with the headers %j is 415', async (headers) => {
    const { store, ids } = recording()
    const { context } = setUp({ store })
    const request = post({ headers, body: JSON.stringify(PUBLIC) })
    const error = await errorOf(registration(context, request))
    expect([error.code, error.status]).toEqual(['invalid_client_metadata', 415])
    expect(ids).toEqual([])
  })

  it('RG-12 two content types are refused', async () => {
    const { context } = setUp()
    const work = register(context, PUBLIC, { headers: ['content-type', 'application/json'] })
    expect((await errorOf(work)).status).toBe(400)
  })

  it.each([
    ['{'],
    ['[]'],
    ['null'],
    ['"x"'],
    ['1'],
    [''],
    ['\ufeff{}'],
    ['{}{}'],
    [Buffer.from([0xff, 0xfe, 0x00])],
    [Buffer.from(JSON.stringify(PUBLIC), 'utf16le')],
  ])('RG-13 the body %j is 400, without internals', async (body) => {
    const { context, events } = setUp()
    const error = await errorOf(register(context, body))
    expect([error.code, error.status]).toEqual(['invalid_client_metadata', 400])
    expect(error.description).not.toMatch(/position|token|at |stack/i)
    expect(events).toEqual([])
  })

  it('RG-14 16 KiB are read and not one byte more, as all of it may be kept', async () => {
    const { store, ids } = recording()
    const { context } = setUp({ store })
    const sized = (size: number) => {
      const text = JSON.stringify({ ...PUBLIC, x: '' })
      return text.replace('"x":""', `"x":"${'a'.repeat(size - text.length)}"`)
    }
    expect((await register(context, sized(16 * 1024))).response.status).toBe(201)
    expect((await errorOf(register(context, sized(16 * 1024 + 1)))).status).toBe(413)
    expect((await errorOf(register(context, sized(3_000_000)))).status).toBe(413)
    expect(ids).toHaveLength(1)
  })

  it('RG-15 deep nesting is refused, or left out where nobody looks', async () => {
    const { context } = setUp()
    const deep = `${'['.repeat(7000)}${']'.repeat(7000)}`
    const deepObject = `${'{"a":'.repeat(2500)}1${'}'.repeat(2500)}`
    for (const body of [deep, deepObject]) {
      expect((await errorOf(register(context, body))).status).toBe(400)
    }
    for (const name of ['redirect_uris', 'jwks', 'client_name', 'grant_types']) {
      const text = JSON.stringify({ ...PUBLIC, [name]: 0 }).replace(
        `"${name}":0`,
        `"${name}":${deep}`,
      )
      expect((await errorOf(register(context, text))).status).toBe(400)
    }
    const unknown = JSON.stringify({ ...PUBLIC, x: 0 }).replace('"x":0', `"x":${deepObject}`)
    expect((await register(context, unknown)).response.status).toBe(201)
  })

  it('DS-03 as many keys as there is room for take no time', async () => {
    const { context } = setUp()
    const many = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`k${index}`, 1]))
    const began = process.hrtime.bigint()
    expect((await register(context, { ...PUBLIC, ...many })).response.status).toBe(201)
    expect(Number(process.hrtime.bigint() - began) / 1e9).toBeLessThan(2)
  })

  it('RG-16 a polluting registration changes nothing for the next', async () => {
    const { context } = setUp()
    const text =
      '{"__proto__":{"client_name":"polluted","redirect_uris":["https://evil.example"]},' +
      '"constructor":{"prototype":{"scope":"polluted"}},"redirect_uris":["http://localhost/cb"]}'
    await register(context, text)
    const { answer } = await register(context, PUBLIC)
    expect(answer).not.toHaveProperty('scope')
    expect(JSON.stringify(answer)).not.toContain('polluted')
  })

  const MALFORMED: readonly string[] = [
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Basic !!!',
    'Basic',
    `Basic ${Buffer.from('nocolon').toString('base64')}`,
    `Bearer ${'a'.repeat(8192)}`,
    'Bearer \xe9\xe8',
    '\xff',
    '',
    ' ',
    'Bearer a,Bearer b',
    'Bearer\0a',
  ]
  it.each(MALFORMED)('RG-20 the Authorization %j is 400', async (value) => {
    const { context } = setUp()
    const error = await errorOf(register(context, PUBLIC, { headers: ['Authorization', value] }))
    expect([error.code, error.status]).toEqual(['invalid_request', 400])
  })

  it('RG-20 two are 400, and a well-formed one changes nothing', async () => {
    const { context } = setUp()
    const one = ['Authorization', 'Bearer abc']
    const error = await errorOf(register(context, PUBLIC, { headers: [...one, ...one] }))
    expect(error.status).toBe(400)
    expect((await register(context, PUBLIC, { headers: one })).response.status).toBe(201)
  })

  it('RG-26 no address in a registration is fetched', async () => {
    const host = createHost()
    const { context } = setUp({ fetch: host.fetch })
    const canary = 'https://127.0.0.1:9/'
    await register(context, {
      ...PUBLIC,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: canary,
      logo_uri: canary,
      sector_identifier_uri: canary,
      request_uris: [canary],
      client_uri: canary,
      initiate_login_uri: canary,
      tos_uri: canary,
    })
    expect(host.fetched).toEqual([])
  })

  it('RG-19 a private key is neither stored nor told to the log', async () => {
    const { store, stored } = recording()
    const { context, events } = setUp({ store })
    const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'hunter2' }
    const error = await errorOf(register(context, { ...PUBLIC, jwks: { keys: [jwk] } }))
    expect(error.code).toBe('invalid_client_metadata')
    expect(JSON.stringify([stored, events, error, error.stack])).not.toContain('hunter2')
  })

  it('§3.2.2 the words of a refusal are ASCII and hold nothing that was sent', async () => {
    const { context } = setUp()
    const evil = 'https://evil"\r\nset-cookie: a=b/é'
    for (const body of [
      { redirect_uris: [evil] },
      { ...PUBLIC, token_endpoint_auth_method: evil },
      { ...PUBLIC, grant_types: [evil] },
      { ...PUBLIC, scope: evil },
      { ...PUBLIC, application_type: evil },
      { ...PUBLIC, jwks_uri: evil },
      { ...PUBLIC, jwks: { keys: [{ [evil]: 1 }] } },
      { ...PUBLIC, redirect_uris: { [evil]: [evil] } },
    ]) {
      const { description } = await errorOf(register(context, body))
      expect(description).toMatch(/^[\x20-\x7e]{5,200}$/)
      expect(description).not.toContain('evil')
    }
  })
})

describe('RFC 7591 §5 the rate', () => {
  it('DS-05 a flood from one address ends in 429 with Retry-After, and others still register', async () => {
    const { store, ids } = recording()
    const { context, eventTypes } = createTestContext({ store })
    let refused = 0
    for (let index = 0; index < 200; index += 1) {
      const body = { ...PUBLIC, software_id: `${index}` }
      try {
        await register(context, body)
      } catch (error) {
        expect(error).toMatchObject({ status: 429, retryAfter: expect.any(Number) as number })
        refused += 1
      }
    }
    expect(ids).toHaveLength(200 - refused)
    expect(refused).toBeGreaterThan(100)
    expect(eventTypes()).toContain('rate_limited')
    const other = await register(context, PUBLIC, { remoteAddress: '198.51.100.1' })
    expect(other.response.status).toBe(201)
  })

  it('RG-30 forwarded headers of a stranger and addresses of one IPv6 /64 are one caller', async () => {
    for (const [headers, address] of [
      [(index: number) => ['X-Forwarded-For', `203.0.113.${index}`], () => '192.0.2.1'],
      [(index: number) => ['Forwarded', `for=203.0.113.${index}`], () => '192.0.2.1'],
      [() => [], (index: number) => `2001:db8::${index.toString(16)}`],
    ] as const) {
      const { context } = createTestContext()
      let passed = 0
      for (let index = 0; index < 200; index += 1) {
        const sent = { headers: headers(index), remoteAddress: address(index) }
        passed += await register(context, PUBLIC, sent).then(
          () => 1,
          () => 0,
        )
      }
      expect(passed).toBeLessThanOrEqual(RATE_LIMITS.register + 1)
    }
  })
})

describe('RFC 7517 §5 jwks', () => {
  it('MD-12 publishes every key of the ring, for caches, and nothing private', async () => {
    const keys = createKeyring([generateKey(), generateKey()])
    const { context } = setUp({ keys })
    const response = await jwks(context, post({}))
    expect(response).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/jwk-set+json',
        'cache-control': 'public, max-age=900',
      },
    })
    const published = JSON.parse(String(response.body)) as { keys: { [name: string]: unknown }[] }
    expect(published.keys.map(({ kid }) => kid)).toEqual(keys.all.map(({ kid }) => kid))
    for (const key of published.keys) {
      expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    }
  })
})

import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto/hash.ts'
import { parseRegistration } from '../../src/protocol/client_metadata.ts'
import {
  authenticateClient,
  authenticateResourceServer,
} from '../../src/server/clients/authenticate.ts'
import { registerClient } from '../../src/server/clients/register.ts'
import type { ResourceServer, StaticClient } from '../../src/server/config/context.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { createTestContext, RESOURCE } from '../support/context.ts'
import { basic, errorOf, form, post } from './support.ts'

const SECRET = 'correct horse battery staple 0123456789'
const POLICY = { privateUseSchemes: true, redirectHosts: undefined, allowHttp: false }
type Method = 'none' | 'client_secret_basic' | 'client_secret_post'

function metadata(token_endpoint_auth_method: Method) {
  const redirect_uris = ['https://client.example/cb']
  return parseRegistration({ redirect_uris, token_endpoint_auth_method }, POLICY)
}

function written(client_id: string, method: Method, secret?: string): [string, StaticClient] {
  const client_secret_hash = secret === undefined ? undefined : sha256(secret)
  return [client_id, { client_id, metadata: metadata(method), client_secret_hash }]
}

const ODD_SECRET = 'a%b+c:d e&f=é"\\😀'

function setUp() {
  return createTestContext({
    config: {
      clients: new Map([
        written('public', 'none'),
        written('basic', 'client_secret_basic', SECRET),
        written('post', 'client_secret_post', SECRET),
        written('odd', 'client_secret_basic', ODD_SECRET),
        written('a:b c', 'client_secret_basic', SECRET),
        written('hashless', 'client_secret_post'),
      ]),
      resourceServers: new Map<string, ResourceServer>([
        ['rs', { client_id: 'rs', client_secret_hash: sha256(SECRET), resource: RESOURCE }],
      ]),
    },
  })
}

function raw(value: string): readonly string[] {
  return ['Authorization', value]
}

function base64(text: string | Uint8Array): string {
  return Buffer.from(text as string).toString('base64')
}

describe('authenticateClient', () => {
  it('§2.3 each method lets its client in', async () => {
    const { context } = setUp()
    const ids = await Promise.all([
      authenticateClient(context, post({}), form({ client_id: 'public' })),
      authenticateClient(context, post({ headers: basic('basic', SECRET) }), form({})),
      authenticateClient(
        context,
        post({ headers: basic('basic', SECRET) }),
        form({ client_id: 'basic' }),
      ),
      authenticateClient(context, post({}), form({ client_id: 'post', client_secret: SECRET })),
    ])
    expect(ids.map(({ client_id }) => client_id)).toEqual(['public', 'basic', 'basic', 'post'])
  })

  it('§2.3 registered clients get in with the secret that registration showed', async () => {
    const { context } = setUp()
    for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
      const { client_id, client_secret = '' } = await registerClient(context, metadata(method))
      const shown =
        method === 'client_secret_basic'
          ? ([post({ headers: basic(client_id, client_secret) }), form({})] as const)
          : ([post({}), form({ client_id, client_secret })] as const)
      expect((await authenticateClient(context, ...shown)).client_id).toBe(client_id)
    }
  })

  it('TK-15 two methods at once are refused, even when each is right', async () => {
    const { context } = setUp()
    const headers = basic('basic', SECRET)
    const assertion = { client_assertion: 'a.b.c', client_assertion_type: 'x' }
    const cases = [
      [{ headers }, { client_secret: SECRET }],
      [{ headers }, { client_id: 'basic', client_secret: 'other' }],
      [{ headers }, assertion],
      [{}, { client_id: 'post', client_secret: SECRET, ...assertion }],
      [{ headers: [...headers, ...headers] }, {}],
    ] as const
    for (const [sent, parameters] of cases) {
      const error = await errorOf(authenticateClient(context, post(sent), form(parameters)))
      expect([error.code, error.status]).toEqual(['invalid_request', 400])
    }
  })

  it('TK-15 Basic with the id of another client in the body is refused', async () => {
    const { context } = setUp()
    const request = post({ headers: basic('basic', SECRET) })
    const error = await errorOf(authenticateClient(context, request, form({ client_id: 'post' })))
    expect([error.code, error.status]).toEqual(['invalid_client', 401])
  })

  it('TK-16 a confidential client without, with an empty or with a wrong secret is refused', async () => {
    const { context } = setUp()
    const wrong = ['wrong', SECRET.slice(0, -1), `${SECRET}x`, 'undefined', 'null', sha256(SECRET)]
    for (const secret of [...wrong, sha256(sha256(SECRET)), SECRET.toUpperCase()]) {
      const asPost = form({ client_id: 'post', client_secret: secret })
      const inBody = await errorOf(authenticateClient(context, post({}), asPost))
      expect([inBody.code, inBody.status]).toEqual(['invalid_client', 401])
      expect(inBody.headers).toEqual({})
      const asBasic = post({ headers: basic('basic', secret) })
      const inHeader = await errorOf(authenticateClient(context, asBasic, form({})))
      expect([inHeader.code, inHeader.status]).toEqual(['invalid_client', 401])
      // RFC 6749 §5.2
      expect(inHeader.headers).toEqual({ 'www-authenticate': 'Basic realm="oauth"' })
    }
    for (const client_id of ['basic', 'post']) {
      for (const client_secret of [undefined, '']) {
        const parameters =
          client_secret === undefined ? { client_id } : { client_id, client_secret }
        const error = await errorOf(authenticateClient(context, post({}), form(parameters)))
        expect([error.code, error.status]).toEqual(['invalid_client', 401])
      }
    }
  })

  it('TK-16 a secret of nothing never opens a client that has none', async () => {
    const { context } = setUp()
    for (const secret of ['', 'undefined', sha256('')]) {
      const hashless = form({ client_id: 'hashless', client_secret: secret || 'x' })
      const inBody = await errorOf(authenticateClient(context, post({}), hashless))
      expect(inBody.code).toBe('invalid_client')
      for (const client_id of ['public', 'unknown']) {
        const headers = raw(`Basic ${base64(`${client_id}:${secret}`)}`)
        const error = await errorOf(authenticateClient(context, post({ headers }), form({})))
        expect(error.code).toBe('invalid_client')
      }
    }
  })

  it('RFC 7591 §2 the method is the registered one and no other', async () => {
    const { context } = setUp()
    const asPost = form({ client_id: 'basic', client_secret: SECRET })
    const asBasic = post({ headers: basic('post', SECRET) })
    const withSecret = form({ client_id: 'public', client_secret: SECRET })
    for (const work of [
      authenticateClient(context, post({}), asPost),
      authenticateClient(context, asBasic, form({})),
      authenticateClient(context, post({}), withSecret),
    ]) {
      const error = await errorOf(work)
      expect([error.code, error.status]).toEqual(['invalid_client', 401])
    }
  })

  it('TK-32 unknown client, wrong secret and wrong method sound alike', async () => {
    const { context } = setUp()
    const answers = [
      { client_id: 'unknown', client_secret: 'x' },
      { client_id: 'https://client.example/c', client_secret: 'x' },
      { client_id: 'https://127.0.0.1/c', client_secret: 'x' },
      { client_id: 'post', client_secret: 'x' },
      { client_id: 'basic', client_secret: SECRET },
      { client_id: 'post' },
      { client_id: '\u0001', client_secret: 'x' },
      {},
    ].map(async (parameters) => {
      const { code, status, description, headers } = await errorOf(
        authenticateClient(context, post({}), form(parameters)),
      )
      return JSON.stringify([code, status, description, headers])
    })
    expect(new Set(await Promise.all(answers)).size).toBe(1)
  })

  const MALFORMED: readonly string[] = [
    '',
    ' ',
    'Basic',
    'Basic ',
    'Basic !!!!',
    `Basic ${base64('nocolon')}`,
    `Basic ${base64(':')}`,
    `Basic ${base64(':secret')}`,
    `Basic ${base64('basic:')}`,
    `Basic ${base64('%zz:secret')}`,
    `Basic ${base64('basic:%')}`,
    `Basic ${base64('basic:%ff')}`,
    `Basic ${base64(Buffer.from([0xff, 0xfe, 0x3a, 0xff]))}`,
    `Basic ${base64('a:b:c')}`,
    `Basic ${base64('basic:x')} ${base64('basic:x')}`,
    `Basic ${base64(`basic:${SECRET}`)},Basic x`,
    `Basic\t${base64('basic:x')}`,
    `Basic ${'A'.repeat(20_000)}`,
    `Basic\0${base64('basic:x')}`,
    'Bearer',
    'Bearer abc',
    'Digest username="a"',
    'é',
    'basic:secret',
  ]
  it.each(MALFORMED)('TK-17 the Authorization %j is 401 with a challenge', async (value) => {
    const { context } = setUp()
    const request = post({ headers: raw(value) })
    const error = await errorOf(authenticateClient(context, request, form({ client_id: 'public' })))
    expect([error.code, error.status]).toEqual(['invalid_client', 401])
    expect(error.headers).toEqual({ 'www-authenticate': 'Basic realm="oauth"' })
  })

  it('TK-28 both halves of Basic are form-encoded, and the first colon parts them', async () => {
    const { context } = setUp()
    const odd = post({ headers: basic('odd', ODD_SECRET) })
    expect((await authenticateClient(context, odd, form({}))).client_id).toBe('odd')
    const colon = post({ headers: basic('a:b c', SECRET) })
    expect((await authenticateClient(context, colon, form({}))).client_id).toBe('a:b c')
    const lowerCase = post({
      headers: ['authorization', basic('basic', SECRET)[1]?.replace('Basic', 'basic') ?? ''],
    })
    expect((await authenticateClient(context, lowerCase, form({}))).client_id).toBe('basic')
  })

  it('TK-28 a secret that is not encoded is another secret', async () => {
    const { context } = setUp()
    for (const encoding of ['utf8', 'latin1'] as const) {
      const pair = Buffer.from(`odd:${ODD_SECRET}`, encoding)
      const request = post({ headers: raw(`Basic ${pair.toString('base64')}`) })
      const error = await errorOf(authenticateClient(context, request, form({})))
      expect([error.code, error.status]).toEqual(['invalid_client', 401])
    }
  })

  it('no refusal carries a secret', async () => {
    const { context, events } = setUp()
    const error = await errorOf(
      authenticateClient(context, post({ headers: basic('basic', 'hunter2hunter2') }), form({})),
    )
    expect(JSON.stringify([error, error.stack, events])).not.toContain('hunter2')
  })

  it('an outage of the store is an outage, not a wrong secret', async () => {
    const { context } = setUp()
    await context.store.close()
    const asked = form({ client_id: 'registered', client_secret: 'x' })
    await expect(authenticateClient(context, post({}), asked)).rejects.toThrow(StoreUnavailable)
  })
})

describe('authenticateResourceServer', () => {
  it('RFC 7662 §2.1 lets a resource server in by Basic or in the body', async () => {
    const { context } = setUp()
    const byBasic = post({ headers: basic('rs', SECRET) })
    expect((await authenticateResourceServer(context, byBasic, form({}))).resource).toBe(RESOURCE)
    const inBody = form({ client_id: 'rs', client_secret: SECRET })
    expect((await authenticateResourceServer(context, post({}), inBody)).resource).toBe(RESOURCE)
  })

  it('RFC 7662 §4 nobody else gets in, not even a client with its secret', async () => {
    const { context } = setUp()
    const cases = [
      [{}, {}],
      [{}, { client_id: 'rs' }],
      [{}, { client_id: 'rs', client_secret: 'wrong' }],
      [{}, { client_id: 'basic', client_secret: SECRET }],
      [{ headers: basic('basic', SECRET) }, {}],
      [{ headers: basic('rs', 'wrong') }, {}],
      [{ headers: raw('Bearer abc') }, {}],
      [{}, { client_id: '__proto__', client_secret: SECRET }],
    ] as const
    for (const [sent, parameters] of cases) {
      const work = authenticateResourceServer(context, post(sent), form(parameters))
      const error = await errorOf(work)
      expect([error.code, error.status]).toEqual(['invalid_client', 401])
    }
  })

  it('a resource server is no client', async () => {
    const { context } = setUp()
    const request = post({ headers: basic('rs', SECRET) })
    expect((await errorOf(authenticateClient(context, request, form({})))).status).toBe(401)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeClientIdUrl, isClientIdUrl } from '../../src/protocol/client_id_url.ts'
import {
  parseMetadataDocument,
  parseRegistration,
  type ClientMetadata,
} from '../../src/protocol/client_metadata.ts'
import type { ClientPolicy } from '../../src/protocol/client_redirects.ts'
import { OAuthError } from '../../src/protocol/errors.ts'
import { parseJsonDocument } from '../../src/protocol/json_document.ts'

const POLICY: ClientPolicy = { privateUseSchemes: true, redirectHosts: undefined, allowHttp: false }
const CLIENT_ID = 'https://client.example/oauth/client.json'
const CALLBACK = 'https://client.example/cb'
const EC = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: '1' }

function register(members: object, policy: Partial<ClientPolicy> = {}): ClientMetadata {
  return parseRegistration({ redirect_uris: [CALLBACK], ...members }, { ...POLICY, ...policy })
}

function document(members: object, policy: Partial<ClientPolicy> = {}): ClientMetadata {
  const value = { client_id: CLIENT_ID, client_name: 'C', redirect_uris: [CALLBACK], ...members }
  return parseMetadataDocument(value, CLIENT_ID, { ...POLICY, ...policy })
}

function refusal(work: () => unknown): OAuthError {
  try {
    work()
  } catch (error) {
    if (error instanceof OAuthError) return error
    throw error
  }
  throw new Error('it was let through')
}

const codeOf = (work: () => unknown): string => refusal(work).code
const redirects = (uris: unknown, members: object = {}) =>
  register({ redirect_uris: uris, ...members }).redirect_uris

describe('RFC 7591 §2 client metadata', () => {
  it('§2 has the defaults of the RFC where nothing is said', () => {
    expect(register({})).toEqual({
      client_name: undefined,
      client_uri: undefined,
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      application_type: undefined,
      scope: undefined,
      jwks: undefined,
      jwks_uri: undefined,
      software_id: undefined,
      software_version: undefined,
    })
  })

  it('§2 keeps what it knows and leaves out the rest', () => {
    const metadata = register({
      client_name: 'Name',
      client_uri: 'https://client.example',
      logo_uri: 'https://client.example/logo.png',
      'client_name#ja': '名',
      contacts: ['a@client.example'],
      unknown: { deep: [1] },
      request_uris: ['https://client.example/r'],
      scope: 'a  b a',
      software_id: 'id',
      software_version: '1',
    })
    expect(metadata).toMatchObject({
      client_name: 'Name',
      client_uri: 'https://client.example',
      scope: 'a b',
      software_id: 'id',
      software_version: '1',
    })
    expect(Object.keys(metadata)).toHaveLength(12)
  })

  const WRONG: readonly (readonly [string, readonly unknown[]])[] = [
    ['redirect_uris', ['https://a.example', 1, true, {}, [1], [null], [['https://a.example']]]],
    ['client_name', [1, {}, ['a'], false]],
    ['client_uri', [1, {}, []]],
    ['logo_uri', [1, {}, []]],
    ['tos_uri', [1, {}, []]],
    ['policy_uri', [1, {}, []]],
    ['jwks_uri', [1, {}, []]],
    ['jwks', [1, 'x', [], {}, { keys: {} }, { keys: [1] }, { keys: [{}] }, { keys: [{ kty: 1 }] }]],
    ['scope', [1, ['a'], {}]],
    ['contacts', ['a@b.example', [1], {}]],
    ['grant_types', ['authorization_code', [1], {}, [['authorization_code']]]],
    ['response_types', ['code', [1], {}]],
    ['token_endpoint_auth_method', [1, ['none'], {}]],
    ['application_type', [1, 'desktop', {}]],
    ['software_id', [1, {}, 'x'.repeat(201)]],
    ['software_version', [1, {}, 'x'.repeat(201)]],
  ]
  it.each(WRONG)('RG-07 a %s of the wrong type is invalid_client_metadata', (name, values) => {
    for (const value of values) {
      expect([value, codeOf(() => register({ [name]: value }))]).toEqual([
        value,
        'invalid_client_metadata',
      ])
    }
  })

  it.each([[null], [[]], ['x'], [1], [true], [undefined]])('RG-07 %j is no metadata', (value) => {
    expect(codeOf(() => parseRegistration(value, POLICY))).toBe('invalid_client_metadata')
  })

  it('RG-07 treats a null as absent', () => {
    const names = WRONG.map(([name]) => name).filter((name) => name !== 'redirect_uris')
    const nulls = Object.fromEntries(names.map((name) => [name, null]))
    expect(register({ ...nulls, software_statement: null })).toEqual(register({}))
    expect(codeOf(() => register({ redirect_uris: null }))).toBe('invalid_redirect_uri')
  })

  it('RG-16 prototype-pollution keys do nothing', () => {
    const text =
      `{"redirect_uris":["${CALLBACK}"],"__proto__":{"client_name":"polluted","scope":"x"},` +
      `"constructor":{"prototype":{"client_name":"polluted"}},"jwks":{"keys":[{"kty":"EC","__proto__":{"d":"1"}}]}}`
    const parsed = parseJsonDocument(Buffer.from(text))
    const metadata = parseRegistration(parsed?.value, POLICY)
    expect(metadata.client_name).toBeUndefined()
    expect(metadata.scope).toBeUndefined()
    expect(metadata.jwks?.keys).toEqual([{ kty: 'EC' }])
    expect(({} as { client_name?: unknown }).client_name).toBeUndefined()
    const empty = parseJsonDocument(Buffer.from(`{"__proto__":{"redirect_uris":["${CALLBACK}"]}}`))
    expect(codeOf(() => parseRegistration(empty?.value, POLICY))).toBe('invalid_redirect_uri')
  })

  it('RG-17 drops grants and response types it does not know as long as a known one remains', () => {
    const { grant_types, response_types } = register({
      grant_types: ['urn:evil', 'implicit', 'refresh_token', 'authorization_code', 'password'],
      response_types: ['token', 'code'],
    })
    expect(grant_types).toEqual(['authorization_code', 'refresh_token'])
    expect(response_types).toEqual(['code'])
  })

  it.each([
    [{ grant_types: ['password'] }],
    [{ grant_types: ['implicit'], response_types: ['token'] }],
    [{ grant_types: ['refresh_token'] }],
    [{ grant_types: ['client_credentials'] }],
    [{ grant_types: [] }],
    [{ grant_types: ['Authorization_Code'] }],
    [{ response_types: ['token'] }],
    [{ response_types: ['code token'] }],
    [{ response_types: [] }],
  ])('RG-17 %j is refused', (members) => {
    expect(codeOf(() => register(members))).toBe('invalid_client_metadata')
  })

  it('RG-11 leaves out a link that is no web address', () => {
    const links = [
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc',
      'http://a b',
      '//x',
      '',
    ]
    for (const link of [...links, 'https://user@host.example', 'https://\\host']) {
      const uris = { client_uri: link, logo_uri: link, tos_uri: link, policy_uri: link }
      expect(register(uris).client_uri).toBeUndefined()
    }
  })

  it.each([
    ['javascript:alert(1)'],
    ['data:application/json,{}'],
    ['http://client.example/jwks'],
    ['https://user@client.example/jwks'],
    ['https://client.example/jwks#x'],
    ['/jwks'],
    [''],
  ])('RG-11 the jwks_uri %j is refused', (jwks_uri) => {
    expect(codeOf(() => register({ jwks_uri }))).toBe('invalid_client_metadata')
  })

  it('RG-11 lets jwks_uri be http only where private addresses are allowed', () => {
    const jwks_uri = 'http://127.0.0.1:1234/jwks'
    expect(codeOf(() => register({ jwks_uri }))).toBe('invalid_client_metadata')
    expect(register({ jwks_uri }, { allowHttp: true }).jwks_uri).toBe(jwks_uri)
  })

  it('RG-19 keeps the public members of keys only', () => {
    const { jwks } = register({ jwks: { keys: [{ ...EC, x5c: ['...'], evil: { a: 1 } }] } })
    expect(jwks).toEqual({ keys: [EC] })
  })

  it.each([
    ['a private EC key', { jwks: { keys: [{ ...EC, d: 'secret' }] } }],
    ['a private key whose d is null', { jwks: { keys: [{ ...EC, d: null }] } }],
    ['a private RSA key', { jwks: { keys: [{ kty: 'RSA', n: 'n', e: 'AQAB', p: 'p', q: 'q' }] } }],
    ['a multi-prime RSA key', { jwks: { keys: [{ kty: 'RSA', n: 'n', e: 'AQAB', oth: [] }] } }],
    ['an oct key', { jwks: { keys: [{ kty: 'oct', k: 'secret' }] } }],
    ['an oct key without a value', { jwks: { keys: [{ kty: 'oct' }] } }],
    ['a second key that is private', { jwks: { keys: [EC, { ...EC, d: 'secret' }] } }],
    ['both', { jwks: { keys: [EC] }, jwks_uri: 'https://client.example/jwks' }],
    ['no key', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['51 keys', { jwks: { keys: Array.from({ length: 51 }, () => EC) } }],
  ])('RG-19 %s is refused', (_, members) => {
    const error = refusal(() => register(members))
    expect(error.code).toBe('invalid_client_metadata')
    expect(`${error.message} ${error.reason}`).not.toContain('secret')
  })

  it('RG-23 cleans and cuts the name', () => {
    const name = (client_name: string) => register({ client_name }).client_name
    expect(name('Cla\u202eedu\u200b\0de\u2066')).toBe('Claedude')
    expect(name('  two\r\nlines\t ')).toBe('two lines')
    expect(name('\u200b\u2060\0')).toBeUndefined()
    expect([...(name('é'.repeat(20_000)) ?? '')]).toHaveLength(100)
    expect([...(name('😀'.repeat(20_000)) ?? '')]).toHaveLength(100)
    expect(name('Клод ☂ 名')).toBe('Клод ☂ 名')
  })

  it.each([
    ['an unsigned one', 'eyJhbGciOiJub25lIn0.eyJjbGllbnRfbmFtZSI6IkNsYXVkZSJ9.'],
    ['none at all', ''],
    ['an object', {}],
  ])('RG-28 a software statement is refused: %s', (_, software_statement) => {
    expect(codeOf(() => register({ software_statement }))).toBe('invalid_software_statement')
    expect(codeOf(() => document({ software_statement }))).toBe('invalid_software_statement')
  })

  it.each([['tls_client_auth'], ['client_secret_jwt'], ['None'], ['']])(
    '§2 the method %j is refused',
    (token_endpoint_auth_method) => {
      expect(codeOf(() => register({ token_endpoint_auth_method }))).toBe('invalid_client_metadata')
    },
  )

  it.each([['a"b'], ['a\\b'], ['é'], ['a\nb'], ['x'.repeat(5000)]])(
    '§2 the scope %j is refused',
    (scope) => {
      expect(codeOf(() => register({ scope }))).toBe('invalid_client_metadata')
    },
  )
})

describe('RFC 7591 §2 redirect_uris', () => {
  it('RG-06 none is refused', () => {
    expect(codeOf(() => parseRegistration({}, POLICY))).toBe('invalid_redirect_uri')
    expect(codeOf(() => redirects([]))).toBe('invalid_redirect_uri')
  })

  it.each([
    [
      'RG-02',
      ['http://public.example/cb', 'http://10.0.0.1/cb', 'ftp://a.example/cb', 'ws://a/cb'],
    ],
    ['RG-03', ['https://ok.example/cb#frag', 'https://ok.example/cb#']],
    ['RG-04', ['https://accounts.google.com:x@evil.example/cb', 'https://@evil.example/cb']],
    ['RG-05', ['https://*.x.example/cb', 'https://x.example/*', '*']],
    [
      'RG-08',
      [
        '/cb',
        '//ok.example/cb',
        'https:///cb',
        'http://[::1',
        '',
        ' ',
        ' https://ok.example/cb',
        'https://ok.example/cb\r\n',
        'https://ok.example/\0',
        'https://ok.example\\@evil.example',
        'https://evil.example\\.ok.example',
      ],
    ],
    [
      'RG-24',
      [
        'http://localhost.attacker.example/cb',
        'http://127.0.0.1@attacker.example/cb',
        'http://0.0.0.0/cb',
        'http://[::]/cb',
        'http://1270.0.0.1/cb',
        'http://127.1/cb',
        'http://localhost:99999/cb',
      ],
    ],
    ['RG-11', ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', 'blob:https://a/b']],
  ])('%s bad ones are refused, and named so', (_, uris) => {
    for (const uri of uris) {
      const error = refusal(() => redirects([uri], { application_type: 'native' }))
      expect([uri, error.code]).toEqual([uri, 'invalid_redirect_uri'])
      expect(error.description).toMatch(/^a redirect URI (is|has) /)
      expect(error.description).toMatch(/^[\x20-\x7e]+$/)
    }
  })

  it('§3.2.1 keeps the good ones beside bad ones, each once', () => {
    const uris = ['http://evil.example/cb', CALLBACK, 'javascript:alert(1)', CALLBACK, 'x']
    expect(redirects(uris)).toEqual([CALLBACK])
  })

  it('§5 takes ten and not eleven', () => {
    const uris = Array.from({ length: 11 }, (_, index) => `https://a.example/${index}`)
    expect(redirects(uris.slice(1))).toHaveLength(10)
    expect(codeOf(() => redirects(uris))).toBe('invalid_redirect_uri')
  })

  it('RG-36 a web client has https only, a native one loopback and private-use schemes too', () => {
    const native = ['http://127.0.0.1/cb', 'com.example.app:/cb', 'cursor://x.y/cb', CALLBACK]
    expect(redirects(native, { application_type: 'native' })).toEqual(native)
    expect(redirects(native, { application_type: 'web' })).toEqual([CALLBACK])
    for (const uri of native.slice(0, 3)) {
      const error = refusal(() => redirects([uri], { application_type: 'web' }))
      expect(error.code).toBe('invalid_redirect_uri')
    }
  })

  it('RG-36 a client that does not say its type may have both', () => {
    const mixed = ['http://127.0.0.1/cb', 'com.example.app:/cb', CALLBACK]
    expect(redirects(mixed)).toEqual(mixed)
  })

  it('§5 follows the policy for private-use schemes', () => {
    const uris = ['cursor://anysphere.cursor-mcp/cb', CALLBACK]
    expect(register({ redirect_uris: uris }, { privateUseSchemes: false }).redirect_uris).toEqual([
      CALLBACK,
    ])
  })

  it('§5 follows the policy for hosts, which loopback is not touched by', () => {
    const policy = { redirectHosts: ['claude.ai'] }
    const uris = [
      'https://claude.ai/cb',
      'https://claude.ai:8443/cb',
      'https://claude.ai.evil.example/cb',
      'https://evil.example/claude.ai',
      'http://localhost/cb',
    ]
    expect(register({ redirect_uris: uris }, policy).redirect_uris).toEqual([
      'https://claude.ai/cb',
      'https://claude.ai:8443/cb',
      'http://localhost/cb',
    ])
    expect(codeOf(() => register({}, policy))).toBe('invalid_redirect_uri')
    expect(codeOf(() => document({}, policy))).toBe('invalid_redirect_uri')
  })

  it('RG-02 whatever passes is https, loopback or private-use, and registers again as it stands', () => {
    const scheme = fc.constantFrom(
      'https',
      'http',
      'javascript',
      'data',
      'cursor',
      'com.a.b',
      'HTTP',
    )
    const host = fc.constantFrom('localhost', '127.0.0.1', '[::1]', 'a.example', '10.0.0.1', '')
    const rest = fc.string({ unit: 'binary-ascii', maxLength: 12 })
    const uri = fc.tuple(scheme, fc.constantFrom(':', '://', ':/'), host, rest)
    fc.assert(
      fc.property(uri, fc.webUrl(), ([a, b, c, d], url) => {
        for (const text of [a + b + c + d, url]) {
          let kept: readonly string[]
          try {
            kept = redirects([text])
          } catch (error) {
            expect(error).toBeInstanceOf(OAuthError)
            continue
          }
          expect(redirects(kept)).toEqual([text])
          const { protocol, hostname } = new URL(text)
          if (protocol === 'http:') expect(['localhost', '127.0.0.1', '[::1]']).toContain(hostname)
          expect(['javascript:', 'data:']).not.toContain(protocol)
        }
      }),
    )
  })
})

describe('CIMD §4 the document', () => {
  it('CI-20 a valid document gives its metadata', () => {
    expect(document({}).token_endpoint_auth_method).toBe('none')
  })

  it.each([
    ['another URL', 'https://client.example/other.json'],
    ['missing', undefined],
    ['null', null],
    ['another case', 'https://client.example/oauth/Client.json'],
    ['a query more', `${CLIENT_ID}?x=1`],
    ['the default port', 'https://client.example:443/oauth/client.json'],
    ['a slash more', `${CLIENT_ID}/`],
    ['a list', [CLIENT_ID]],
  ])('CI-21 client_id is the URL to the byte: %s', (_, client_id) => {
    expect(codeOf(() => document({ client_id }))).toBe('invalid_client_metadata')
  })

  it.each([
    ['a secret', { client_secret: 'x' }],
    ['the expiry of a secret', { client_secret_expires_at: 0 }],
    ['client_secret_basic', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['client_secret_post', { token_endpoint_auth_method: 'client_secret_post' }],
    ['client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }],
    [
      'client_secret_basic beside none',
      {
        token_endpoint_auth_method: 'client_secret_basic',
        token_endpoint_auth_methods_supported: ['none'],
      },
    ],
    ['an oct key', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }],
    ['a private key', { jwks: { keys: [{ ...EC, d: 'x' }] } }],
  ])('CI-27 %s is refused', (_, members) => {
    expect(codeOf(() => document(members))).toBe('invalid_client_metadata')
  })

  it('§4 client_name is required, as MCP has it', () => {
    expect(codeOf(() => document({ client_name: undefined }))).toBe('invalid_client_metadata')
  })

  const jwks_uri = 'https://client.example/jwks'
  it.each([
    ['nothing', {}, 'none'],
    ['none', { token_endpoint_auth_method: 'none' }, 'none'],
    ['keys', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri }, 'private_key_jwt'],
    [
      'keys, and none as another way',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
        jwks_uri,
      },
      'private_key_jwt',
    ],
    [
      'only the plural, with keys',
      { token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'], jwks_uri },
      'private_key_jwt',
    ],
    ['only the plural', { token_endpoint_auth_methods_supported: ['none'] }, 'none'],
    [
      'keys, and a plural without them',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none'],
        jwks_uri,
      },
      'private_key_jwt',
    ],
    [
      'something unknown, and none as another way',
      {
        token_endpoint_auth_method: 'tls_client_auth',
        token_endpoint_auth_methods_supported: ['none', 'tls_client_auth'],
      },
      'none',
    ],
  ])('§6.2 a client that says %s authenticates so', (_, members, method) => {
    expect(document(members).token_endpoint_auth_method).toBe(method)
  })

  it.each([
    [{ token_endpoint_auth_method: 'tls_client_auth' }],
    [{ token_endpoint_auth_methods_supported: [] }],
    [{ token_endpoint_auth_methods_supported: ['client_secret_basic'] }],
    [{ token_endpoint_auth_method: 'private_key_jwt' }],
    [
      {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      },
    ],
  ])(
    '§6.2 a client that cannot authenticate as it says is never taken for a public one: %j',
    (m) => {
      expect(codeOf(() => document(m))).toBe('invalid_client_metadata')
    },
  )
})

describe('CIMD §3 the URL', () => {
  it.each([
    [CLIENT_ID],
    ['https://client.example:8443/c'],
    ['https://client.example/c?v=1'],
    ['https://xn--bcher-kva.example/c.json'],
    ['https://client.example/a/..b/c.'],
  ])('CI-20 %s can name a document', (url) => {
    expect(judgeClientIdUrl(url, false)).toBeUndefined()
  })

  it.each([
    ['https://client.example'],
    ['https://client.example/'],
    ['https://client.example?x'],
    ['https://user@client.example/c'],
    ['https://user:pass@client.example/c'],
    ['https://@client.example/c'],
    ['https://client.example/c#f'],
    ['https://client.example/c#'],
    ['https://client.example/a/../c'],
    ['https://client.example/a/./c'],
    ['https://client.example/a/..'],
    ['https://client.example/a/%2e%2e/c'],
    ['https://client.example/a/%2E./c'],
    ['https://client.example/a/.?x'],
    ['https://client.example\\c'],
    ['https:/client.example/c'],
    ['https:///client.example/c'],
    [' https://client.example/c'],
    ['https://client.example/c\n'],
    ['https://client.example/\tc'],
    ['https://client.example/c d'],
    ['http://client.example/c'],
    ['http://127.0.0.1/c'],
    ['https:client.example/c'],
    ['https://client.example:99999/c'],
    ['https://client.example:/c'],
    ['https://[::1/c'],
  ])('CI-03 %j cannot', (url) => {
    expect(judgeClientIdUrl(url, false)).toBeDefined()
  })

  it.each([
    ['https://2130706433/c'],
    ['https://0x7f000001/c'],
    ['https://0177.0.0.1/c'],
    ['https://127.1/c'],
    ['https://0/c'],
    ['https://①②⑦.⓪.⓪.①/c'],
    ['https://[::ffff:127.0.0.1]/c'],
    ['https://[0:0:0:0:0:0:0:1]/c'],
  ])('CI-01 %s, an address in disguise, is refused by its spelling', (url) => {
    expect(judgeClientIdUrl(url, false)).toBeDefined()
  })

  it.each([
    ['HTTPS://client.example/c'],
    ['https://CLIENT.example/c'],
    ['https://client.example:443/c'],
    ['https://bücher.example/c'],
    ['https://client.example/ü'],
  ])('CI-38 %s is not the one spelling of a URL', (url) => {
    expect(judgeClientIdUrl(url, false)).toBeDefined()
  })

  it('CI-47 a URL of more than 2000 characters is refused', () => {
    const long = `https://client.example/${'a'.repeat(1977)}`
    expect(judgeClientIdUrl(long, false)).toBeUndefined()
    expect(judgeClientIdUrl(`${long}a`, false)).toBeDefined()
  })

  it('CI-48 http is for loopback alone, and only where it is switched on', () => {
    expect(judgeClientIdUrl('http://127.0.0.1:8080/c', true)).toBeUndefined()
    expect(judgeClientIdUrl('http://localhost:8080/c', true)).toBeUndefined()
    expect(judgeClientIdUrl('http://[::1]:8080/c', true)).toBeUndefined()
    expect(judgeClientIdUrl('http://client.example/c', true)).toBeDefined()
    expect(judgeClientIdUrl('http://127.0.0.1.evil.example/c', true)).toBeDefined()
  })

  it('CI-49 the beginning alone tells a URL from an opaque id', () => {
    for (const url of ['https://a/b', 'HTTPS:x', 'http://a', 'https:']) {
      expect(isClientIdUrl(url)).toBe(true)
    }
    for (const id of ['abc', 'httpsx', ' https://a/b', 'xhttps://a/b', 'ftp://a', '']) {
      expect(isClientIdUrl(id)).toBe(false)
    }
  })

  it('CI-03 what passes is fetched as it is spelt', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string()), (text) => {
        if (judgeClientIdUrl(text, false) !== undefined) return
        const url = new URL(text)
        expect(url.href).toBe(text)
        expect([url.protocol, url.username, url.password, url.hash]).toEqual(['https:', '', '', ''])
      }),
    )
  })

  it('DS-02 long repetitive ids take no time', () => {
    const began = process.hrtime.bigint()
    for (const part of ['a', '.', '/', '/.', '%2e', '-', 'a.', ':1']) {
      judgeClientIdUrl(`https://${part.repeat(30_000)}`, false)
      judgeClientIdUrl(`https://a/${part.repeat(900)}`, false)
    }
    expect(Number(process.hrtime.bigint() - began) / 1e9).toBeLessThan(2)
  })
})

/**
 * The options: judged once, every fault told at once, each with the option and its rule.
 */
import { describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { randomId } from '../../src/crypto/random.ts'
import { judgeOptions, OptionsError } from '../../src/server/config/judge.ts'
import {
  LIFETIMES,
  MAX_GRANTS_PER_CLIENT,
  METADATA_DOCUMENTS,
  RATE_LIMITS,
  REGISTRATION,
} from '../../src/server/config/defaults.ts'
import type { Options } from '../../src/server/config/options.ts'
import { createMcpOAuth } from '../../src/server/server.ts'
import { makeAccessToken, readAccessToken } from '../../src/server/tokens/access_token.ts'
import { memory } from '../../src/stores/memory.ts'
import type { User } from '../../src/stores/records.ts'
import { START, testUpstream } from '../support/context.ts'

const SECRET = 'a-secret-that-is-long-enough-0123456789'
const GOOD: Options = {
  issuer: 'https://mcp.example.com',
  resource: 'https://mcp.example.com/mcp',
  keys: generateKey(),
  store: memory(),
  upstream: testUpstream(),
}

/** As JavaScript would call it, where no type stops anybody. */
function faultsOf(options: object): readonly string[] {
  try {
    judgeOptions({ ...GOOD, ...options } as Options)
    return []
  } catch (error) {
    if (error instanceof OptionsError) return error.faults
    throw error
  }
}

describe('what is right', () => {
  it('SC-07 the defaults are the safe ones, and none of them moves unnoticed', () => {
    const { config, dangers } = judgeOptions(GOOD)
    expect(dangers).toEqual([])
    expect(config).toMatchObject({
      secure: true,
      basePath: '',
      trustedProxies: [],
      allowedOrigins: [],
      registration: {
        dynamic: true,
        unusedLifetime: 86_400,
        maxPerHour: 10_000,
        redirectHosts: undefined,
      },
      metadataDocuments: { dangerouslyAllowPrivateAddresses: false },
      lifetimes: {
        accessToken: 3600,
        refreshTokenIdle: 2_592_000,
        refreshTokenAbsolute: 31_536_000,
        code: 60,
        signIn: 600,
        replayWindow: 60,
      },
      rateLimits: { authorize: 120, token: 600, register: 60, introspect: 6000 },
      maxGrantsPerClient: MAX_GRANTS_PER_CLIENT,
    })
    expect(config.lifetimes).toEqual(LIFETIMES)
    expect(config.rateLimits).toEqual(RATE_LIMITS)
    expect(config.registration).toEqual(REGISTRATION)
    expect(config.metadataDocuments).toEqual(METADATA_DOCUMENTS)
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('an issuer with a path, several resources, scopes that imply others', () => {
    const { config } = judgeOptions({
      issuer: 'https://mcp.example.com/t1',
      resources: [
        'https://mcp.example.com/a',
        { resource: 'https://MCP.example.com/b', scopes: ['read'] },
      ],
      keys: [generateKey(), generateKey()],
      store: memory(),
      upstream: testUpstream(),
      scopes: {
        admin: { description: 'Everything', implies: ['write'] },
        write: { description: 'Change', implies: ['read'] },
        read: 'Read',
      },
    })
    expect([config.origin, config.basePath]).toEqual(['https://mcp.example.com', '/t1'])
    expect(config.resources.map(({ resource }) => resource)).toEqual([
      'https://mcp.example.com/a',
      'https://mcp.example.com/b',
    ])
    expect(config.hierarchy.get('admin')).toEqual(['write', 'read'])
    expect(config.hierarchy.has('read')).toBe(false)
    expect(config.defaultScope).toEqual(['admin', 'write', 'read'])
  })

  it('scopes that imply each other end somewhere', () => {
    const { config } = judgeOptions({
      ...GOOD,
      scopes: {
        a: { description: 'A', implies: ['b'] },
        b: { description: 'B', implies: ['a'] },
      },
    })
    expect(config.hierarchy.get('a')).toEqual(['b'])
  })

  it('GD-34 a resource and scopes as long as a token has room for, and not a character more', () => {
    const scopesOf = (length: number) =>
      Object.fromEntries(
        Array.from({ length: 100 }, (_, at) => [
          `${at}`.padEnd(at === 0 ? length - 99 * 29 : 28, 'x'),
          'One of many',
        ]),
      )
    const resource = 'https://mcp.example.com/mcp'
    const room = 2900 - resource.length - 1
    const { config } = judgeOptions({ ...GOOD, scopes: scopesOf(room) })
    const scope = [...config.scopes.keys()].join(' ')
    expect(`${resource} ${scope}`).toHaveLength(2900)
    const keys = createKeyring([generateKey()])
    const claims = { grantId: randomId(START), exp: START, resource, scope }
    expect(readAccessToken(keys, makeAccessToken(keys, claims))).toMatchObject(claims)
    expect(faultsOf({ scopes: scopesOf(room + 1) })).toEqual([
      expect.stringMatching(/^resource .* is longer than 2900 characters together with its scopes/),
    ])
  })

  it('keys parted by commas, as an environment variable has them', () => {
    const keys = [generateKey(), generateKey()]
    expect(judgeOptions({ ...GOOD, keys: ` ${keys.join(' , ')} ,` }).keys).toEqual(keys)
  })
})

describe('what is wrong is told with its option', () => {
  it.each([
    ['no issuer', { issuer: undefined }, /^issuer must be an origin/],
    ['no URL', { issuer: 'mcp.example.com' }, /^issuer must be an origin/],
    [
      'a slash at the end',
      { issuer: 'https://mcp.example.com/' },
      /^issuer must be spelt https:\/\/mcp\.example\.com$/,
    ],
    ['capitals', { issuer: 'https://MCP.example.com' }, /^issuer must be spelt/],
    ['a default port', { issuer: 'https://mcp.example.com:443' }, /^issuer must be spelt/],
    ['a query', { issuer: 'https://mcp.example.com/?a' }, /^issuer must have no query/],
    ['a fragment', { issuer: 'https://mcp.example.com/#a' }, /^issuer must have no query/],
    ['a user', { issuer: 'https://a@mcp.example.com' }, /^issuer must have no query/],
    ['HH-05 plain http', { issuer: 'http://mcp.example.com' }, /^issuer must be https/],
    [
      'HH-05 a look-alike of loopback',
      { issuer: 'http://localhost.example.com' },
      /^issuer must be https/,
    ],
    [
      'another scheme',
      { issuer: 'ftp://mcp.example.com', dangerouslyAllowHttp: true },
      /^issuer must be https/,
    ],
    ['no resource', { resource: undefined }, /^resource is missing/],
    [
      'both spellings',
      { resources: ['https://mcp.example.com/b'] },
      /^resource stands beside resources/,
    ],
    [
      'a resource with a fragment',
      { resource: 'https://mcp.example.com/mcp#a' },
      /^resource .* must be a URL/,
    ],
    [
      'a resource over http',
      { resource: 'http://mcp.example.com/mcp' },
      /^resource .* must be https/,
    ],
    [
      'a resource with a query',
      { resource: 'https://mcp.example.com/mcp?a=b' },
      /^resource .* must have no query/,
    ],
    ['no key', { keys: undefined }, /^keys: no key is given/],
    ['ST-06 a weak key', { keys: 'secret' }, /^keys: key 1 is not/],
    ['ST-06 a regular key', { keys: `mok_${'A'.repeat(43)}` }, /^keys: key 1 /],
    ['no store', { store: undefined }, /^store must be a store/],
    ['half a store', { store: { find() {} } }, /^store must be a store/],
    ['no upstream', { upstream: undefined }, /^upstream must be an upstream/],
    ['a scope with a blank', { scopes: { 'a b': 'A' } }, /^scopes: "a b" has a character/],
    ['a scope without words', { scopes: { a: ' ' } }, /^scopes: "a" needs a sentence/],
    [
      'offline_access',
      { scopes: { offline_access: 'Stay' } },
      /^scopes: "offline_access" is known anyway/,
    ],
    [
      'an unknown implied scope',
      { scopes: { a: { description: 'A', implies: ['b'] } } },
      /^scopes: "a" implies "b"/,
    ],
    [
      'more scopes than can be read again',
      { scopes: Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`s${at}`, 'One'])) },
      /^resource .* has more than 199 scopes/,
    ],
    ['an unknown default scope', { defaultScope: ['x'] }, /^defaultScope names "x"/],
    ['an unknown scope of a tool', { tools: { drop: ['x'] } }, /^tools needs "x" for drop/],
    ['an empty allow', { allow: {} }, /^allow names nobody/],
    [
      'an address for a domain',
      { allow: { domains: ['a@b.com'] } },
      /^allow\.domains has "a@b\.com"/,
    ],
    ['a domain for an address', { allow: { emails: ['b.com'] } }, /^allow\.emails has "b\.com"/],
    [
      'no lifetime at all',
      { lifetimes: { code: 0 } },
      /^lifetimes\.code must be a whole number from 5 to 600/,
    ],
    [
      'half a second',
      { lifetimes: { accessToken: 60.5 } },
      /^lifetimes\.accessToken must be a whole/,
    ],
    ['a text for a number', { lifetimes: { signIn: '600' } }, /^lifetimes\.signIn must be a whole/],
    [
      'idle beyond the end',
      { lifetimes: { refreshTokenIdle: 7200, refreshTokenAbsolute: 3600 } },
      /^lifetimes\.refreshTokenIdle must not be longer/,
    ],
    ['a negative limit', { rateLimits: { token: -1 } }, /^rateLimits\.token must be a whole/],
    [
      'half a registration',
      { registration: { maxPerHour: 0.5 } },
      /^registration\.maxPerHour must be a whole number from 0 to 1000000/,
    ],
    [
      'no limit in words',
      { registration: { maxPerHour: Infinity } },
      /^registration\.maxPerHour must be a whole/,
    ],
    ['no sign-in at all', { maxGrantsPerClient: 0 }, /^maxGrantsPerClient must be a whole/],
    [
      'a host name for a proxy',
      { trustedProxies: ['proxy.local'] },
      /^trustedProxies has "proxy\.local"/,
    ],
    [
      'too wide a range',
      { trustedProxies: ['10.0.0.0/33'] },
      /^trustedProxies has "10\.0\.0\.0\/33"/,
    ],
    ['an origin with a path', { allowedOrigins: ['https://a.com/'] }, /^allowedOrigins has/],
    [
      'a URL for a host',
      { registration: { redirectHosts: ['https://claude.ai'] } },
      /^registration\.redirectHosts has/,
    ],
    [
      'freshness upside down',
      { clientIdMetadataDocuments: { minFresh: 100, maxFresh: 10 } },
      /minFresh must not be longer/,
    ],
    [
      'two resources of one path',
      { resource: undefined, resources: ['https://a.com/mcp', 'https://b.com/mcp'] },
      /^resources names two with the path \/mcp/,
    ],
    [
      'a client without a redirect',
      { clients: [{ client_id: 'a', redirect_uris: [] }] },
      /^clients: "a" needs at least one/,
    ],
    [
      'a client with a bad redirect',
      { clients: [{ client_id: 'a', redirect_uris: ['http://a.com/cb'] }] },
      /^clients: "a" has a redirect_uri that is http/,
    ],
    [
      'a client with a short secret',
      {
        clients: [{ client_id: 'a', client_secret: 'short', redirect_uris: ['https://a.com/cb'] }],
      },
      /shorter than 32/,
    ],
    [
      'a client without its secret',
      {
        clients: [
          {
            client_id: 'a',
            token_endpoint_auth_method: 'client_secret_post',
            redirect_uris: ['https://a.com/cb'],
          },
        ],
      },
      /needs a client_secret/,
    ],
    [
      'a client without its keys',
      {
        clients: [
          {
            client_id: 'a',
            token_endpoint_auth_method: 'private_key_jwt',
            redirect_uris: ['https://a.com/cb'],
          },
        ],
      },
      /needs jwks or jwks_uri/,
    ],
    [
      'a private key',
      {
        clients: [
          {
            client_id: 'a',
            jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'c' }] },
            redirect_uris: ['https://a.com/cb'],
          },
        ],
      },
      /has a jwks that has a private/,
    ],
    [
      'a client twice',
      { clients: [1, 2].map(() => ({ client_id: 'a', redirect_uris: ['https://a.com/cb'] })) },
      /^clients has the same client_id twice/,
    ],
    [
      'a resource server of nothing',
      {
        resourceServers: [
          { client_id: 'a', client_secret: SECRET, resource: 'https://other.com/mcp' },
        ],
      },
      /which is not protected here/,
    ],
  ])('%s', (_, options, fault) => {
    const faults = faultsOf(options)
    expect(faults).toEqual([expect.stringMatching(fault)])
    expect(faults.join()).not.toContain('short"')
  })

  it('all at once, in one message', () => {
    const options = {
      issuer: 'x',
      keys: '',
      store: undefined,
      upstream: undefined,
      resource: undefined,
    }
    expect(faultsOf(options).length).toBeGreaterThanOrEqual(5)
    expect(() => createMcpOAuth({ ...GOOD, ...options } as unknown as Options)).toThrow(
      /cannot start:\n- issuer[^]*\n- resource[^]*\n- keys/,
    )
  })
})

describe('SC-07 what is dangerous has a loud name and is told at the start', () => {
  it.each([
    [
      'plain http',
      {
        issuer: 'http://mcp.example.com',
        resource: 'http://mcp.example.com/mcp',
        dangerouslyAllowHttp: true,
      },
      /plain http/,
    ],
    [
      'CI-48 private documents',
      { clientIdMetadataDocuments: { dangerouslyAllowPrivateAddresses: true } },
      /private addresses/,
    ],
    ['any origin', { allowedOrigins: ['*'] }, /any origin/],
  ])('%s', (_, options, told) => {
    const events: unknown[] = []
    createMcpOAuth({ ...GOOD, ...options, onEvent: (event) => void events.push(event) })
    expect(events).toMatchObject([{ type: 'danger', reason: expect.stringMatching(told) }])
  })

  it('http on this very computer is no danger', () => {
    for (const host of ['localhost:8787', '127.0.0.1:8787', '[::1]:8787']) {
      const origin = `http://${host}`
      expect(judgeOptions({ ...GOOD, issuer: origin, resource: `${origin}/mcp` }).dangers).toEqual(
        [],
      )
    }
  })
})

describe('CB-14 who may enter', () => {
  const user = (email: string | undefined, email_verified = true, sub = 'someone'): User => ({
    issuer: 'https://up.example',
    sub,
    name: undefined,
    email,
    email_verified,
  })
  const { allow } = judgeOptions({
    ...GOOD,
    allow: { emails: ['Ada@Example.com'], domains: ['corp.com'], subjects: ['u-1'] },
  }).config

  it.each([
    [user('ada@example.com'), true],
    [user('ADA@EXAMPLE.COM'), true],
    [user('ada@example.com', false), false],
    [user('bob@corp.com'), true],
    [user('bob@CORP.com'), true],
    [user('bob@corp.com', false), false],
    [user('bob@sub.corp.com'), false],
    [user('bob@notcorp.com'), false],
    [user('bob@corp.com.evil.com'), false],
    [user('evil.com@corp.com@evil.com'), false],
    [user('a@evil.com@corp.com'), false],
    [user('@corp.com'), false],
    [user('corp.com'), false],
    [user(undefined), false],
    [user(undefined, false, 'u-1'), true],
    [user(undefined, false, 'u-11'), false],
  ])('%o: %s', async (somebody, expected) => {
    expect(await allow(somebody)).toBe(expected)
  })

  it('a function says true, and nothing that is like true', async () => {
    const truthy = judgeOptions({ ...GOOD, allow: (() => 'yes') as never }).config
    expect(await truthy.allow(user('a@b.com'))).toBe(false)
    const asked = judgeOptions({ ...GOOD, allow: async ({ sub }) => sub === 'someone' }).config
    expect(await asked.allow(user(undefined))).toBe(true)
  })
})

describe('a name that is none', () => {
  it.each([
    [{ alow: { domains: ['corp.com'] } }, 'alow is no option; did you mean allow?'],
    [{ onevent: () => {} }, 'onevent is no option; did you mean onEvent?'],
    [
      { allow: { emails: ['a@b.com'], domain: ['corp.com'] } },
      'allow.domain is no option; did you mean domains?',
    ],
    [
      { lifetimes: { accesstoken: 60 } },
      'lifetimes.accesstoken is no option; did you mean accessToken?',
    ],
    [{ registration: { open: false } }, 'registration.open is no option'],
    [
      { clientIdMetadataDocuments: { enable: false } },
      'clientIdMetadataDocuments.enable is no option; did you mean enabled?',
    ],
    [{ rateLimits: { tokens: 1 } }, 'rateLimits.tokens is no option; did you mean token?'],
    [
      { resource: { resource: GOOD.resource, tool: {} } },
      'resource.tool is no option; did you mean tools?',
    ],
  ])('%j is told, with the name that was meant', (options, fault) => {
    expect(faultsOf(options)).toContain(fault)
  })

  it('what is left undefined is as good as not there', () => {
    expect(faultsOf({ alow: undefined, resource: undefined, resources: [GOOD.resource] })).toEqual(
      [],
    )
  })
})

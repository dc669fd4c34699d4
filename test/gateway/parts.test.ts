import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { encodeHeader, identityHeaders } from '../../src/gateway/identity.ts'
import { createLog, mask } from '../../src/gateway/log.ts'
import { judgePassedHeader, passedHeaders, targetOf } from '../../src/gateway/request_headers.ts'
import { createSessions } from '../../src/gateway/session.ts'
import { suggest } from '../../src/server/config/suggest.ts'
import type { AuthInfo } from '../../src/guard/verifier.ts'
import type { HttpRequest } from '../../src/http/message.ts'

function request(...rawHeaders: string[]): HttpRequest {
  return {
    method: 'POST',
    path: '/mcp',
    query: '',
    rawHeaders,
    remoteAddress: '127.0.0.1',
    readBody: () => Promise.resolve(new Uint8Array()),
  }
}

const passed = (...rawHeaders: string[]) => passedHeaders(request(...rawHeaders), new Set())

describe('request headers', () => {
  it('what MCP needs passes as it came', () => {
    const sent = [
      ...['Accept', 'application/json', 'accept', 'text/event-stream'],
      ...['Content-Type', 'application/json', 'MCP-Protocol-Version', '2026-07-28'],
      ...['Mcp-Method', 'tools/call', 'Mcp-Name', '=?base64?eA==?=', 'Mcp-Param-Tenant', 'a'],
      ...['Last-Event-ID', '7', 'User-Agent', 'x', 'traceparent', '00-1-2-01'],
    ]
    expect(passed(...sent)).toEqual(
      sent.map((text, index) => (index % 2 ? text : text.toLowerCase())),
    )
  })

  it.each([
    'Authorization',
    'Cookie',
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-User',
    'X-Forwarded-Email',
    'X-Forwarded-Access-Token',
    'X-Forwarded-Preferred-Username',
    'X-Forwarded-Groups',
    'X-Auth-Request-User',
    'X-Auth-Request-Email',
    'X-Remote-User',
    'Remote-User',
    'Remote_User',
    'X-User',
    'X-User-Id',
    'X-MCP-User',
    'x_mcp_user',
    'X-Mcp_User',
    'X-MCP-Identity',
    'mcp_method',
    'Mcp_Session_Id',
    'X-Real-IP',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-HTTP-Method-Override',
    'Expect',
    'Upgrade',
    'TE',
    'Trailer',
    'Keep-Alive',
    'Proxy-Authorization',
    'Proxy-Connection',
    'X-Access-Token',
  ])('GW-03 %s never passes, and no setting lets identity or framing pass', (name) => {
    expect(passed(name, 'x', name.toUpperCase(), 'y')).toEqual([])
    const allowed = ['x-http-method-override', 'x-access-token']
    if (!allowed.includes(name.toLowerCase())) {
      expect(judgePassedHeader(name.toLowerCase())).toBeDefined()
    }
  })

  it('GW-02 what Connection names goes no further', () => {
    expect(passed('Connection', 'close, MCP-Method', 'mcp-method', 'x', 'accept', 'y')).toEqual([
      'accept',
      'y',
    ])
  })

  it.each(['mcp-method', 'Mcp-Param-Tenant', 'content-type', 'Last-Event-ID'])(
    '%s twice is refused',
    (name) => expect(() => passed(name, 'a', name.toUpperCase(), 'b')).toThrow('twice'),
  )

  it.each([
    ['', '/mcp?fixed=1'],
    ['a=1&b=%20x', '/mcp?fixed=1&a=1&b=+x'],
    ['fixed=2&access_token=t&TOKEN=t&bearer=t&a=1', '/mcp?fixed=1&a=1'],
    ['x=/../admin', '/mcp?fixed=1&x=%2F..%2Fadmin'],
    ['a=1#b', '/mcp?fixed=1&a=1%23b'],
  ])('GW-05 the query %j asks the backend for %s', (query, path) => {
    expect(targetOf(new URL('http://b/mcp?fixed=1'), query)).toBe(path)
  })
})

const authInfo = (user: Partial<AuthInfo['extra']['user']>): AuthInfo => ({
  token: 'mcp_at_secret',
  clientId: 'https://client.test/id',
  scopes: ['a', 'b:c'],
  expiresAt: 0,
  resource: new URL('https://mcp.test/mcp'),
  extra: {
    subject: 'github|1',
    grantId: 'g',
    user: {
      issuer: 'https://github.com',
      sub: '1',
      name: undefined,
      email: undefined,
      email_verified: false,
      ...user,
    },
  },
})

const source = {
  upstreamToken: () => Promise.resolve('up'),
  assertIdentity: (_: AuthInfo, audience: string) => Promise.resolve(`jwt for ${audience}`),
}

describe('identity', () => {
  it('headers say who, from where, by which client, for what', async () => {
    const user = { name: 'Ada', email: 'ada@x.test', email_verified: true }
    const headers = await identityHeaders(source, ['headers'], authInfo(user), 'http://b/mcp')
    expect(headers).toEqual([
      ...['x-mcp-user', 'github%7C1', 'x-mcp-user-issuer', 'https://github.com'],
      ...['x-mcp-user-sub', '1', 'x-mcp-user-email', 'ada@x.test', 'x-mcp-user-name', 'Ada'],
      ...['x-mcp-client', 'https://client.test/id', 'x-mcp-scope', 'a b:c'],
    ])
  })

  it('an address that nobody verified is not told', async () => {
    const headers = await identityHeaders(source, ['headers'], authInfo({ email: 'boss@x' }), 'b')
    expect(headers).not.toContain('x-mcp-user-email')
  })

  it('several choices are combined, none says nothing', async () => {
    const told = (choice: Parameters<typeof identityHeaders>[1]) =>
      identityHeaders(source, choice, authInfo({}), 'http://b/mcp')
    expect(await told(['none'])).toEqual([])
    expect(await told(['assertion', 'upstream_token'])).toEqual([
      ...['x-mcp-identity', 'jwt for http://b/mcp', 'authorization', 'Bearer up'],
    ])
  })

  it('GW-04 any name is one plain header, from which it can be read again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const header = encodeHeader(name)
        expect(header).toMatch(/^[\x21-\x7e]*$/)
        expect(header).not.toContain(',')
        expect(decodeURIComponent(header)).toBe(Buffer.from(name).toString())
      }),
    )
  })

  it.each(['a\r\nX-Admin: 1', '😀', '\ud800', 'x\0y', 'ä'.repeat(8000)])(
    'GW-04 the name %j harms no request',
    async (name) => {
      const headers = await identityHeaders(source, ['headers'], authInfo({ name }), 'b')
      const value = headers[headers.indexOf('x-mcp-user-name') + 1] ?? ''
      expect(value).toMatch(/^[\x21-\x7e]{1,1300}$/)
    },
  )

  it('GW-04 an identifier too long for a header is refused, never cut', async () => {
    const told = identityHeaders(source, ['headers'], authInfo({ sub: 'x'.repeat(5000) }), 'b')
    await expect(told).rejects.toThrow('cannot be told')
  })
})

describe('GW-12 session ids', () => {
  const [old, fresh] = [generateKey(), generateKey()]
  const sessions = createSessions(createKeyring([old]))
  const at = (subject: string | undefined, resource = 'https://x/mcp') => ({ resource, subject })

  it('belong to one user at one resource', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\x21-\x7e]{1,80}$/), (id) => {
        const bound = sessions.bind(id, at('a'))
        expect(sessions.resolve(bound, at('a'))).toBe(id)
        expect(sessions.resolve(bound, at('b'))).toBeUndefined()
        expect(sessions.resolve(bound, at(undefined))).toBeUndefined()
        expect(sessions.resolve(bound, at('a', 'https://x/other'))).toBeUndefined()
        expect(sessions.resolve(id, at('a'))).toBeUndefined()
        expect(sessions.resolve(`x${bound}`, at('a'))).toBeUndefined()
      }),
    )
  })

  it('outlive a change of keys', () => {
    const bound = sessions.bind('s', at('a'))
    expect(createSessions(createKeyring([fresh, old])).resolve(bound, at('a'))).toBe('s')
    expect(createSessions(createKeyring([fresh])).resolve(bound, at('a'))).toBeUndefined()
  })

  it('begun without signing in belong to the first who does', () => {
    const bound = sessions.bind('open', at(undefined))
    expect(sessions.resolve(bound, at(undefined))).toBe('open')
    expect(sessions.resolve(bound, at('a'))).toBe('open')
    expect(sessions.resolve(bound, at('b'))).toBeUndefined()
    expect(sessions.resolve(bound, at(undefined))).toBeUndefined()
    expect(sessions.resolve(bound, at('a'))).toBe('open')
  })
})

describe('log', () => {
  function line(fields: object): string {
    let written = ''
    createLog(
      (text) => (written += text),
      () => 0,
    ).write('info', 'x', { ...fields })
    return written
  }

  it.each([
    'mcp_at_abc123.eyJh.x-_y',
    'mcp_rt_abc.def.ghi',
    'mok_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'Bearer gho_16C7e42F292c6912E7710c838347Ae178B4a',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
    '{"client_secret": "hush-hush"}',
  ])('LG-01 %s is masked wherever it stands', (secret) => {
    const error = new Error(`failed with ${secret} in it`, { cause: new Error(secret) })
    for (const text of [line({ reason: secret }), line({ error }), line({ list: [secret] })]) {
      const value = secret.split(/[ "]/).findLast((part) => part.length > 5) ?? secret
      expect(text).not.toContain(value)
      expect(text).toContain('***')
    }
  })

  it.each([
    ['/callback?code=abc&state=def&iss=x', '/callback?code=***&state=***&iss=x'],
    ['/r?access_token=a&x=1', '/r?access_token=***&x=1'],
    ['code_verifier=abc', 'code_verifier=***'],
  ])('LG-02 %s is written %s', (url, written) => {
    expect(mask(url)).toBe(written)
  })

  it('LG-03 no text begins a line, colours a terminal or fills the disk', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const written = line({ client_name: `${text}\r\n\u001b[2J\u2028\u2029` })
        expect(written.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
        expect(written.endsWith('\n')).toBe(true)
        expect(() => JSON.parse(written) as unknown).not.toThrow()
      }),
    )
    expect(line({ path: 'x'.repeat(1e6) }).length).toBeLessThan(700)
    expect(line({ list: Array.from({ length: 1000 }, () => 'x') }).length).toBeLessThan(700)
  })
})

it.each([
  ['isuer', '; did you mean issuer?'],
  ['Port', '; did you mean port?'],
  ['colour', ''],
  ['x'.repeat(1000), ''],
])('for %s there is %j', (typed, suggestion) => {
  expect(suggest(typed, ['issuer', 'port', 'store'])).toBe(suggestion)
})

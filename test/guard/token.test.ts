import { describe, expect, it } from 'vitest'
import { metadataUrl } from '../../src/guard/protected_resource_metadata.ts'
import { OAuthError } from '../../src/protocol/errors.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import {
  bodyOf,
  call,
  challengeOf,
  METADATA,
  OTHER,
  passage,
  refusal,
  request,
  RESOURCE,
  statusOf,
  testGuard,
} from './support/guard.ts'

const FIRST = `Bearer scope="notes:read", resource_metadata="${METADATA}"`
const body = call('list_notes')

describe('who may pass', () => {
  it('GD-01 PR-07 a request without a token gets 401 with a challenge that has no error code', async () => {
    const { guard, events, asked } = testGuard()
    const sent = request({ body })
    const refused = refusal(await guard(sent))
    expect(refused.status).toBe(401)
    expect(challengeOf(refused)).toBe(FIRST)
    expect(refused.headers['cache-control']).toBe('no-store')
    expect(refused.headers['x-content-type-options']).toBe('nosniff')
    expect(events).toMatchObject([
      { type: 'request_refused', reason: 'no_token', resource: RESOURCE },
    ])
    expect(asked).toEqual([])
    expect(sent.reads).toEqual([])
  })

  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])(
    'GD-01 a good token passes with the scheme %s',
    async (scheme) => {
      const { guard } = testGuard()
      const headers = ['Authorization', `${scheme} good`]
      const passed = passage(await guard(request({ headers, body })))
      expect(passed.authInfo).toMatchObject({ token: 'good', clientId: 'client-1' })
      expect(passed.headers).toEqual({})
    },
  )

  it('GD-01 what passes is the very body that was judged, and what was read in it', async () => {
    const { guard } = testGuard()
    const text =
      ' {"params":{"name":"list_notes"},"method" : "tools/call","id":7,"jsonrpc":"2.0"}\n'
    const bytes = new TextEncoder().encode(text)
    const passed = passage(await guard(request({ token: 'good', body: bytes })))
    expect(passed.body).toBe(bytes)
    expect(passed.message).toEqual(JSON.parse(text))
  })

  it.each([
    ['access_token=good'],
    ['token=good'],
    ['authorization=Bearer%20good'],
    ['bearer=good'],
    ['bearer_token=good&access_token=good'],
  ])('GD-02 the query %s is no token', async (query) => {
    const { guard, events } = testGuard()
    expect(await statusOf(guard, { query, body })).toBe(401)
    expect(JSON.stringify(events)).not.toContain('good')
  })

  it.each([
    [['Cookie', 'access_token=good']],
    [['X-Access-Token', 'good']],
    [['Proxy-Authorization', 'Bearer good']],
    [['X-Forwarded-Access-Token', 'good']],
    [['X-Authorization', 'Bearer good']],
    [['Authorization_', 'Bearer good']],
    [['X-Amz-Security-Token', 'Bearer good']],
    [['Content-Type', 'application/x-www-form-urlencoded']],
  ])('GD-03 %j is no token', async (headers) => {
    const { guard } = testGuard()
    expect(await statusOf(guard, { headers, body: 'access_token=good' })).toBe(401)
  })

  it('GD-03 a form is refused even with a good token in the header', async () => {
    const { guard } = testGuard()
    const headers = ['Content-Type', 'application/x-www-form-urlencoded']
    expect(await statusOf(guard, { token: 'good', headers, body: 'a=b' })).toBe(415)
  })

  it.each([
    ['Bearer'],
    ['Bearer '],
    ['Bearer  good'],
    ['Bearer good extra'],
    ['Bearer good, Bearer good'],
    ['Bearer good,good'],
    ['Bearer "good"'],
    ['Bearer token="good"'],
    ['Bearer good\0'],
    ['Bearer go\0od'],
    ['Bearer good\u00e9'],
    ['Bearer good;'],
    ['Bearer go=od'],
    ['Bearer =good'],
    ['Bearer %67ood'],
    ['Bearer\tgood'],
    ['Bearer {good}'],
    [`Bearer ${'g'.repeat(12_000)}`],
    ['Bearer null'],
    ['Bearer undefined'],
    ['Bearer a.b.c'],
    ['Bearer ..'],
    ['Bearer Bearer good'],
  ])('GD-04 GD-35 the header %j is 401 invalid_token', async (value) => {
    const { guard } = testGuard()
    for (const required of [true, false]) {
      const sent = request({ headers: ['Authorization', value], body })
      const refused = refusal(await guard(sent, { required }))
      expect(refused.status).toBe(401)
      expect(challengeOf(refused)).toContain('Bearer error="invalid_token"')
      expect(challengeOf(refused)).toContain(`resource_metadata="${METADATA}"`)
      expect(sent.reads).toEqual([])
    }
  })

  it.each([
    [''],
    ['good'],
    ['Basic Z29vZDpnb29k'],
    ['DPoP good'],
    ['Bearerx good'],
    ['"Bearer" good'],
    ['\u00a0Bearer good'],
    ['Bearer\u00a0good'],
    ['Digest a="b"'],
    ['Token good'],
  ])('GD-04 the header %j is 401, and never taken for none', async (value) => {
    const { guard } = testGuard()
    for (const required of [true, false]) {
      const sent = request({ headers: ['Authorization', value], body: call('list_notes') })
      const refused = refusal(await guard(sent, { required }))
      expect(refused.status).toBe(401)
      expect(challengeOf(refused)).toBe(FIRST)
    }
  })

  it.each([[' Bearer good'], ['Bearer good '], ['\tBearer good\t '], ['  Bearer good\t']])(
    'GD-35 blanks around %j are no part of it',
    async (value) => {
      const { guard } = testGuard()
      expect(await statusOf(guard, { headers: ['Authorization', value], body })).toBe(200)
    },
  )

  it.each([
    [['Authorization', 'Bearer good', 'Authorization', 'Bearer good']],
    [['Authorization', 'Bearer good', 'authorization', 'Bearer bad']],
    [['AUTHORIZATION', 'Basic x', 'authorization', 'Bearer good']],
    [['authorization', '', 'Authorization', 'Bearer good']],
  ])('GD-04 §3.1 two headers are 400 invalid_request: %j', async (headers) => {
    const { guard, asked } = testGuard()
    const refused = refusal(await guard(request({ headers, body })))
    expect(refused.status).toBe(400)
    expect(challengeOf(refused)).toContain('error="invalid_request"')
    expect(asked).toEqual([])
  })

  it('GD-34 a token that is longer than any real one is not even looked at', async () => {
    const { guard, asked } = testGuard()
    expect(await statusOf(guard, { token: 'g'.repeat(8192), body })).toBe(401)
    expect(asked).toEqual([])
    expect(await statusOf(guard, { token: 'g'.repeat(8000), body })).toBe(401)
    expect(asked).toHaveLength(1)
  })

  it('GD-06 GD-07 what is not an access token of ours is 401', async () => {
    const { guard } = testGuard()
    for (const token of [
      'mcp_rt_x',
      'mcp_code_x',
      'client-1',
      'goo',
      'goodx',
      'Good',
      'doog',
      'GOOD',
    ]) {
      expect(await statusOf(guard, { token, body })).toBe(401)
    }
  })

  it('GD-09 PR-11 a token of another resource is 401 invalid_token', async () => {
    const { guard, events } = testGuard()
    const refused = refusal(await guard(request({ token: 'foreign', body })))
    expect(refused.status).toBe(401)
    expect(challengeOf(refused)).toContain('error="invalid_token"')
    expect(events).toMatchObject([{ reason: 'wrong_resource' }])
    expect(await statusOf(guard, { token: 'foreign', path: '/other/mcp', body })).toBe(200)
    expect(await statusOf(guard, { token: 'good', path: '/other/mcp', body })).toBe(401)
  })

  it('GD-38 every token that does not hold hears the same; the log hears why', async () => {
    const { guard, events } = testGuard()
    const answers = new Set<string>()
    for (const token of ['expired', 'revoked', 'ended', 'unknown', 'foreign', 'forged']) {
      answers.add(JSON.stringify(refusal(await guard(request({ token, body })))))
    }
    expect(answers.size).toBe(1)
    expect(events.map(({ reason }) => reason)).toEqual([
      'expired',
      'revoked',
      'grant_ended',
      'unknown_grant',
      'wrong_resource',
      'not_authentic',
    ])
    expect(JSON.stringify(events)).not.toContain('forged')
  })

  it('GD-20 GD-32 each request is judged by itself, so a revoked token is refused in the next', async () => {
    let live = true
    const { guard } = testGuard({
      verifier: {
        verify: (token) =>
          live
            ? testGuard()
                .guard(request({ token, body }))
                .then(passage)
                .then(({ authInfo }) => {
                  if (authInfo === undefined) throw new Error('no user')
                  return { outcome: 'verified', authInfo }
                })
            : Promise.resolve({ outcome: 'refused', reason: 'revoked' }),
      },
    })
    expect(await statusOf(guard, { token: 'good', body })).toBe(200)
    live = false
    expect(await statusOf(guard, { token: 'good', body })).toBe(401)
    expect(await statusOf(guard, { body })).toBe(401)
  })

  it.each([
    [new StoreUnavailable('down')],
    [new OAuthError('temporarily_unavailable', 'later', { retryAfter: 5 })],
    [new Error('a bug')],
  ])('GD-28 a verifier that cannot tell is neither a yes nor a 401: %s', async (error) => {
    const { guard } = testGuard({ verifier: { verify: () => Promise.reject(error) } })
    for (const required of [true, false]) {
      await expect(guard(request({ token: 'good', body }), { required })).rejects.toBe(error)
    }
  })

  it.each(['GET', 'HEAD', 'DELETE', 'POST'])(
    'GD-13 %s without a token is 401 with a challenge, before any routing by method',
    async (method) => {
      const { guard } = testGuard()
      const refused = refusal(await guard(request({ method, body: call('x') })))
      expect(refused.status).toBe(401)
      expect(challengeOf(refused)).toContain(`resource_metadata="${METADATA}"`)
    },
  )

  it.each(['GET', 'HEAD', 'DELETE'])(
    'GD-13 %s with a token passes without a body',
    async (method) => {
      const { guard } = testGuard()
      const sent = request({ method, token: 'none', body: call('delete_note') })
      const passed = passage(await guard(sent))
      expect(passed.body).toBeUndefined()
      expect(passed.message).toBeUndefined()
      expect(sent.reads).toEqual([])
    },
  )

  it.each([
    'PUT',
    'PATCH',
    'QUERY',
    'PROPFIND',
    'post',
    'Post',
    'get',
    'TRACE',
    'CONNECT',
    'OPTIONS',
    '',
  ])('GD-13 CR-05 the method %j is 405 with a token and without', async (method) => {
    const { guard } = testGuard()
    for (const token of ['admin', undefined]) {
      for (const required of [true, false]) {
        const refused = refusal(await guard(request({ method, token, body }), { required }))
        expect(refused.status).toBe(405)
        expect(refused.headers['allow']).toBe('POST, GET, DELETE')
      }
    }
  })

  it('GD-13 a method override is no method', async () => {
    const { guard } = testGuard()
    const headers = ['X-HTTP-Method-Override', 'OPTIONS', 'X-Method', 'HEAD']
    expect(await statusOf(guard, { headers, query: '_method=OPTIONS', body })).toBe(401)
  })

  it.each([
    '//mcp',
    '/mcp/',
    '/mcp/..',
    '/mcp%2f',
    '/%6dcp',
    '/MCP',
    '/mcp;a=b',
    '/.well-known/../mcp',
    '/mcp\\',
    '/mcp%00',
    '/',
    '',
    '/health',
    '/other/../mcp',
  ])('GD-14 the path %j is never open', async (path) => {
    const one = { resource: RESOURCE, name: 'Notes', scopes: [], tools: new Map() }
    const { guard } = testGuard({ resources: [one] })
    expect(await statusOf(guard, { path, body })).toBe(401)
    expect(await statusOf(testGuard().guard, { path, token: 'good', body })).toBe(404)
  })

  it('GD-14 of two resources with one path, only the one that the program names is meant', async () => {
    const twin = 'https://twin.test/mcp'
    const resources = [RESOURCE, twin].map((resource) => ({
      resource,
      name: resource,
      scopes: [],
      tools: new Map(),
    }))
    const { guard, events } = testGuard({ resources })
    expect(await statusOf(guard, { token: 'good', body })).toBe(404)
    expect(events).toEqual([{ type: 'request_refused', reason: 'unknown_resource' }])
    expect(await statusOf(guard, { token: 'good', body }, { resource: RESOURCE })).toBe(200)
    expect(await statusOf(guard, { token: 'good', body }, { resource: twin })).toBe(401)
  })

  it('a resource that the program names and the options do not is a bug of the program', async () => {
    const { guard } = testGuard()
    const naming = guard(request({ body }), { resource: 'https://mcp.test/nowhere' })
    await expect(naming).rejects.toThrow(RangeError)
  })

  it('PR-11 the resource that the program names wins over the path', async () => {
    const { guard } = testGuard()
    const refused = refusal(await guard(request({ body }), { resource: OTHER }))
    expect(challengeOf(refused)).toBe(`Bearer resource_metadata="${metadataUrl(OTHER)}"`)
  })

  it('GD-15 headers that claim an identity neither authenticate nor are believed', async () => {
    const { guard } = testGuard()
    const headers =
      'X-User X-Mcp-User X_Mcp_User X-Forwarded-User X-Forwarded-Email X-Remote-User Forwarded'
        .split(' ')
        .flatMap((name) => [name, 'admin'])
    expect(await statusOf(guard, { headers, body })).toBe(401)
    const passed = passage(await guard(request({ token: 'good', headers, body })))
    expect(passed.authInfo?.extra.subject).toBe('user-1')
  })

  it('HH-01 PR-10 every URL in an answer is the configured one, whatever the headers say', async () => {
    const { guard } = testGuard()
    const spoofed = [
      ['Host', 'evil.test'],
      ['X-Forwarded-Host', 'evil.test'],
      ['X-Forwarded-Proto', 'http'],
      ['X-Forwarded-Port', '81'],
      ['X-Forwarded-Prefix', '/evil'],
      ['X-Original-Host', 'evil.test'],
      ['X-Original-URL', '/evil'],
      ['X-Rewrite-URL', '/evil'],
      ['Forwarded', 'host=evil.test;proto=http'],
      ['X-Host', 'evil.test'],
    ]
    for (const headers of spoofed) {
      expect(challengeOf(refusal(await guard(request({ headers, body }))))).toBe(FIRST)
    }
  })

  it('GW-24 nothing of a body is read before the token is found good', async () => {
    const { guard } = testGuard()
    for (const token of [undefined, 'forged', 'expired', 'foreign']) {
      const sent = request({ token, body })
      expect(refusal(await guard(sent)).status).toBe(401)
      expect(sent.reads).toEqual([])
    }
  })

  it('the answer to a browser or a person says what to do, in OAuth', async () => {
    const { guard } = testGuard()
    expect(bodyOf(refusal(await guard(request({ body }))))).toEqual({
      error: 'invalid_token',
      error_description: 'a token is needed; sign in',
    })
  })
})

import { describe, expect, it } from 'vitest'
import {
  bodyOf,
  call,
  passage,
  refusal,
  request,
  statusOf,
  testGuard,
  type TestGuard,
} from './support/guard.ts'

const body = call('list_notes')

function loopbackGuard(resource = 'http://localhost:8787/mcp'): TestGuard {
  const local = { resource, name: 'Local', scopes: [], tools: new Map() }
  return testGuard({ issuer: 'http://localhost:8787', resources: [local], allowedOrigins: [] })
}

/** Whether the request came as far as the token: 401. */
async function arrives(guard: TestGuard['guard'], headers: readonly string[]): Promise<boolean> {
  const local = { ...request({ body }), rawHeaders: headers }
  const { status } = refusal(await guard(local))
  expect([401, 403]).toContain(status)
  return status === 401
}

describe('which pages may call', () => {
  it.each([
    'https://evil.test',
    'null',
    'https://mcp.test.evil.test',
    'https://evil.test/mcp.test',
    'http://mcp.test',
    'https://mcp.test:444',
    'https://mcp.test/',
    'https://MCP.test',
    'https://mcp.test.',
    'https://sub.mcp.test',
    'https://mcp.test@evil.test',
    'file://',
    'chrome-extension://abc',
    'http://localhost:6274',
    '',
    '*',
    'https://mcp.test https://evil.test',
  ])('GD-11 the origin %j is 403, with a token and without', async (origin) => {
    const { guard, asked, events } = testGuard()
    for (const token of ['good', undefined]) {
      for (const method of ['POST', 'GET', 'DELETE', 'OPTIONS', 'TRACE']) {
        const sent = request({ method, token, headers: ['Origin', origin], body })
        const refused = refusal(await guard(sent, { required: false }))
        expect(refused.status).toBe(403)
        expect(refused.headers).not.toHaveProperty('access-control-allow-origin')
        expect(refused.headers).not.toHaveProperty('www-authenticate')
        // MCP, Security & Endpoint: a JSON-RPC error that has no id.
        const answer = bodyOf(refused)
        expect(answer).toMatchObject({ jsonrpc: '2.0', error: { code: -32600 } })
        expect(answer).not.toHaveProperty('id')
        expect(sent.reads).toEqual([])
      }
    }
    expect(asked).toEqual([])
    expect(events[0]).toMatchObject({ type: 'request_refused', reason: 'foreign_origin' })
  })

  it('GD-11 two origins are foreign', async () => {
    const { guard } = testGuard()
    const headers = ['Origin', 'https://mcp.test', 'origin', 'https://mcp.test']
    expect(await statusOf(guard, { token: 'good', headers, body })).toBe(403)
  })

  it.each(['https://mcp.test', 'https://app.test'])(
    'CR-03 the origin %s may call, and may read the challenge of a refusal',
    async (origin) => {
      const { guard } = testGuard()
      const headers = ['Origin', origin]
      const passed = passage(await guard(request({ token: 'good', headers, body })))
      const cors = {
        'access-control-allow-origin': origin,
        'access-control-expose-headers':
          'WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, Retry-After',
        vary: 'Origin',
      }
      expect(passed.headers).toEqual(cors)
      const statuses = new Map([
        [401, request({ headers, body })],
        [403, request({ token: 'good', headers, body: call('delete_note') })],
        [405, request({ method: 'PUT', headers })],
        [400, request({ token: 'good', headers, body: 'x' })],
      ])
      for (const [status, sent] of statuses) {
        const refused = refusal(await guard(sent))
        expect(refused.status).toBe(status)
        expect(refused.headers).toMatchObject(cors)
      }
    },
  )

  it('CR-03 the issuer may be on another origin, and its pages may call', async () => {
    const { guard } = testGuard({ issuer: 'https://auth.test/tenant' })
    expect(
      await statusOf(guard, { token: 'good', headers: ['Origin', 'https://auth.test'], body }),
    ).toBe(200)
  })

  it('CR-03 with * every page may call, and none gets credentials added', async () => {
    const { guard } = testGuard({ allowedOrigins: ['*'] })
    for (const origin of ['https://evil.test', 'null', 'https://mcp.test']) {
      const headers = ['Origin', origin]
      const passed = passage(await guard(request({ token: 'good', headers, body })))
      expect(passed.headers['access-control-allow-origin']).toBe('*')
      expect(passed.headers).not.toHaveProperty('access-control-allow-credentials')
      expect(await statusOf(guard, { headers, body })).toBe(401)
    }
  })

  it('CR-03 a preflight is answered without a token', async () => {
    const { guard, asked } = testGuard()
    const headers = [
      'Origin',
      'https://app.test',
      'Access-Control-Request-Method',
      'POST',
      'Access-Control-Request-Headers',
      'authorization,content-type,mcp-method,Mcp-Param-Region, mcp-param-x y,x-admin',
    ]
    const answer = refusal(await guard(request({ method: 'OPTIONS', headers })))
    expect(answer.status).toBe(204)
    expect(answer.body).toBeUndefined()
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.test',
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers':
        'authorization, content-type, accept, last-event-id, mcp-protocol-version, mcp-session-id, ' +
        'mcp-method, mcp-name, mcp-param-region',
      'access-control-max-age': '7200',
    })
    expect(asked).toEqual([])
  })

  it('CR-03 a preflight cannot write headers, whatever it asks about', async () => {
    const { guard } = testGuard()
    const asked = [
      'mcp-param-a\r\nSet-Cookie: x=1',
      'mcp-param-',
      `mcp-param-${'x'.repeat(200)}`,
      '*',
      'é',
    ]
    const headers = [
      'Origin',
      'https://app.test',
      'Access-Control-Request-Method',
      'POST',
      'Access-Control-Request-Headers',
      asked.join(','),
    ]
    const { headers: answered } = refusal(await guard(request({ method: 'OPTIONS', headers })))
    expect(answered['access-control-allow-headers']).toMatch(/mcp-name$/)
  })

  it.each([
    [['Origin', 'https://app.test']],
    [['Access-Control-Request-Method', 'POST']],
    [[]],
    [['Authorization', 'Bearer good']],
  ])('GD-13 OPTIONS that is no preflight is 405: %j', async (headers) => {
    const { guard } = testGuard()
    expect(await statusOf(guard, { method: 'OPTIONS', headers }, { required: false })).toBe(405)
  })

  it('GD-11 a resource on this computer is called by a loopback name only', async () => {
    const { guard, events } = loopbackGuard()
    for (const host of [
      'localhost',
      'localhost:8787',
      'LOCALHOST:1',
      'notes.localhost:8787',
      '127.0.0.1:9000',
      '127.0.0.53',
      '[::1]:8787',
    ]) {
      expect(await arrives(guard, ['Host', host])).toBe(true)
    }
    for (const host of [
      'evil.test',
      'evil.test:8787',
      'localhost.evil.test',
      'evil.test#localhost',
      'localhost@evil.test',
      '127.0.0.1.evil.test',
      '127.evil.test',
      '0.0.0.0:8787',
      'localhost:8787, evil.test',
      'localhost:x',
      'notlocalhost',
      '[::2]',
      '',
    ]) {
      expect(await arrives(guard, ['Host', host])).toBe(false)
    }
    expect(await arrives(guard, ['Host', 'localhost', 'Host', 'evil.test'])).toBe(false)
    expect(events.at(-1)).toMatchObject({ reason: 'foreign_host' })
  })

  it('GD-11 a call from within the process has no Host, and needs none', async () => {
    expect(await arrives(loopbackGuard().guard, [])).toBe(true)
  })

  it('GD-11 with a foreign Host nothing is open either', async () => {
    const { guard } = loopbackGuard()
    const rebound = {
      ...request({ body: { jsonrpc: '2.0', id: 1, method: 'tools/list' } }),
      rawHeaders: ['Host', 'evil.test:8787', 'Content-Type', 'application/json'],
    }
    expect(refusal(await guard(rebound, { required: false })).status).toBe(403)
  })

  it.each(['http://localhost:8787/mcp', 'http://127.0.0.1:8787/mcp', 'http://[::1]:8787/mcp'])(
    'GD-11 pages of this computer may call %s, others may not',
    async (resource) => {
      const { guard } = loopbackGuard(resource)
      for (const origin of [
        'http://localhost:6274',
        'http://127.0.0.1:3000',
        'http://[::1]:1',
        'https://localhost',
      ]) {
        expect(await arrives(guard, ['Host', 'localhost:8787', 'Origin', origin])).toBe(true)
      }
      for (const origin of [
        'http://evil.test',
        'http://localhost.evil.test',
        'http://localhost:6274.evil.test',
        'null',
        'http://localhost:6274/',
        'ftp://localhost',
        'http://127.0.0.1.evil.test',
      ]) {
        expect(await arrives(guard, ['Host', 'localhost:8787', 'Origin', origin])).toBe(false)
      }
    },
  )

  it('GD-11 behind a reverse proxy Host may be anything, as nothing is derived from it', async () => {
    const { guard } = testGuard()
    expect(await arrives(guard, ['Host', '10.0.0.5:8787'])).toBe(true)
    expect(await arrives(guard, ['Host', 'evil.test'])).toBe(true)
    // A page whose own name was made to resolve to here names itself in what matters.
    expect(await arrives(guard, ['Host', 'evil.test', 'Origin', 'http://evil.test'])).toBe(false)
  })
})

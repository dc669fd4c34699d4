import { describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { checkRate } from '../../src/server/config/rate.ts'
import { createMcpOAuth } from '../../src/server/server.ts'
import { memory } from '../../src/stores/memory.ts'
import { createTestContext, testUpstream } from '../support/context.ts'
import { forwarded, requestWith } from '../http/support/requests.ts'
import type { HttpRequest } from '../../src/http/message.ts'

const LIMITS = { authorize: 1, token: 1, register: 1, introspect: 1 }

/** What the operator is told when `request` comes once more than it may. */
function told(request: HttpRequest, trustedProxies: readonly string[] = []): string | undefined {
  const { context, events } = createTestContext({ config: { rateLimits: LIMITS, trustedProxies } })
  checkRate(context, request, 'token')
  expect(() => checkRate(context, request, 'token')).toThrow('too many requests')
  expect(events.map(({ type }) => type)).toEqual(['rate_limited'])
  return events[0]?.reason
}

describe('a limit that many callers may share', () => {
  it('HH-02 says so behind a proxy that is not named, and how to mend it', () => {
    expect(told(forwarded('127.0.0.1', '203.0.113.7'))).toMatch(/not in trustedProxies/)
    expect(told(forwarded('127.0.0.1', '203.0.113.7'), ['10.0.0.0/8'])).toMatch(/trustedProxies/)
  })

  it('HH-02 says so where no caller has an address', () => {
    expect(told(requestWith([]))).toMatch(/hand remoteAddress to fetch/)
  })

  it('says nothing where the callers are told apart', () => {
    expect(told(forwarded('127.0.0.1', '203.0.113.7'), ['127.0.0.1'])).toBeUndefined()
    expect(told(requestWith([], { remoteAddress: '203.0.113.7' }))).toBeUndefined()
  })
})

describe('auth.fetch', () => {
  it('DS-06 counts each caller by the address that the runtime tells', async () => {
    const auth = createMcpOAuth({
      issuer: 'https://mcp.example.com',
      resource: 'https://mcp.example.com/mcp',
      keys: generateKey(),
      store: memory(),
      upstream: testUpstream(),
      rateLimits: LIMITS,
    })
    const status = async (remoteAddress?: string): Promise<number> => {
      const request = new Request('https://mcp.example.com/authorize?client_id=nobody')
      return (await auth.fetch(request, { remoteAddress })).status
    }
    expect([await status('203.0.113.7'), await status('203.0.113.7')]).toEqual([400, 429])
    expect(await status('203.0.113.8')).toBe(400)
    expect([await status(), await status()]).toEqual([400, 429])
  })
})

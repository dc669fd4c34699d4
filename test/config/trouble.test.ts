import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { createTroubleLog } from '../../src/server/config/trouble.ts'
import { createMcpOAuth } from '../../src/server/server.ts'
import { memory } from '../../src/stores/memory.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { testUpstream } from '../support/context.ts'

describe('trouble where nobody listens to events', () => {
  const said: string[] = []
  beforeEach(() => {
    said.length = 0
    vi.spyOn(console, 'error').mockImplementation((line: string) => void said.push(line))
  })
  afterEach(() => void vi.restoreAllMocks())

  it('tells of a bug with its place, its reference and its stack', () => {
    const error = new Error('a bug')
    createTroubleLog()({ type: 'internal_error', about: '/token', reference: 'abc', error, at: 1 })
    expect(said[0]).toMatch(
      /^mcp-oauth: internal_error at \/token \(reference abc\): Error: a bug\n +at /,
    )
  })

  it('tells of an outage with its cause', () => {
    const error = new StoreUnavailable('cannot be reached', { cause: new Error('ECONNREFUSED') })
    createTroubleLog()({ type: 'store_failed', about: '/token', error, at: 1 })
    expect(said[0]).toContain('cannot be reached')
    expect(said[0]).toContain('ECONNREFUSED')
  })

  it('tells of each type once a minute, of dangers each time, and of nothing else', () => {
    const log = createTroubleLog()
    for (const at of [0, 30, 59, 60]) log({ type: 'store_failed', at })
    for (const reason of ['one', 'another']) log({ type: 'danger', reason, at: 0 })
    log({ type: 'token_refused', reason: 'a stranger', at: 0 })
    expect(said).toEqual([
      'mcp-oauth: store_failed',
      'mcp-oauth: store_failed',
      'mcp-oauth: danger: one',
      'mcp-oauth: danger: another',
    ])
  })

  it.each([
    [undefined, 1],
    [() => {}, 0],
  ])('a server with onEvent %s writes %i lines of a danger', async (onEvent, lines) => {
    const server = createMcpOAuth({
      issuer: 'http://mcp.example.com',
      resource: 'http://mcp.example.com/mcp',
      dangerouslyAllowHttp: true,
      keys: generateKey(),
      store: memory(),
      upstream: testUpstream(),
      ...(onEvent === undefined ? {} : { onEvent }),
    })
    await server.close()
    expect(said).toHaveLength(lines)
  })
})

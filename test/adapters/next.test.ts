import { describe, expect, it } from 'vitest'
import { toNextHandlers } from '../../src/adapters/next.ts'
import { generateKey } from '../../src/crypto/keyring.ts'
import type { EmittedEvent } from '../../src/server/config/events.ts'
import { createMcpOAuth, type McpOAuth } from '../../src/server/server.ts'
import { memory } from '../../src/stores/memory.ts'
import { appLogin } from '../support/server.ts'

const ORIGIN = 'https://app.test'

function create(path: string, onEvent: (event: EmittedEvent) => void = () => {}): McpOAuth {
  const issuer = `${ORIGIN}${path}`
  return createMcpOAuth({
    issuer,
    resource: `${ORIGIN}/mcp`,
    keys: generateKey(),
    store: memory(),
    upstream: appLogin(issuer),
    onEvent,
  })
}

const get = (path: string) => new Request(`${ORIGIN}${path}`)
const register = (path: string, headers: Readonly<{ [name: string]: string }> = {}) =>
  new Request(`${ORIGIN}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ redirect_uris: ['https://client.test/callback'] }),
  })

describe('the handlers of a catch-all route', () => {
  const { GET, POST, OPTIONS } = toNextHandlers(create('/oauth'))

  it.each([
    ['/.well-known/oauth-authorization-server/oauth', 'issuer'],
    ['/.well-known/oauth-protected-resource/mcp', 'resource'],
    ['/oauth/jwks', 'keys'],
  ])('answer at %s', async (path, member) => {
    const response = await GET(get(path))
    expect(response.status).toBe(200)
    expect(await response.json()).toHaveProperty(member)
  })

  it('register a client, and let browsers in', async () => {
    expect((await POST(register('/oauth/register'))).status).toBe(201)
    const preflight = await OPTIONS(new Request(`${ORIGIN}/oauth/token`, { method: 'OPTIONS' }))
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('answer HEAD, which Next gives to GET', async () => {
    const head = new Request(`${ORIGIN}/oauth/jwks`, { method: 'HEAD' })
    expect((await GET(head)).status).toBe(200)
  })

  it('answer 404 to what is not ours', async () => {
    for (const path of ['/oauth/other', '/.well-known/other', '/.well-known/oauth', '/', '//']) {
      const response = await GET(get(path))
      expect([response.status, await response.json()]).toEqual([404, { error: 'not_found' }])
    }
  })

  it('take the path with a slash at its end, as an app with `trailingSlash` has it, and with no more', async () => {
    expect((await POST(register('/oauth/register/'))).status).toBe(201)
    expect((await GET(get('/.well-known/oauth-authorization-server/oauth/'))).status).toBe(200)
    for (const path of ['/oauth/register//', '/oauth//register', '/oauth/%72egister']) {
      expect((await POST(register(path))).status).toBe(404)
    }
  })
})

describe('an app with a `basePath`', () => {
  const { GET, POST } = toNextHandlers(create('/base/oauth'), { basePath: '/base' })

  it('is found by its own paths, which Next has cut', async () => {
    const response = await POST(register('/oauth/register'))
    expect(response.status).toBe(201)
    expect((await GET(get('/oauth/.well-known/openid-configuration'))).status).toBe(200)
  })

  it('RFC 8414 §3.1 has its metadata at the root of the origin, by a rewrite', async () => {
    const response = await GET(get('/.well-known/oauth-authorization-server/base/oauth'))
    expect(await response.json()).toMatchObject({ issuer: `${ORIGIN}/base/oauth` })
    expect((await GET(get('/.well-known/oauth-protected-resource/mcp'))).status).toBe(200)
  })

  it('may be named as a path that its routes begin with', async () => {
    const twice = toNextHandlers(create('/oauth/oauth'), { basePath: '/oauth' })
    expect((await twice.POST(register('/oauth/register'))).status).toBe(201)
  })

  it('gives the body to whoever answers, read once', async () => {
    const root = toNextHandlers(create('/oauth'), { basePath: '/base' })
    expect((await root.POST(register('/oauth/register'))).status).toBe(201)
  })
})

describe('who calls', () => {
  const limited = (remoteAddress?: (request: Request) => string | undefined) => {
    const auth = createMcpOAuth({
      issuer: `${ORIGIN}/oauth`,
      resource: `${ORIGIN}/mcp`,
      keys: generateKey(),
      store: memory(),
      upstream: appLogin(`${ORIGIN}/oauth`),
      rateLimits: { register: 1 },
      clock: () => 1_700_000_000,
    })
    const { POST } = toNextHandlers(auth, remoteAddress === undefined ? {} : { remoteAddress })
    return async (address: string) =>
      (await POST(register('/oauth/register', { 'x-forwarded-for': address }))).status
  }

  it('is not told by what the caller may write, so that all share one limit', async () => {
    const status = limited()
    expect([await status('192.0.2.1'), await status('192.0.2.2')]).toEqual([201, 429])
  })

  it('is told by the header that the app names', async () => {
    const status = limited(({ headers }) => headers.get('x-forwarded-for') ?? undefined)
    expect([await status('192.0.2.1'), await status('192.0.2.2')]).toEqual([201, 201])
    expect(await status('192.0.2.1')).toBe(429)
  })
})

/**
 * What the server says of itself: RFC 8414, RFC 9728, and what clients do with it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, post, register, signIn } from '../support/flow.ts'
import { startServer, type TestServer, type TestServerOptions } from '../support/server.ts'

type Document = { [name: string]: unknown }

let root: TestServer
let below: TestServer
let full: TestServer

const resourceServer = {
  client_id: 'resource-server',
  client_secret: 'the-secret-of-a-resource-server-0123456',
}

beforeAll(async () => {
  root = await startServer()
  below = await startServer({ path: '/t1' })
  full = await startServer({ resourceServer })
})
afterAll(async () => {
  for (const server of [root, below, full]) await server.close()
})

async function documentAt(url: string): Promise<Document> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^application\/(jwk-set\+)?json$/)
  return (await response.json()) as Document
}

describe('RFC 8414 §3 where the document is', () => {
  it('MD-01 for an issuer without a path: both names, one document, the issuer to the byte', async () => {
    const { issuer } = root
    const document = await documentAt(`${issuer}/.well-known/oauth-authorization-server`)
    expect(document['issuer']).toBe(issuer)
    expect(await documentAt(`${issuer}/.well-known/openid-configuration`)).toEqual(document)
  })

  it('MD-14 §3.1 for an issuer with a path: inserted, appended, and nowhere else', async () => {
    const { issuer, origin } = below
    const document = await documentAt(`${origin}/.well-known/oauth-authorization-server/t1`)
    expect(document['issuer']).toBe(issuer)
    expect(await documentAt(`${origin}/.well-known/openid-configuration/t1`)).toEqual(document)
    expect(await documentAt(`${issuer}/.well-known/openid-configuration`)).toEqual(document)
    expect((await fetch(`${origin}/.well-known/oauth-authorization-server`)).status).toBe(404)
    expect((await fetch(`${origin}/.well-known/openid-configuration`)).status).toBe(404)
  })

  it.each(['evil-tenant', '..%2f', 'a/b', '%00', '__proto__', '/', '?x', 't1/', 'T1', 't1%2f'])(
    'MD-11 no other issuer is found at %s',
    async (suffix) => {
      for (const { origin } of [root, below]) {
        for (const name of ['oauth-authorization-server', 'openid-configuration']) {
          const { status } = await fetch(`${origin}/.well-known/${name}/${suffix}`)
          expect(status).toBe(404)
        }
      }
    },
  )
})

describe('RFC 8414 §2 what it says', () => {
  const metadata = (server: TestServer) => {
    const { origin, issuer } = server
    return documentAt(
      `${origin}/.well-known/oauth-authorization-server${issuer.slice(origin.length)}`,
    )
  }

  it('MD-02 RFC 7636 §6.2 PKCE with S256 and nothing else', async () => {
    expect((await metadata(root))['code_challenge_methods_supported']).toEqual(['S256'])
  })

  it('MD-03 no implicit grant, no password', async () => {
    const document = await metadata(root)
    expect(document['response_types_supported']).toEqual(['code'])
    expect(document['grant_types_supported']).toEqual(['authorization_code', 'refresh_token'])
  })

  it('MD-04 RFC 9207 §3 every response carries the issuer', async () => {
    const document = await metadata(root)
    expect(document['authorization_response_iss_parameter_supported']).toBe(true)
  })

  it('MD-09 no signing algorithm is none or symmetric', async () => {
    const document = await metadata(full)
    const lists = Object.entries(document).filter(([name]) => name.includes('_alg_values_'))
    expect(lists.length).toBeGreaterThan(0)
    for (const [, algorithms] of lists) {
      for (const algorithm of algorithms as string[]) expect(algorithm).not.toMatch(/none|^HS/i)
    }
  })

  it('what MCP clients look for is there: CIMD with none, registration, offline_access', async () => {
    const document = await metadata(root)
    expect(document['client_id_metadata_document_supported']).toBe(true)
    expect(document['token_endpoint_auth_methods_supported']).toContain('none')
    expect(document['registration_endpoint']).toBe(`${root.issuer}/register`)
    expect(document['scopes_supported']).toEqual(['notes:read', 'notes:write', 'offline_access'])
    expect(JSON.stringify(document)).not.toContain('null')
  })

  it('MD-06 MD-08 every endpoint is on the issuer’s origin and exists', async () => {
    for (const server of [root, below, full]) {
      const document = await metadata(server)
      const endpoints = Object.entries(document).filter(([name]) => /_(endpoint|uri)$/.test(name))
      expect(endpoints.length).toBeGreaterThan(4)
      for (const [name, url] of endpoints) {
        expect(String(url)).toMatch(new RegExp(`^${server.issuer}/`))
        const response =
          name === 'jwks_uri' || name === 'authorization_endpoint'
            ? await fetch(String(url))
            : await fetch(String(url), { method: 'POST', body: '{}' })
        expect([name, response.status === 404 || response.status >= 500]).toEqual([name, false])
      }
    }
  })

  it('MD-12 the key set is public', async () => {
    const { keys } = (await documentAt(`${root.issuer}/jwks`)) as { keys: Document[] }
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) {
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) {
        expect(key).not.toHaveProperty(secret)
      }
      expect(key).toMatchObject({ kid: expect.any(String), alg: 'ES256', use: 'sig', kty: 'EC' })
    }
  })

  it.each([
    ['registration', { registration: { dynamic: false } }, 'registration_endpoint', '/register'],
    ['introspection', {}, 'introspection_endpoint', '/introspect'],
  ] as [string, TestServerOptions, string, string][])(
    'MD-15 %s that is switched off is neither advertised nor there',
    async (_, options, member, path) => {
      const server = await startServer(options)
      try {
        expect(await metadata(server)).not.toHaveProperty(member)
        expect((await post(server, path, {})).status).toBe(404)
      } finally {
        await server.close()
      }
    },
  )

  it('MD-15 metadata documents that are switched off are refused', async () => {
    const server = await startServer({ clientIdMetadataDocuments: { enabled: false } })
    try {
      expect((await metadata(server))['client_id_metadata_document_supported']).toBe(false)
      const url = `${server.issuer}/authorize?client_id=https%3A%2F%2Fclaude.ai%2Foauth%2Fx`
      expect((await fetch(url)).status).toBe(400)
    } finally {
      await server.close()
    }
  })
})

describe('RFC 9110 how it is asked', () => {
  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
    'MD-07 %s is 405 and changes nothing',
    async (method) => {
      const url = `${root.issuer}/.well-known/oauth-authorization-server`
      const before = await documentAt(url)
      const response = await fetch(url, { method, body: 'x' })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, OPTIONS'])
      expect(await documentAt(url)).toEqual(before)
    },
  )

  it('MD-07 HEAD answers as GET does, without the document', async () => {
    const response = await fetch(`${root.issuer}/.well-known/oauth-authorization-server`, {
      method: 'HEAD',
    })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  it('MD-13 HH-01 no header has any influence', async () => {
    const url = `${root.issuer}/.well-known/oauth-authorization-server`
    const clean = await (await fetch(url)).text()
    const spoofed = [
      { 'x-forwarded-host': 'evil.example' },
      { 'x-forwarded-proto': 'https' },
      { forwarded: 'host=evil.example;proto=https' },
      { 'x-host': 'evil.example' },
      { 'x-original-url': '/evil' },
      { 'x-rewrite-url': '/evil' },
      { origin: 'https://evil.example' },
      { 'x-forwarded-prefix': '/evil' },
      { 'mcp-protocol-version': '2024-11-05' },
      { 'mcp-protocol-version': 'nonsense' },
    ]
    for (const headers of spoofed) {
      const response = await fetch(`${url}?cb=1`, { headers: headers as Record<string, string> })
      expect(await response.text()).toBe(clean)
      const age = /max-age=(\d+)/.exec(response.headers.get('cache-control') ?? '')?.[1]
      expect(Number(age)).toBeLessThanOrEqual(3600)
    }
  })

  it('MD-10 any origin may read, none with credentials', async () => {
    const url = `${root.issuer}/.well-known/oauth-authorization-server`
    const response = await fetch(url, { headers: { origin: 'https://evil.example' } })
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  })

  it.each([
    ['/token', 'POST'],
    ['/register', 'POST'],
    ['/revoke', 'POST'],
    ['/.well-known/oauth-authorization-server', 'GET'],
    ['/.well-known/oauth-protected-resource/mcp', 'GET'],
    ['/jwks', 'GET'],
  ])('CR-03 a browser client may call %s: preflight', async (path, method) => {
    const response = await fetch(`${root.issuer}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://client.example',
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type,mcp-protocol-version',
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-methods')).toContain(method)
    expect(response.headers.get('access-control-allow-headers')).toMatch(/authorization/i)
    expect(response.headers.get('access-control-allow-headers')).toMatch(/mcp-protocol-version/i)
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  })

  it.each(['/authorize', '/consent', '/callback'])('CR-02 %s knows no CORS', async (path) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const response = await fetch(`${root.issuer}${path}`, {
        method,
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      })
      const names = [...response.headers.keys()]
      expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  it('CR-04 nosniff everywhere, and nothing says what it is made of', async () => {
    for (const path of [
      '/.well-known/oauth-authorization-server',
      '/jwks',
      '/authorize',
      '/token',
    ]) {
      const { headers } = await fetch(`${root.issuer}${path}`)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-powered-by')).toBeNull()
      expect(headers.get('server')).toBeNull()
      expect(headers.get('strict-transport-security')).toBeNull()
    }
  })
})

describe('RFC 9728 §3 the resource', () => {
  it('PR-01 PR-02 PR-03 PR-05 PR-06 challenge, document and issuer lead to one another', async () => {
    for (const server of [root, below]) {
      const challenge = (await call(server, undefined)).headers.get('www-authenticate') ?? ''
      const url = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? ''
      expect(new URL(url).origin).toBe(server.origin)
      expect(challenge).not.toContain('offline_access')
      const document = await documentAt(url)
      expect(document).toMatchObject({
        resource: server.resource,
        authorization_servers: [server.issuer],
        bearer_methods_supported: ['header'],
        scopes_supported: ['notes:read', 'notes:write'],
      })
    }
  })

  it('PR-02 the root has the document of the only resource, and of none where there are several', async () => {
    const only = await documentAt(`${root.origin}/.well-known/oauth-protected-resource`)
    expect(only['resource']).toBe(root.resource)
    const several = await startServer({ resources: ['http://127.0.0.1/a', 'http://127.0.0.1/b'] })
    try {
      const at = `${several.origin}/.well-known/oauth-protected-resource`
      expect((await fetch(at)).status).toBe(404)
      expect((await documentAt(`${at}/a`))['resource']).toBe('http://127.0.0.1/a')
      expect((await documentAt(`${at}/b`))['resource']).toBe('http://127.0.0.1/b')
    } finally {
      await several.close()
    }
  })
})

describe('MCP 2025-03-26, Fallbacks for Servers without Metadata Discovery', () => {
  it('a client that guesses /register, /authorize and /token at the origin is served', async () => {
    const guessing = { ...below, issuer: below.origin }
    const client = await register(guessing)
    const authorizing = await fetch(`${below.origin}/authorize?client_id=${client.client_id}`, {
      redirect: 'manual',
    })
    expect(authorizing.status).not.toBe(404)
    const { tokens } = await signIn(below, { client })
    const refreshed = await post(guessing, '/token', {
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token,
      client_id: client.client_id,
    })
    expect(refreshed.status).toBe(200)
  })
})

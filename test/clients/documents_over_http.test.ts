/** Documents over real connections, through the real guarded fetch, from a host on this computer. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createSafeFetch } from '../../src/http/safe_fetch.ts'
import { resolveClient } from '../../src/server/clients/resolve.ts'
import { METADATA_DOCUMENTS } from '../../src/server/config/defaults.ts'
import { createTestContext } from '../support/context.ts'
import { errorOf } from './support.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function openContext() {
  const dangerouslyAllowPrivateAddresses = true
  const metadataDocuments = { ...METADATA_DOCUMENTS, dangerouslyAllowPrivateAddresses }
  const fetch = createSafeFetch({ trustedOrigins: [], dangerouslyAllowPrivateAddresses })
  return createTestContext({ fetch, config: { metadataDocuments } }).context
}

function documentAt(client_id: string, more: object = {}): string {
  const redirect_uris = ['http://localhost/callback']
  return JSON.stringify({ client_id, client_name: 'Client', redirect_uris, ...more })
}

describe('CIMD §4 over the wire', () => {
  it('CI-20 CI-36 a valid document is fetched with a GET that asks for JSON', async () => {
    const seen: unknown[] = []
    const origin: string = await serve((request, response) => {
      seen.push([request.method, request.url, request.headers.accept, request.headers.cookie])
      response.setHeader('content-type', 'application/json')
      response.end(documentAt(`${origin}/c.json?v=1`))
    })
    const client = await resolveClient(openContext(), `${origin}/c.json?v=1`)
    expect(client.source).toBe('metadata_document')
    expect(seen).toEqual([['GET', '/c.json?v=1', 'application/json', undefined]])
  })

  it('CI-22 a redirect to a document that would do is refused, and not followed', async () => {
    const seen: (string | undefined)[] = []
    const origin: string = await serve((request, response) => {
      seen.push(request.url)
      response.setHeader('content-type', 'application/json')
      if (request.url === '/c.json') response.writeHead(302, { location: '/real.json' })
      response.end(documentAt(`${origin}/c.json`))
    })
    expect((await errorOf(resolveClient(openContext(), `${origin}/c.json`))).code).toBe(
      'invalid_client',
    )
    expect(seen).toEqual(['/c.json'])
  })

  it('CI-25 a document of more than 5 KiB, and one that inflates, are refused', async () => {
    const origin: string = await serve((request, response) => {
      response.setHeader('content-type', 'application/json')
      const text = documentAt(`${origin}${request.url}`, { padding: 'x'.repeat(200_000) })
      if (request.url !== '/bomb.json') return response.end(text)
      response.setHeader('content-encoding', 'gzip')
      return response.end(gzipSync(text))
    })
    for (const path of ['/large.json', '/bomb.json']) {
      const error = await errorOf(resolveClient(openContext(), `${origin}${path}`))
      expect(error.code).toBe('invalid_client')
    }
  })

  it('CI-44 a host that hangs up is down, and nothing stays behind', async () => {
    const origin = await serve((request) => request.socket.destroy())
    const error = await errorOf(resolveClient(openContext(), `${origin}/c.json`))
    expect(['invalid_client', 'temporarily_unavailable']).toContain(error.code)
  })

  it('CI-01 CI-48 without the loud permission the same host is never connected to', async () => {
    let connections = 0
    const origin = await serve((_, response) => response.end())
    servers[0]?.on('connection', () => (connections += 1))
    const fetch = createSafeFetch({ trustedOrigins: [], dangerouslyAllowPrivateAddresses: false })
    const { context } = createTestContext({ fetch })
    const { port } = new URL(origin)
    const hosts = [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '[::ffff:7f00:1]',
      '[64:ff9b::7f00:1]',
      '0.0.0.0',
    ]
    for (const host of [...hosts, '[::]', 'localhost.', '[2002:7f00:1::]', '127.1', '2130706433']) {
      for (const scheme of ['https', 'http']) {
        const url = `${scheme}://${host}:${port}/c.json`
        expect([url, (await errorOf(resolveClient(context, url))).code]).toEqual([
          url,
          'invalid_client',
        ])
      }
    }
    expect(connections).toBe(0)
  })
})

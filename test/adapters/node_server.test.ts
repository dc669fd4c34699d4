import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { hardenServer, SERVER_OPTIONS, toNodeHandler } from '../../src/adapters/node.ts'
import { json } from '../../src/http/respond.ts'
import { exchange, head, open, receive, serve, statusOf } from './support.ts'

describe('a hardened server', () => {
  it('DS-01 waits for no head and no request longer than these limits', () => {
    const server = createServer(SERVER_OPTIONS)
    hardenServer(server)
    expect(server.headersTimeout).toBeLessThanOrEqual(15_000)
    expect(server.requestTimeout).toBeLessThanOrEqual(40_000)
    expect(server.requestTimeout).toBeGreaterThan(server.headersTimeout)
    expect(server.keepAliveTimeout).toBeGreaterThan(60_000)
    expect(SERVER_OPTIONS.connectionsCheckingInterval).toBeLessThanOrEqual(5000)
    expect(SERVER_OPTIONS.insecureHTTPParser).toBe(false)
  })

  it('DS-01 fifty dripping connections are cut off, and others are served meanwhile', async () => {
    const { server, port, url } = await serve((_, res) => void res.end('{}'), {
      connectionsCheckingInterval: 20,
    })
    server.headersTimeout = 300
    server.requestTimeout = 600
    const sockets = Array.from({ length: 50 }, (_, index) => {
      const socket = open(port)
      socket.write(
        index % 2 === 0
          ? 'GET / HTTP/1.1\r\nX: '
          : 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      const drop = index % 2 === 0 ? 'x' : '1\r\nx\r\n'
      const drip = setInterval(() => socket.write(drop), 20)
      socket.on('close', () => clearInterval(drip))
      return new Promise<void>((resolve) => socket.resume().on('close', () => resolve()))
    })
    expect((await fetch(url)).status).toBe(200)
    await Promise.all(sockets)
    expect((await fetch(url)).status).toBe(200)
  })

  it('DS-13 a connection on which nothing is ever said is closed', async () => {
    const { server, port } = await serve((_, res) => void res.end('{}'), {
      connectionsCheckingInterval: 20,
    })
    server.headersTimeout = 100
    server.requestTimeout = 100
    expect(statusOf(await receive(open(port)))).toBe(408)
  })

  it('CR-05 CONNECT is 405 and nothing of it comes back', async () => {
    const { port, url } = await serve((_, res) => void res.end('{}'))
    const answer = await exchange(
      port,
      'CONNECT x.test:80 HTTP/1.1\r\nHost: x.test\r\nX-A: b\r\n\r\n',
    )
    expect(statusOf(answer)).toBe(405)
    expect(answer).not.toMatch(/x\.test|X-A/)
    expect((await fetch(url)).status).toBe(200)
  })

  it.each(['websocket', 'h2c', 'TLS/1.2'])(
    'GD-23 an upgrade to %s is ignored',
    async (protocol) => {
      const { port } = await serve((_, res) => void res.end('{}'))
      const answer = await exchange(
        port,
        [
          'GET / HTTP/1.1',
          'Host: h',
          `Upgrade: ${protocol}`,
          'Connection: Upgrade, HTTP2-Settings',
          'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
          '',
          '',
        ].join('\r\n'),
        /\{\}$/,
      )
      expect(statusOf(answer)).toBe(200)
      expect(answer).not.toMatch(/ 101 |\r\nupgrade:/i)
    },
  )
})

describe('GD-21 RFC 9112 §6.1 framing', () => {
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n'
  const chunked = '0\r\n\r\n'

  it.each([
    ['length and chunks', ['Content-Length: 4', 'Transfer-Encoding: chunked'], chunked],
    ['chunks and length', ['Transfer-Encoding: chunked', 'Content-Length: 4'], chunked],
    ['two lengths', ['Content-Length: 0', 'Content-Length: 5'], 'hello'],
    ['a list of lengths', ['Content-Length: 0, 5'], 'hello'],
    ['an unknown coding', ['Transfer-Encoding: xchunked'], chunked],
    ['chunked twice', ['Transfer-Encoding: chunked, chunked'], chunked],
    ['chunked not last', ['Transfer-Encoding: chunked, identity'], chunked],
    ['a blank before the colon', ['Transfer-Encoding : chunked'], chunked],
    ['a vertical tab', ['Transfer-Encoding: \x0bchunked'], chunked],
    ['a signed length', ['Content-Length: +0'], ''],
    ['a negative length', ['Content-Length: -1'], ''],
    ['a hexadecimal length', ['Content-Length: 0x0'], ''],
    ['a length with a fraction', ['Content-Length: 0.0'], ''],
    ['a length in words', ['Content-Length: five'], ''],
    ['an empty length', ['Content-Length:'], ''],
    ['folding', ['X: y', ' Transfer-Encoding: chunked'], chunked],
    ['a bare line feed', ['X: y\nTransfer-Encoding: chunked'], chunked],
    ['a bare carriage return', ['X: y\rTransfer-Encoding: chunked'], chunked],
    ['a NUL in a name', ['Content-Length\0: 5'], ''],
    ['a chunk size with a blank', ['Transfer-Encoding: chunked'], `0 x\r\n\r\n`],
    ['a negative chunk', ['Transfer-Encoding: chunked'], `-1\r\n\r\n`],
    ['a hexadecimal chunk', ['Transfer-Encoding: chunked'], `0x0\r\n\r\n`],
    ['a chunk without its line end', ['Transfer-Encoding: chunked'], `1\r\nxy\r\n0\r\n\r\n`],
    ['a chunk size beyond numbers', ['Transfer-Encoding: chunked'], `fffffffffffffffff\r\n`],
  ])('%s is 400, and what hides behind it is never seen', async (_, headers, body) => {
    const seen: unknown[] = []
    const { port } = await serve((req, res) => {
      seen.push(req.url)
      req
        .on('error', () => {})
        .resume()
        .on('end', () => void res.end('{}'))
    })
    const answer = await exchange(
      port,
      ['POST / HTTP/1.1', 'Host: h', ...headers, '', body].join('\r\n') + hidden,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*connection: close/i)
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(seen).not.toContain('/hidden')
  })
})

describe('toNodeHandler', () => {
  const auth = {
    handle: ({ path }: { path: string }) =>
      Promise.resolve(path === '/token' ? json(200, { path }) : undefined),
  }

  it('answers what is a route and gives the rest to next', async () => {
    const { url } = await serve((req, res) =>
      toNodeHandler(auth)(req, res, () => void res.writeHead(299).end()),
    )
    expect(await (await fetch(`${url}/token`)).json()).toEqual({ path: '/token' })
    expect((await fetch(`${url}/other`)).status).toBe(299)
  })

  it('is 404 for the rest where there is no next', async () => {
    const { url } = await serve(toNodeHandler(auth))
    const answer = await fetch(`${url}/other?secret=1`)
    expect(answer.status).toBe(404)
    expect(await answer.text()).not.toContain('secret')
  })

  it.each([
    ['CR-05 TRACE', head('TRACE /other HTTP/1.1', 'Host: h', 'X-A: echo'), 404],
    ['a target without a path', head('OPTIONS * HTTP/1.1', 'Host: h'), 400],
    ['two Hosts', head('GET /token HTTP/1.1', 'Host: h', 'Host: x'), 400],
  ])('%s echoes nothing and ends nothing', async (_, sent, status) => {
    const { port, url } = await serve(toNodeHandler(auth))
    const answer = await exchange(port, sent)
    expect(statusOf(answer)).toBe(status)
    expect(answer).not.toContain('echo')
    expect((await fetch(`${url}/token`)).status).toBe(200)
  })

  it('DS-15 a bug is 500 without a word of itself', async () => {
    const broken = { handle: () => Promise.reject(new Error('secret detail')) }
    const { url } = await serve(toNodeHandler(broken))
    const answer = await fetch(url)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret')
  })

  it('a bug after the head is written breaks off', async () => {
    const broken = {
      handle: () => Promise.resolve({ status: 200, headers: { 'x-a': 'a\nb' }, body: '{}' }),
    }
    const { url } = await serve((req, res) => {
      res.flushHeaders()
      toNodeHandler(broken)(req, res)
    })
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow()
  })
})

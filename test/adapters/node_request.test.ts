import { describe, expect, it } from 'vitest'
import type { HttpRequest } from '../../src/http/message.ts'
import { bodyOf, exchange, head, open, receive, serve, serveSeen, statusOf } from './support.ts'

const LIMIT = 1000
const readText = async (request: HttpRequest) => ({
  text: Buffer.from(await request.readBody(LIMIT)).toString(),
})
const seeTarget = ({ method, path, query }: HttpRequest) => ({ method, path, query })

describe('the target', () => {
  it.each([
    ['/', '/', ''],
    ['/a?b=c', '/a', 'b=c'],
    ['/a?b=/../c?d', '/a', 'b=/../c?d'],
    ['/a?', '/a', ''],
    ['//a', '//a', ''],
    ['/a/../b', '/a/../b', ''],
    ['/%61%2f..;x', '/%61%2f..;x', ''],
    ['/a\\..\\b', '/a\\..\\b', ''],
    ['/a#b', '/a#b', ''],
    ['/?a#b', '/', 'a#b'],
    ['http://h.test/a?b', '/a', 'b'],
    ['HTTP://H.test/a/../b', '/a/../b', ''],
    ['http://h.test', '/', ''],
    ['http://h.test?b', '/', 'b'],
  ])('RFC 9112 §3.2 %s stays as it is', async (target, path, query) => {
    const { port } = await serveSeen(seeTarget)
    const answer = await exchange(port, head(`GET ${target} HTTP/1.1`, 'Host: h.test'))
    expect(JSON.parse(bodyOf(answer))).toEqual({ method: 'GET', path, query })
  })

  it.each([
    ['another host', 'http://evil.test/a', ['Host: h.test']],
    ['the host behind a user', 'http://h.test@evil.test/a', ['Host: h.test']],
    ['the host before a port', 'http://h.test:81/a', ['Host: h.test']],
    ['another scheme', 'gopher://h.test/a', ['Host: h.test']],
    ['no host to compare', 'http://h.test/a', []],
    ['an asterisk', '*', ['Host: h.test']],
    ['no host in the target', 'http:///a', ['Host: ']],
  ])('HH-04 the absolute form with %s is 400', async (_, target, headers) => {
    const { port } = await serveSeen(seeTarget)
    for (const method of ['GET', 'OPTIONS']) {
      const answer = await exchange(port, head(`${method} ${target} HTTP/1.1`, ...headers))
      expect(statusOf(answer)).toBe(400)
    }
  })

  it.each([
    ['two Hosts', ['Host: h.test', 'Host: evil.test']],
    ['the same Host twice', ['Host: h.test', 'HOST: h.test']],
    ['no Host', []],
  ])('HH-04 %s in HTTP/1.1 is 400', async (_, headers) => {
    const { port } = await serveSeen(seeTarget)
    expect(statusOf(await exchange(port, head('GET / HTTP/1.1', ...headers)))).toBe(400)
  })

  it('HTTP/1.0 needs no Host, and has no chunks', async () => {
    const { port } = await serveSeen(seeTarget)
    expect(await exchange(port, head('GET /a HTTP/1.0'))).toContain('"path":"/a"')
    const chunked = await exchange(
      port,
      'POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n',
    )
    expect(statusOf(chunked)).toBe(400)
  })

  it('HH-06 the path that a framework cuts off is still there', async () => {
    const { toHttpRequest } = await import('../../src/adapters/node.ts')
    const { port } = await serve((req, res) => {
      const mounted = Object.assign(req, { originalUrl: req.url, url: '/token' })
      res.end(toHttpRequest(mounted).path)
    })
    expect(bodyOf(await exchange(port, head('GET /auth/token HTTP/1.1', 'Host: h')))).toContain(
      '/auth/token',
    )
  })
})

describe('headers', () => {
  it('GD-32 doubles are kept, in the order and spelling of the wire', async () => {
    const { port } = await serveSeen(({ rawHeaders }) => rawHeaders)
    const sent = ['Host: h', 'AUTHORIZATION: Bearer a', 'authorization: Bearer b', 'x_y: 1']
    const answer = await exchange(port, head('GET / HTTP/1.1', ...sent))
    expect(JSON.parse(bodyOf(answer))).toEqual([
      ...sent.flatMap((line) => line.split(': ')),
      ...['Connection', 'close'],
    ])
  })

  it.each([300, 1999, 2500])(
    'GD-34 %s headers are 431: Node would drop some in silence',
    async (count) => {
      const { port } = await serveSeen(({ rawHeaders }) => rawHeaders.length)
      const many = Array.from({ length: count }, () => 'a:')
      const answer = await exchange(port, head('GET / HTTP/1.1', 'Host: h', ...many))
      expect(statusOf(answer)).toBe(431)
      expect(statusOf(await exchange(port, head('GET / HTTP/1.1', 'Host: h')))).toBe(200)
    },
  )

  it.each([20_000, 70_000])('GD-34 a token of %s bytes is 431', async (size) => {
    const { port } = await serveSeen(seeTarget)
    const answer = await exchange(
      port,
      head('GET / HTTP/1.1', 'Host: h', `Authorization: Bearer ${'x'.repeat(size)}`),
    )
    expect(statusOf(answer)).toBe(431)
    expect(statusOf(await exchange(port, head('GET / HTTP/1.1', 'Host: h')))).toBe(200)
  })

  it('the peer’s address is the socket’s', async () => {
    const { port } = await serveSeen(({ remoteAddress }) => ({ remoteAddress }))
    const spoofed = ['X-Forwarded-For: 6.6.6.6', 'Forwarded: for=6.6.6.6', 'X-Real-IP: 6.6.6.6']
    const answer = await exchange(port, head('GET / HTTP/1.1', 'Host: h', ...spoofed))
    expect(JSON.parse(bodyOf(answer))).toEqual({ remoteAddress: '127.0.0.1' })
  })
})

const post = (...headers: readonly string[]) =>
  ['POST / HTTP/1.1', 'Host: h', ...headers, '', ''].join('\r\n')

describe('the body', () => {
  it.each([
    ['with a length', `${post('Content-Length: 5', 'Connection: close')}hello`, 'hello'],
    [
      'in chunks',
      `${post('Transfer-Encoding: chunked', 'Connection: close')}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
      'hello',
    ],
    ['that is empty', post('Content-Length: 0', 'Connection: close'), ''],
    ['that is absent', post('Connection: close'), ''],
    [
      'called identity',
      `${post('Content-Encoding: identity', 'Content-Length: 1', 'Connection: close')}x`,
      'x',
    ],
    [
      'at the limit',
      `${post(`Content-Length: ${LIMIT}`, 'Connection: close')}${'x'.repeat(LIMIT)}`,
      'x'.repeat(LIMIT),
    ],
  ])('%s is read whole', async (_, sent, text) => {
    for (const keepBody of [false, true]) {
      const { port } = await serveSeen(readText, { keepBody })
      expect(JSON.parse(bodyOf(await exchange(port, sent)))).toEqual({ text })
    }
  })

  it('that comes in pieces is read whole', async () => {
    const { port } = await serveSeen(readText)
    const socket = open(port)
    const text = 'a body in pieces'
    socket.write(post(`Content-Length: ${text.length}`, 'Connection: close'))
    for (const letter of text) {
      await new Promise((resolve) => setImmediate(resolve))
      socket.write(letter)
    }
    expect(JSON.parse(bodyOf(await receive(socket)))).toEqual({ text })
  })

  it('one larger than the buffers of the stream is read whole', async () => {
    const { url } = await serveSeen(async (request) => (await request.readBody(4e6)).length)
    const answer = await fetch(url, { method: 'POST', body: 'x'.repeat(4e6) })
    expect(await answer.json()).toBe(4e6)
  })

  it('asked for late, or asked for twice', async () => {
    const { port } = await serveSeen(async (request) => {
      await new Promise((resolve) => setImmediate(resolve))
      const { text } = await readText(request)
      return { text, again: await readText(request).catch((error: Error) => error.message) }
    })
    const answer = await exchange(port, `${post('Content-Length: 5', 'Connection: close')}hello`)
    expect(JSON.parse(bodyOf(answer))).toEqual({
      text: 'hello',
      again: 'the body of a request was asked for twice',
    })
  })

  it('keep-alive: the next request on the connection is read after a body that nobody read', async () => {
    const { port } = await serveSeen(({ path }) => ({ path }))
    const answer = await exchange(
      port,
      `${post('Content-Length: 5')}hello${head('GET /next HTTP/1.1', 'Host: h')}`,
    )
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
    expect(answer).toContain('"path":"/next"')
  })

  it.each([
    ['announced', `${post('Content-Length: 2000')}${'x'.repeat(10)}`],
    ['announced beyond all numbers', post(`Content-Length: 9007199254740993`)],
    ['in chunks', `${post('Transfer-Encoding: chunked')}7d0\r\n${'x'.repeat(2000)}\r\n`],
  ])('RFC 9110 §15.5.14 413 for one too large, %s', async (_, sent) => {
    const { port } = await serveSeen(readText)
    const answer = await exchange(port, sent, /\}$/)
    expect(statusOf(answer)).toBe(413)
    expect(answer).toContain('"error":"invalid_request"')
  })

  it('413 closes the connection when the rest is still to come', async () => {
    const { port } = await serveSeen(readText)
    const answer = await exchange(port, post('Content-Length: 100000'), /\}$/)
    expect(statusOf(answer)).toBe(413)
    expect(answer).toMatch(/connection: close/i)
  })

  it('413 reaches a client that first sends everything', async () => {
    const { port } = await serveSeen(readText)
    const answer = await exchange(port, `${post('Content-Length: 200000')}${'x'.repeat(200_000)}`)
    expect(statusOf(answer)).toBe(413)
  })

  it.each(['gzip', 'br', 'deflate', 'GZIP', 'gzip, gzip', 'identity, gzip', 'x', ''])(
    'DS-04 RFC 9110 §8.4 415 for a body in %j, before a byte of it is read',
    async (coding) => {
      const { port } = await serveSeen(readText)
      const answer = await exchange(
        port,
        post(`Content-Encoding: ${coding}`, 'Content-Length: 300000000'),
        /\}$/,
      )
      expect(statusOf(answer)).toBe(415)
    },
  )

  it('DS-04 identity beside another coding is 415', async () => {
    const { port } = await serveSeen(readText)
    const sent = post(
      'Content-Encoding: identity',
      'Content-Encoding: gzip',
      'Content-Length: 70000',
    )
    expect(statusOf(await exchange(port, sent, /\}$/))).toBe(415)
  })

  it('DS-01 RFC 9110 §15.5.9 408 for one that drips', async () => {
    const { port } = await serveSeen(readText, { bodyTimeout: 0.05 })
    const socket = open(port)
    socket.write(post('Transfer-Encoding: chunked'))
    const drip = setInterval(() => socket.write('1\r\nx\r\n'), 10)
    const answer = await receive(socket, /\}$/)
    clearInterval(drip)
    expect(statusOf(answer)).toBe(408)
    expect(answer).toMatch(/connection: close/i)
  })

  it('DS-09 one without end is cut off soon, and others are served', async () => {
    const { port, url } = await serveSeen(readText)
    const socket = open(port)
    socket.write(post('Transfer-Encoding: chunked'))
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
    let sent = 0
    const closed = new Promise((resolve) => socket.on('close', resolve))
    const pump = () => {
      while (!socket.destroyed && sent < 64e6) {
        sent += chunk.length
        if (!socket.write(chunk)) return
      }
    }
    socket.on('drain', pump).resume()
    pump()
    expect((await fetch(url)).status).toBe(200)
    await closed
    expect(sent).toBeLessThan(16e6)
  })

  it('a client that leaves in the middle leaves nothing behind', async () => {
    let seen: unknown
    const over = new Promise<void>((resolve) => {
      void serveSeen(async (request) => {
        seen = await readText(request).catch((error: unknown) => error)
        resolve()
      }).then(({ port }) => {
        const socket = open(port)
        socket.write(`${post('Content-Length: 50')}hello`, () => socket.destroy())
      })
    })
    await over
    expect(seen).toMatchObject({ code: 'invalid_request', status: 400 })
  })

  it('asked for after the client has left, it is not waited for', async () => {
    let seen: unknown
    const over = new Promise<void>((resolve) => {
      void serve((req, res) => {
        res.on('close', () => {
          void import('../../src/adapters/node.ts').then(async ({ toHttpRequest }) => {
            seen = await toHttpRequest(req)
              .readBody(10)
              .catch((error: unknown) => error)
            resolve()
          })
        })
      }).then(({ port }) => {
        const socket = open(port)
        socket.write(`${post('Content-Length: 50')}hello`)
        setTimeout(() => socket.destroy(), 50)
      })
    })
    await over
    expect(seen).toMatchObject({ code: 'invalid_request', status: 400 })
  })
})

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createBackend, TIMEOUTS, type Timeouts } from '../../src/gateway/backend.ts'
import { failed } from '../../src/gateway/answers.ts'
import { forward, type Ending, type Exchange } from '../../src/gateway/proxy.ts'
import { startBackend, startRaw, until, type TestServer } from './support/backend.ts'
import { UNTRUSTED } from './support/certificate.ts'

const opened: { close(): Promise<unknown> }[] = []

afterEach(async () => {
  for (const server of opened.splice(0).reverse()) await server.close()
})

function keep<T extends { close(): Promise<unknown> }>(server: T): T {
  opened.push(server)
  return server
}

/** A server whose every request is forwarded to `to`, as the gateway does it behind its guard. */
async function startFront(to: string, timeouts: Partial<Timeouts> = {}) {
  const backend = createBackend(to, { ...TIMEOUTS, ...timeouts })
  const exchanges: Exchange[] = []
  const endings: Ending[] = []
  const server = keep(
    await startBackend((req, res) => {
      const exchange = forward(backend, res, {
        method: req.method === 'GET' || req.method === 'DELETE' ? req.method : 'POST',
        path: `/mcp${new URL(req.url ?? '', 'http://x').search}`,
        headers: ['x-id', String(req.headers['x-id'] ?? '')],
        body: req.method === 'POST' ? Buffer.from('{"jsonrpc":"2.0"}') : undefined,
        answerHeaders: (headers) => headers,
      })
      exchanges.push(exchange)
      void exchange.done.then((ending) => {
        endings.push(ending)
        if (ending.outcome === 'failed') fail(res, ending)
      })
    }),
  )
  keep({ close: () => backend.pool.destroy() })
  return { ...server, exchanges, endings, backend }
}

function fail(res: ServerResponse, { failure }: Ending & { outcome: 'failed' }): void {
  const { status, headers, body } = failed(failure, {})
  res.writeHead(status, { ...headers } as { [name: string]: string }).end(body)
}

function json(res: ServerResponse, value: unknown, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

describe('answers', () => {
  it('passes status, body and type on', async () => {
    const backend = keep(await startBackend((_, res) => json(res, { ok: true }, 400)))
    const front = await startFront(backend.url)
    const answer = await fetch(front.url, { method: 'POST' })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ ok: true })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('passes each event on at once, and says so to proxies', async () => {
    let stream: ServerResponse | undefined
    const backend = keep(
      await startBackend((_, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
        stream = res
      }),
    )
    const front = await startFront(backend.url)
    const answer = await fetch(front.url)
    expect(answer.headers.get('x-accel-buffering')).toBe('no')
    const reader = answer.body?.getReader()
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      stream?.write(text)
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(text)
    }
    stream?.end()
    expect((await reader?.read())?.done).toBe(true)
    await until(() => front.endings[0]?.outcome === 'answered')
  })

  it.each([
    ['GW-01 a redirect', { location: 'http://evil.test/' }, 307],
    ['PR-09 a challenge with 401', { 'www-authenticate': 'Bearer resource_metadata="x"' }, 401],
    ['PR-09 a challenge with 403', { 'www-authenticate': 'Bearer scope="x"' }, 403],
    ['PR-09 a bare 401', {}, 401],
    ['GW-19 a page', { 'content-type': 'text/html' }, 200],
    ['GW-19 no type at all', {}, 200],
  ])('%s is 502 without a word of the backend', async (_, headers, status) => {
    const backend = keep(
      await startBackend((_req, res) => res.writeHead(status, headers).end('<script>x</script>')),
    )
    const front = await startFront(backend.url)
    const answer = await fetch(front.url, { redirect: 'manual' })
    expect(answer.status).toBe(502)
    expect(answer.headers.get('www-authenticate')).toBeNull()
    expect(answer.headers.get('location')).toBeNull()
    expect(await answer.text()).not.toMatch(/<script|evil|127\.0\.0\.1/)
  })

  it('GW-19 the page of an error keeps its status and loses its body', async () => {
    const backend = keep(
      await startBackend((_, res) =>
        res.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Cannot GET'),
      ),
    )
    const front = await startFront(backend.url)
    const answer = await fetch(front.url)
    expect([answer.status, await answer.text()]).toEqual([404, ''])
  })

  it.each([
    ['no type and no words', {}, ''],
    ['a page', { 'content-type': 'text/html' }, '<h1>Gone'],
  ])('GW-19 the end of a session passes with %s, and without a body', async (_, headers, body) => {
    const backend = keep(
      await startBackend((_req, res) => {
        res.writeHead(200, { ...headers, 'mcp-session-id': 's' }).write(body)
        res.end()
      }),
    )
    const front = await startFront(backend.url)
    const answer = await fetch(front.url, { method: 'DELETE' })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
    expect(answer.headers.get('mcp-session-id')).toBe('s')
    expect(answer.headers.get('content-type')).toBeNull()
  })

  it.each([
    ['GW-01 a redirect', { location: 'http://evil.test/' }, 307],
    ['PR-09 a challenge', { 'www-authenticate': 'Bearer resource_metadata="x"' }, 401],
  ])('%s at the end of a session is 502', async (_, headers, status) => {
    const backend = keep(await startBackend((_req, res) => res.writeHead(status, headers).end()))
    const front = await startFront(backend.url)
    const answer = await fetch(front.url, { method: 'DELETE', redirect: 'manual' })
    expect(answer.status).toBe(502)
    expect(answer.headers.get('www-authenticate')).toBeNull()
  })

  it.each([
    ['application/json', '{}'],
    ['text/plain', 'Accepted'],
  ])('GW-19 %s cannot run on this origin', async (type, body) => {
    const backend = keep(
      await startBackend((_, res) => res.writeHead(202, { 'content-type': type }).end(body)),
    )
    const front = await startFront(backend.url)
    const { headers } = await fetch(front.url)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain('sandbox')
  })

  it('GW-18 headers that would rule the origin do not pass', async () => {
    const unwanted = {
      'set-cookie': ['a=1', 'b=2'],
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': 'true',
      location: '/x',
      server: 'secret/1.0',
      'alt-svc': 'h3=":1"',
      'strict-transport-security': 'max-age=1',
      'clear-site-data': '"*"',
      'x-powered-by': 'x',
      'cache-control': 'public, max-age=9',
      'service-worker-allowed': '/',
      refresh: '0;url=http://evil.test',
      link: '<http://evil.test>; rel=preload',
      trailer: 'x',
    }
    const backend = keep(
      await startBackend((_, res) =>
        res.writeHead(200, { ...unwanted, 'content-type': 'application/json' }).end('{}'),
      ),
    )
    const front = await startFront(backend.url)
    const { headers } = await fetch(front.url)
    const passed = [...headers.keys()].filter((name) => name in unwanted)
    expect(passed).toEqual(['cache-control'])
    expect(headers.get('cache-control')).toBe('no-store')
  })
})

describe('failures', () => {
  it('GW-20 a dead backend is 502 without its address', async () => {
    const dead = await startBackend(() => {})
    await dead.close()
    const front = await startFront(dead.url)
    const answer = await fetch(front.url, { method: 'POST' })
    const text = await answer.text()
    expect(answer.status).toBe(502)
    expect(text).not.toContain('127.0.0.1')
    expect(text).not.toContain(String(dead.port))
    expect(JSON.parse(text)).toMatchObject({ error: 'server_error' })
  })

  it('GW-14 a backend that never answers is 504, and the place is free again', async () => {
    const backend = keep(await startBackend(() => {}))
    const front = await startFront(backend.url, { headers: 0.2 })
    expect((await fetch(front.url, { method: 'POST' })).status).toBe(504)
    expect(front.endings).toHaveLength(1)
  })

  it('GW-14 an answer that stops in its middle is broken off', async () => {
    const backend = keep(
      await startBackend((_, res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-length': 10 }).write('{')
      }),
    )
    const front = await startFront(backend.url, { idle: 0.2 })
    const answer = await fetch(front.url)
    await expect(answer.text()).rejects.toThrow()
    expect(front.endings[0]?.outcome).toBe('broken_off')
  })

  it('GW-14 a silent stream lives until its own limit, where one is set', async () => {
    const backend = keep(
      await startBackend((_, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      }),
    )
    const front = await startFront(backend.url, { idle: 0.1, stream: 0.5 })
    const begun = Date.now()
    const answer = await fetch(front.url)
    await expect(answer.text()).rejects.toThrow()
    expect(Date.now() - begun).toBeGreaterThan(400)
  })

  it('GW-17 a call whose backend resets is 502 and was sent once', async () => {
    const backend = keep(await startRaw((socket) => socket.resetAndDestroy()))
    const front = await startFront(backend.url)
    const answer = await fetch(front.url, { method: 'POST' })
    expect(answer.status).toBe(502)
    expect(backend.received.filter((text) => text !== '')).toHaveLength(1)
  })

  it('GW-17 a kept connection that the backend resets is not a reason to send again', async () => {
    const ok = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'
    const backend = keep(
      await startRaw((socket, _, count) => {
        if (count === 1) socket.write(ok)
        else socket.resetAndDestroy()
      }),
    )
    const front = await startFront(backend.url)
    await (await fetch(front.url, { method: 'POST' })).text()
    expect((await fetch(front.url, { method: 'POST' })).status).toBe(502)
    expect(backend.received.join('').match(/POST \/mcp/g)).toHaveLength(2)
  })

  it('GW-23 a backend cannot upgrade the connection', async () => {
    const backend = keep(
      await startRaw((socket) =>
        socket.write('HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\nPRI'),
      ),
    )
    const front = await startFront(backend.url)
    expect((await fetch(front.url)).status).toBe(502)
  })
})

describe('a broken backend harms nobody else', () => {
  const answer = (id: string) =>
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${id.length}\r\n\r\n${id}`
  const idOf = (text: string) => /x-id: (\d+)/.exec(text)?.[1] ?? '?'

  it.each([
    ['bytes behind the answer', (id: string) => answer(id) + answer('"stolen"')],
    ['a length too small', (id: string) => answer(id) + 'tail'],
    [
      'a hundred interim answers',
      (id: string) => 'HTTP/1.1 102 P\r\n\r\n'.repeat(100) + answer(id),
    ],
  ])('GW-07 %s: each of 1000 clients sees only its own', async (_, written) => {
    const backend = keep(
      await startRaw((socket, text) => {
        const id = idOf(text)
        socket.write(Number(id) % 7 === 0 ? written(id) : answer(id))
      }),
    )
    const front = await startFront(backend.url)
    for (let round = 0; round < 20; round += 1) {
      const ids = Array.from({ length: 50 }, (_empty, index) => String(round * 50 + index))
      const answers = await Promise.all(
        ids.map(async (id) => {
          const response = await fetch(front.url, { method: 'POST', headers: { 'x-id': id } })
          return response.status === 200 ? await response.text() : id
        }),
      )
      expect(answers).toEqual(ids)
    }
  })

  it('GW-07 a flood of interim answers buys no time', async () => {
    const backend = keep(
      await startRaw((socket) => {
        const flood = setInterval(() => socket.write('HTTP/1.1 102 P\r\n\r\n'), 20)
        socket.on('close', () => clearInterval(flood))
      }),
    )
    const front = await startFront(backend.url, { headers: 0.3 })
    expect((await fetch(front.url, { method: 'POST' })).status).toBe(504)
  })

  it('GW-08 500 clients that leave at any byte: the backend hears of it, and nobody gets their answer', async () => {
    let aborted = 0
    const backend = keep(
      await startBackend((req, res) => {
        res.on('close', () => (aborted += res.writableFinished ? 0 : 1))
        const id = String(req.headers['x-id'])
        if (id.startsWith('9'))
          return void res.writeHead(200, { 'content-type': 'application/json' }).end(id)
        setTimeout(
          () => {
            res
              .writeHead(200, { 'content-type': 'application/json', 'content-length': 9 })
              .write('gone')
          },
          Number(id) % 5,
        )
      }),
    )
    const front = await startFront(backend.url)
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => leaveEarly(front, round * 50 + index)),
      )
    }
    for (const id of ['901', '902', '903']) {
      const response = await fetch(front.url, { headers: { 'x-id': id } })
      expect(await response.text()).toBe(id)
    }
    await until(() => front.endings.filter(({ outcome }) => outcome === 'client_left').length > 400)
    await until(() => aborted > 400)
  })
})

/** Sends a request and cuts the connection after some milliseconds. */
async function leaveEarly({ port }: TestServer, id: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(`GET /mcp HTTP/1.1\r\nhost: x\r\nx-id: ${id % 500}\r\n\r\n`)
  await new Promise((resolve) => setTimeout(resolve, 5 + (id % 9)))
  socket.destroy()
}

describe('flow', () => {
  it('GW-16 clients that drop their streams leave nothing open at the backend', async () => {
    let open = 0
    const backend = keep(
      await startBackend((_, res) => {
        open += 1
        res.on('close', () => (open -= 1))
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      }),
    )
    const front = await startFront(backend.url)
    for (let round = 0; round < 5; round += 1) {
      const leave = new AbortController()
      await Promise.all(
        Array.from({ length: 40 }, () => fetch(front.url, { signal: leave.signal })),
      )
      expect(open).toBe(40)
      leave.abort()
      await until(() => open === 0)
    }
    expect(front.endings).toHaveLength(200)
  })

  it('GW-13 a reader that does not read stops the backend, and is cut in the end', async () => {
    let written = 0
    const backend = keep(
      await startBackend((_, res) => {
        res.writeHead(200, { 'content-type': 'application/json' })
        const chunk = Buffer.alloc(64 * 1024, 'x')
        const write = () => {
          while (!res.destroyed && written < 1e9) {
            written += chunk.length
            if (!res.write(chunk)) return
          }
        }
        res.on('drain', write)
        write()
      }),
    )
    const front = await startFront(backend.url, { stall: 1.5 })
    const before = process.memoryUsage().rss
    const socket = connect(front.port, '127.0.0.1').on('error', () => {})
    socket.write('GET /mcp HTTP/1.1\r\nhost: x\r\n\r\n')
    socket.pause()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const held = written
    await new Promise((resolve) => setTimeout(resolve, 200))
    // Only what the sockets' own buffers hold has left the backend.
    expect(written).toBe(held)
    expect(written).toBeLessThan(40e6)
    expect(process.memoryUsage().rss - before).toBeLessThan(80e6)
    await until(() => front.endings[0]?.outcome === 'broken_off')
    socket.destroy()
  })

  it('a slow reader that reads gets everything', async () => {
    const backend = keep(
      await startBackend((_, res) => {
        res.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.alloc(5e6, 'y'))
      }),
    )
    const front = await startFront(backend.url)
    const response = await fetch(front.url)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await response.arrayBuffer()).byteLength).toBe(5e6)
  })

  it('a backend that breaks off breaks off the client', async () => {
    const backend = keep(
      await startBackend((_, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
        setTimeout(() => res.destroy(), 50)
      }),
    )
    const front = await startFront(backend.url)
    const response = await fetch(front.url)
    await expect(response.text()).rejects.toThrow()
  })

  it.each([
    ['between two events', 'data: 1\n\n', 'data: 1\n\nevent: error\ndata: {"reason":"why"}\n\n'],
    ['in an event, without a word', 'data: 1\nda', 'data: 1\nda'],
  ])('stop ends a stream %s', async (_, sent, got) => {
    const backend = keep(
      await startBackend((_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write(sent)
      }),
    )
    const front = await startFront(backend.url)
    const response = await fetch(front.url)
    const reader = response.body?.getReader()
    const first = await reader?.read()
    front.exchanges[0]?.stop('why')
    let text = Buffer.from(first?.value ?? []).toString()
    for (;;) {
      const next = await reader?.read()
      if (next === undefined || next.done) break
      text += Buffer.from(next.value).toString()
    }
    expect(text).toBe(got)
    expect(front.endings[0]?.outcome).toBe('stopped')
  })
})

it('GW-21 a backend whose certificate nobody trusts is 502', async () => {
  let calls = 0
  const server = createServer(UNTRUSTED, (_, res) => {
    calls += 1
    res.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  keep({ close: () => new Promise((resolve) => server.close(resolve)) })
  const { port } = server.address() as AddressInfo
  const front = await startFront(`https://127.0.0.1:${port}/mcp`)
  expect((await fetch(front.url)).status).toBe(502)
  expect(calls).toBe(0)
})

import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { createLog } from '../../src/gateway/log.ts'
import { memory } from '../../src/stores/memory.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { createAgent } from '../support/agent.ts'
import { authorizeUrl, pkce, register } from '../support/flow.ts'
import { startBackend, startEcho, startRaw, until } from './support/backend.ts'
import {
  callOf,
  endGrant,
  ISSUER,
  RESOURCE,
  startGateway,
  UPSTREAM,
  type TestGateway,
} from './support/gateway.ts'

const opened: { close(): Promise<unknown> }[] = []

afterEach(async () => {
  for (const server of opened.splice(0).reverse()) await server.close()
})

function keep<T extends { close(): Promise<unknown> }>(server: T): T {
  opened.push(server)
  return server
}

/** An echoing backend behind a gateway, and the token of a user. */
async function startBoth(...[choice = {}, backend = {}]: Parameters<typeof setUp>) {
  return await setUp(choice, backend)
}

async function setUp(
  choice: Parameters<typeof startGateway>[1] & { identity?: 'headers' | 'upstream_token' } = {},
  answer: Parameters<typeof startEcho>[0] = {},
) {
  const { identity, ...options } = choice
  const backend = keep(await startEcho(answer))
  const front = keep(
    await startGateway({ to: backend.url, ...(identity && { identity }) }, options),
  )
  const { token, grantId } = await front.signIn('ada')
  return { backend, front, token, grantId }
}

describe('calls', () => {
  it('a call with a token reaches the backend as it was sent', async () => {
    const { backend, front, token } = await startBoth()
    const answer = await fetch(`${front.url}?a=1`, callOf(token))
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ result: { url: '/mcp?a=1' } })
    expect(JSON.parse(backend.seen[0]?.body ?? '')).toMatchObject({ method: 'tools/list' })
  })

  it('GD-01 a call without a token gets a challenge and goes no further', async () => {
    const { backend, front } = await startBoth()
    const answer = await fetch(front.url, callOf(undefined))
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(backend.seen).toEqual([])
  })

  it('GW-01 the client’s token never reaches the backend', async () => {
    const { backend, front, token } = await startBoth({ identity: 'headers' })
    await fetch(`${front.url}?access=1`, callOf(token, 'tools/list', { cookie: 'a=1' }))
    expect(backend.seen[0]?.headers).not.toHaveProperty('authorization')
    expect(backend.seen[0]?.headers).not.toHaveProperty('cookie')
    expect(JSON.stringify(backend.seen)).not.toContain(token)
  })

  it('GW-01 a redirect of the backend is not followed', async () => {
    const evil = keep(await startEcho())
    const backend = keep(
      await startBackend((_, res) => res.writeHead(307, { location: evil.url }).end()),
    )
    const front = keep(await startGateway(backend.url))
    const { token } = await front.signIn('ada')
    expect((await fetch(front.url, callOf(token))).status).toBe(502)
    expect(evil.seen).toEqual([])
  })

  it.each(['PUT', 'PATCH', 'OPTIONS', 'TRACE-ME', 'QUERY', 'PROPFIND', 'HEAD'])(
    'GW-05 %s with a good token never reaches the backend',
    async (method) => {
      const { backend, front, token } = await startBoth()
      const headers = { authorization: `Bearer ${token}` }
      const { status } = await fetch(front.url, { method, headers }).catch(() => ({ status: 400 }))
      expect(status).toBeGreaterThanOrEqual(200)
      expect(backend.seen).toEqual([])
    },
  )
})

describe('GD-15 GD-16 GW-02 GW-03 who calls is said by the gateway alone', () => {
  const claimed = [
    ...['X-Mcp-User', 'x-mcp-user', 'X_MCP_USER', 'x-mcp_user', 'X-MCP-USER-EMAIL', 'X-Mcp-Scope'],
    ...['X-Forwarded-User', 'X-Forwarded-Email', 'X_Forwarded_User', 'X-Forwarded-Access-Token'],
    ...[
      'X-Auth-Request-User',
      'X-Auth-Request-Email',
      'Remote-User',
      'Remote_User',
      'X-Remote-User',
    ],
    ...['X-User', 'X-User-Id', 'X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override'],
    ...['X-Real-IP', 'X-Forwarded-Host', 'Forwarded', 'X-Mcp-Identity', 'X-Forwarded-Proto'],
  ]

  it.each([
    ['close, x-mcp-user, authorization, x-mcp-scope, content-type'],
    ['keep-alive, X-MCP-USER, x-forwarded-for'],
  ])('with Connection: %s', async (connection) => {
    const { backend, front, token } = await startBoth({ identity: 'headers' })
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}'
    const answer = await send(front, [
      'POST /mcp HTTP/1.1',
      'Host: mcp.test',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
      `Content-Length: ${body.length}`,
      ...claimed.map((name) => `${name}: mallory`),
      'X-Mcp-User : mallory'.replace(' :', ':'),
      `Connection: ${connection}`,
      '',
      body,
    ])
    expect(answer).toMatch(/^HTTP\/1.1 200/)
    const [seen] = backend.seen
    expect(JSON.stringify(seen)).not.toContain('mallory')
    expect(JSON.stringify(seen)).not.toContain(token)
    const names = seen?.rawHeaders.filter((_, index) => index % 2 === 0).map((n) => n.toLowerCase())
    expect(names?.filter((name) => name === 'x-mcp-user')).toHaveLength(1)
    expect(seen?.headers).toMatchObject({ 'x-mcp-user': 'ada', 'x-mcp-user-sub': 'ada' })
    expect(names?.filter((name) => name.includes('_'))).toEqual([])
  })

  it('GD-15 without a token they are worth nothing', async () => {
    const { backend, front } = await startBoth({ identity: 'headers' })
    const headers = Object.fromEntries(claimed.map((name) => [name, 'ada']))
    const answer = await fetch(front.url, callOf(undefined, 'tools/list', headers))
    expect(answer.status).toBe(401)
    expect(backend.seen).toEqual([])
  })

  it('GW-25 where a call came from is the gateway’s account', async () => {
    const { backend, front, token } = await startBoth()
    const headers = {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-host': 'evil.test',
      forwarded: 'for=6.6.6.6',
      'x-real-ip': '6.6.6.6',
    }
    await fetch(front.url, callOf(token, 'tools/list', headers))
    expect(backend.seen[0]?.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'mcp.test',
    })
    expect(JSON.stringify(backend.seen)).not.toMatch(/6\.6\.6\.6|evil/)
  })

  it('GW-04 a user with a hostile name is one plain header', async () => {
    const { backend, front } = await startBoth({ identity: 'headers' })
    const user = { name: 'a\r\nX-Admin: 1 \u{1f600}' }
    const { token } = await front.signIn('eve', { user })
    expect((await fetch(front.url, callOf(token))).status).toBe(200)
    const seen = backend.seen[0]?.headers ?? {}
    expect(seen).not.toHaveProperty('x-admin')
    expect(decodeURIComponent(String(seen['x-mcp-user-name']))).toBe(user.name)
  })
})

describe('GW-05 only the MCP path', () => {
  it.each([
    '/mcp/../admin',
    '/mcp%2f..%2fadmin',
    '/mcp/%2e%2e/admin',
    '//mcp',
    '/mcp/',
    '/mcp//',
    '/mcp;a=b',
    '/MCP',
    '/%6dcp',
    '/mcp%00',
    '/mcp\\..\\admin',
    '/./mcp',
    '/admin',
    '/mcp/admin',
    'http://evil.test/mcp',
    'http://127.0.0.1/admin',
    '*',
    'mcp',
    '/mcp#x',
  ])('%s is not passed on', async (target) => {
    const { backend, front, token } = await startBoth()
    const answer = await send(front, [
      `GET ${target} HTTP/1.1`,
      'Host: mcp.test',
      `Authorization: Bearer ${token}`,
      'Connection: close',
      '',
      '',
    ])
    expect(answer).toMatch(/^HTTP\/1.1 4\d\d/)
    expect(backend.seen).toEqual([])
  })

  it('a query cannot change the path', async () => {
    const { backend, front, token } = await startBoth()
    await fetch(`${front.url}?x=/../admin`, callOf(token))
    expect(backend.seen[0]?.url).toBe('/mcp?x=%2F..%2Fadmin')
  })
})

/** Writes lines to the gateway and reads until the connection ends or is still for a moment. */
async function send({ port }: TestGateway, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(lines.join('\r\n'), 'latin1')
  return await read(socket)
}

async function read(socket: Socket, still = 700): Promise<string> {
  let text = ''
  await new Promise<void>((resolve) => {
    let timer = setTimeout(resolve, still)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      clearTimeout(timer)
      timer = setTimeout(resolve, still)
    })
    socket.on('close', () => resolve())
  })
  socket.destroy()
  return text
}

describe('GD-21 GW-06 smuggling', () => {
  const answer = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'
  const json = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}'
  const chunked = `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'

  it.each([
    ['length and chunked', ['Content-Length: 4', 'Transfer-Encoding: chunked'], chunked + hidden],
    ['two lengths', ['Content-Length: 58', 'Content-Length: 90'], json + hidden],
    ['a list of lengths', ['Content-Length: 58, 90'], json + hidden],
    ['xchunked', ['Transfer-Encoding: xchunked'], chunked + hidden],
    ['chunked twice', ['Transfer-Encoding: chunked, chunked'], chunked + hidden],
    ['a blank before the colon', ['Transfer-Encoding : chunked'], chunked + hidden],
    ['a signed length', ['Content-Length: +58'], json + hidden],
    ['a negative length', ['Content-Length: -1'], json + hidden],
    ['a hexadecimal length', ['Content-Length: 0x3a'], json + hidden],
    ['folding', ['X: y', ' Transfer-Encoding: chunked'], chunked + hidden],
    ['a bare line feed', ['X: y\nTransfer-Encoding: chunked'], chunked + hidden],
    ['a NUL in a name', ['Content-Length\0: 58'], json + hidden],
    [
      'a chunk size with junk',
      ['Transfer-Encoding: chunked'],
      `3a;\n${json}\r\n0\r\n\r\n${hidden}`,
    ],
    ['a negative chunk', ['Transfer-Encoding: chunked'], `-3a\r\n${json}\r\n0\r\n\r\n${hidden}`],
  ])('%s: the backend sees at most one well-framed request', async (_, headers, body) => {
    const backend = keep(await startRaw((socket) => socket.write(answer)))
    const front = keep(await startGateway(backend.url))
    const { token } = await front.signIn('ada')
    const got = await send(front, [
      'POST /mcp HTTP/1.1',
      'Host: mcp.test',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
      ...headers,
      '',
      body,
    ])
    expect(got).toMatch(/^HTTP\/1.1 400/)
    expect(got).not.toMatch(/200 OK/)
    expect(backend.received.join('')).toBe('')
  })

  it('what is well framed is framed anew: one length, no chunks', async () => {
    const backend = keep(await startRaw((socket) => socket.write(answer)))
    const front = keep(await startGateway(backend.url))
    const { token } = await front.signIn('ada')
    const got = await send(front, [
      'POST /mcp HTTP/1.1',
      'Host: mcp.test',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
      'Transfer-Encoding: chunked',
      'Trailer: Authorization',
      'Connection: close',
      '',
      chunked.replace('0\r\n\r\n', '0\r\nAuthorization: Bearer x\r\nX-Mcp-User: eve\r\n\r\n'),
    ])
    expect(got).toMatch(/^HTTP\/1.1 200/)
    const [head = '', body] = (backend.received[0] ?? '').split('\r\n\r\n')
    expect(body).toBe(json)
    expect(head.match(/content-length: /gi)).toHaveLength(1)
    // GW-24: trailers go no further.
    expect(head).not.toMatch(/transfer-encoding|authorization|trailer|x-mcp-user/i)
    expect(head.match(/^POST \/mcp HTTP\/1\.1\r\n/)).not.toBeNull()
  })
})

describe('GD-23 GW-23 upgrades', () => {
  it.each([
    ['websocket', 'GET', ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: AA==']],
    ['h2c', 'GET', ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAA']],
    ['TLS/1.2', 'GET', ['Upgrade: TLS/1.2', 'Connection: Upgrade']],
    ['CONNECT', 'CONNECT', []],
  ])('%s never becomes 101', async (_, method, headers) => {
    const backend = keep(
      await startRaw((socket) =>
        socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'),
      ),
    )
    const front = keep(await startGateway(backend.url))
    const { token } = await front.signIn('ada')
    const got = await send(front, [
      `${method} ${method === 'CONNECT' ? 'x:80' : '/mcp'} HTTP/1.1`,
      'Host: mcp.test',
      `Authorization: Bearer ${token}`,
      'Accept: text/event-stream',
      ...headers,
      '',
      '',
    ])
    expect(got).not.toMatch(/ 101 | 200 /)
    expect(backend.received.join('')).not.toMatch(/upgrade|settings/i)
  })

  it('PRI * HTTP/2.0 is refused', async () => {
    const { backend, front } = await startBoth()
    expect(await send(front, ['PRI * HTTP/2.0', '', 'SM', '', ''])).toMatch(/^(HTTP\/1.1 400|$)/)
    expect(backend.seen).toEqual([])
  })
})

describe('GW-24 Expect', () => {
  const head = (token: string) => [
    'POST /mcp HTTP/1.1',
    'Host: mcp.test',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'Content-Length: 58',
    'Expect: 100-continue',
    '',
    '',
  ]

  it('a bad token is refused before the body is asked for', async () => {
    const { front } = await startBoth()
    const got = await send(front, head('bad'))
    expect(got).toMatch(/^HTTP\/1.1 401/)
    expect(got).toMatch(/connection: close/i)
    expect(got).not.toContain('100 Continue')
  })

  it('a good token is asked for the body, which then passes', async () => {
    const { backend, front, token } = await startBoth()
    const socket = connect(front.port, '127.0.0.1')
    socket.write(head(token).join('\r\n'))
    const [first] = (await once(socket, 'data')) as [Buffer]
    expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}')
    expect(await read(socket)).toMatch(/^HTTP\/1.1 200/)
    expect(backend.seen[0]?.headers).not.toHaveProperty('expect')
  })
})

describe('GD-32 one connection, many callers', () => {
  it('each pipelined request is judged alone', async () => {
    const { backend, front, token } = await startBoth({ identity: 'headers' })
    const { token: other } = await front.signIn('bob')
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}'
    const one = (bearer: string | undefined) =>
      [
        'POST /mcp HTTP/1.1',
        'Host: mcp.test',
        ...(bearer === undefined ? [] : [`Authorization: Bearer ${bearer}`]),
        'Content-Type: application/json',
        'Accept: application/json, text/event-stream',
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n')
    const got = await send(front, [[token, undefined, other, 'bad', token].map(one).join('')])
    expect([...got.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)).toEqual(
      ['200', '401', '200', '401', '200'].slice(0, [...got.matchAll(/HTTP\/1.1 /g)].length),
    )
    const users = backend.seen.map(({ headers }) => headers['x-mcp-user'])
    expect(users).toEqual(['ada', 'bob', 'ada'].slice(0, users.length))
    expect(users.length).toBeGreaterThan(0)
  })
})

describe('GW-12 legacy sessions', () => {
  it('belong to who began them; nobody else’s request gets through', async () => {
    const { backend, front, token } = await startBoth({}, { 'mcp-session-id': 'backend-id' })
    const bob = await front.signIn('bob')
    const begun = await fetch(front.url, callOf(token))
    const session = begun.headers.get('mcp-session-id') ?? ''
    expect(session).toMatch(/^backend-id\../)
    const count = backend.seen.length
    for (const method of ['POST', 'GET', 'DELETE']) {
      const init = callOf(bob.token, 'tools/list', { 'mcp-session-id': session })
      const { body: _, ...rest } = init
      const request = method === 'POST' ? init : { ...rest, method }
      expect((await fetch(front.url, request)).status).toBe(404)
    }
    expect(backend.seen).toHaveLength(count)
    const again = await fetch(front.url, callOf(token, 'ping', { 'mcp-session-id': session }))
    expect(again.status).toBe(200)
    expect(backend.seen.at(-1)?.headers['mcp-session-id']).toBe('backend-id')
    expect(again.headers.get('mcp-session-id')).toBe(session)
  })

  it.each(['backend-id', 'backend-id.x.y', '', 'x'.repeat(5000)])(
    'an id that the gateway did not give (%#) is 404',
    async (session) => {
      const { backend, front, token } = await startBoth()
      const { status } = await fetch(
        front.url,
        callOf(token, 'tools/list', { 'mcp-session-id': session }),
      )
      expect(status).toBe(404)
      expect(backend.seen).toEqual([])
    },
  )
})

/** A backend whose every answer is a stream that stays open. */
async function startStream() {
  let open = 0
  const backend = keep(
    await startBackend((req, res) => {
      req.resume()
      open += 1
      res.on('close', () => (open -= 1))
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    }),
  )
  return { ...backend, open: () => open }
}

async function rest(answer: Response): Promise<string> {
  return await answer.text()
}

describe('GD-30 streams end with their token', () => {
  it('when it expires', async () => {
    const backend = await startStream()
    const front = keep(await startGateway(backend.url))
    const { token } = await front.signIn('ada', { lifetime: 2 })
    const text = await rest(await fetch(front.url, callOf(token)))
    expect(text).toContain('event: error\ndata: {"reason":"token_expired"}')
    await until(() => backend.open() === 0)
  })

  it('when it has expired before the backend begins, though nothing else looks after it', async () => {
    const late: RequestListener = (req, res) => {
      req.resume()
      setTimeout(() => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      }, 1500)
    }
    const front = keep(await startGateway(keep(await startBackend(late)).url, { recheck: 0 }))
    const { token } = await front.signIn('ada', { lifetime: 1 })
    const text = await rest(await fetch(front.url, callOf(token)))
    expect(text).toContain('event: error\ndata: {"reason":"token_expired"}')
  })

  it('when it is revoked', async () => {
    const backend = await startStream()
    const front = keep(await startGateway(backend.url, { recheck: 0.1 }))
    const { token, grantId } = await front.signIn('ada')
    const other = await front.signIn('bob')
    const [mine, theirs] = [
      await fetch(front.url, callOf(token)),
      await fetch(front.url, callOf(other.token)),
    ]
    await endGrant(front.store, grantId)
    expect(await rest(mine)).toContain('event: error\ndata: {"reason":"token_ended"}')
    await until(() => backend.open() === 1)
    await theirs.body?.cancel()
  })

  it('and not because the store is away for a moment', async () => {
    const backend = await startStream()
    let down = false
    const store = memory()
    const find: typeof store.find = (kind, id) =>
      down ? Promise.reject(new StoreUnavailable('down')) : store.find(kind, id)
    const front = keep(await startGateway(backend.url, { recheck: 0.1, store: { ...store, find } }))
    const { token } = await front.signIn('ada')
    const answer = await fetch(front.url, callOf(token))
    down = true
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(backend.open()).toBe(1)
    expect((await fetch(front.url, callOf(token))).status).toBe(503)
    expect(await rest(answer)).toContain('token_not_verifiable')
    down = false
  })
})

describe('limits', () => {
  it('GW-15 one user’s streams are counted, another user’s are not his', async () => {
    const backend = await startStream()
    const front = keep(await startGateway(backend.url, { callsPerUser: 3 }))
    const ada = await front.signIn('ada')
    const second = await front.signIn('ada')
    const bob = await front.signIn('bob')
    const leave = new AbortController()
    for (const { token } of [ada, second, ada]) {
      await fetch(front.url, { ...callOf(token), signal: leave.signal })
    }
    for (const { token } of [ada, second]) {
      const refused = await fetch(front.url, callOf(token))
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect((await fetch(front.url, { ...callOf(bob.token), signal: leave.signal })).status).toBe(
      200,
    )
    leave.abort()
    await until(() => backend.open() === 0)
    const again = await fetch(front.url, callOf(ada.token))
    expect(again.status).toBe(200)
    await again.body?.cancel()
  })

  it('GD-22 DS-09 a body without end is cut off, and others are served', async () => {
    const { backend, front, token } = await startBoth()
    const socket = connect(front.port, '127.0.0.1')
    let sent = 0
    socket.on('error', () => {})
    socket.write(
      `POST /mcp HTTP/1.1\r\nHost: mcp.test\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n' +
        'Transfer-Encoding: chunked\r\n\r\n',
    )
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    const closed = new Promise((resolve) => socket.on('close', resolve))
    const pump = () => {
      while (!socket.destroyed && sent < 64e6) {
        sent += chunk.length
        if (!socket.write(chunk)) return
      }
    }
    socket.on('drain', pump)
    socket.resume()
    pump()
    await closed
    expect(sent).toBeLessThan(32e6)
    expect((await fetch(front.url, callOf(token))).status).toBe(200)
    expect(backend.seen).toHaveLength(1)
  })

  it.each(['gzip', 'br', 'deflate', 'gzip, gzip'])(
    'GW-22 a body in %s is 415',
    async (encoding) => {
      const { backend, front, token } = await startBoth()
      const init = callOf(token, 'tools/list', { 'content-encoding': encoding })
      expect((await fetch(front.url, init)).status).toBe(415)
      expect(backend.seen).toEqual([])
    },
  )
})

describe('GW-27 upstream tokens', () => {
  it('each user’s calls carry that user’s own, and one without has none', async () => {
    const { backend, front } = await startBoth({ identity: 'upstream_token' })
    const ada = await front.signIn('ada', { upstreamToken: 'up-ada' })
    const bob = await front.signIn('bob', { upstreamToken: 'up-bob' })
    const eve = await front.signIn('eve')
    await fetch(front.url, callOf(ada.token))
    await fetch(front.url, callOf(bob.token))
    expect(backend.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer up-ada',
      'Bearer up-bob',
    ])
    const refused = await fetch(front.url, callOf(eve.token))
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer .*resource_metadata=/)
    expect(backend.seen).toHaveLength(2)
  })
})

it('GW-26 fifty calls with an upstream token that is over: one refresh, and nobody is sent away', async () => {
  let refreshes = 0
  const refresh: typeof UPSTREAM.refresh = async (refresh_token, token_endpoint) => {
    refreshes += 1
    await new Promise((resolve) => setTimeout(resolve, 50))
    return {
      access_token: `new for ${refresh_token}`,
      refresh_token: 'next',
      expires_in: 3600,
      scope: undefined,
      token_endpoint,
    }
  }
  const library = { upstream: { ...UPSTREAM, refresh } }
  const { backend, front } = await startBoth({ identity: 'upstream_token', library })
  const { token } = await front.signIn('ada', { upstreamToken: 'old', upstreamExpired: true })
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => fetch(front.url, callOf(token))),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(refreshes).toBe(1)
  expect(new Set(backend.seen.map(({ headers }) => headers.authorization))).toEqual(
    new Set(['Bearer new for refresh old']),
  )
})

it('GW-28 GD-29 nothing is kept: each user’s list is asked for anew, and no cache may keep it', async () => {
  const { backend, front, token } = await startBoth({}, { 'cache-control': 'public, max-age=600' })
  const bob = await front.signIn('bob')
  for (const bearer of [token, bob.token, token]) {
    const answer = await fetch(front.url, callOf(bearer))
    expect(answer.headers.get('cache-control')).toBe('no-store')
  }
  expect(backend.seen).toHaveLength(3)
})

describe('HH-02 where a call came from', () => {
  const chain = ['6.6.6.6, 10.1.1.1', 'garbage', '1.2.3.4:80', '[2001:db8::1]:80', '::ffff:1.2.3.4']

  it.each(chain)('is the socket’s word where no proxy is trusted: %s', async (forwarded) => {
    const { backend, front, token } = await startBoth()
    await fetch(front.url, callOf(token, 'tools/list', { 'x-forwarded-for': forwarded }))
    expect(backend.seen[0]?.headers['x-forwarded-for']).toBe('127.0.0.1')
  })

  it.each([
    ['6.6.6.6, 10.1.1.1', '10.1.1.1'],
    ['6.6.6.6, 10.1.1.1, 127.0.0.1', '10.1.1.1'],
    ['garbage', '127.0.0.1'],
    ['1.2.3.4:80', '1.2.3.4'],
    ['[2001:db8::1]:80', '2001:db8::1'],
  ])('is the word of a trusted proxy: %s is %s', async (forwarded, address) => {
    const { backend, front, token } = await startBoth({
      library: { trustedProxies: ['127.0.0.0/8'] },
    })
    await fetch(front.url, callOf(token, 'tools/list', { 'x-forwarded-for': forwarded }))
    expect(backend.seen[0]?.headers['x-forwarded-for']).toBe(address)
  })
})

it.each([
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Prefix',
  'X-Original-URL',
  'Forwarded',
])('HH-03 HH-01 HH-06 %s changes neither cookies nor URLs', async (name) => {
  const { front } = await startBoth()
  const at = { issuer: `http://127.0.0.1:${front.port}`, resource: RESOURCE }
  const client = await register(at)
  const agent = createAgent()
  const said = { [name]: name === 'X-Forwarded-Proto' ? 'http' : 'http://evil.test/evil' }
  const page = await agent.get(
    authorizeUrl(at, client, pkce().challenge, { scope: undefined }),
    said,
  )
  expect(page.status).toBe(200)
  const cookies = page.headers.getSetCookie()
  expect(cookies.length).toBeGreaterThan(0)
  for (const cookie of cookies) expect(cookie).toMatch(/^__Host-.*; Secure/)
  const metadata = await fetch(`${at.issuer}/.well-known/oauth-authorization-server`, {
    headers: said,
  })
  const told = (await metadata.text()) + page.body + JSON.stringify([...page.headers])
  expect(told).not.toContain('evil')
  expect(JSON.parse(told.slice(0, told.indexOf('}') + 1))).toMatchObject({ issuer: ISSUER })
})

it.each(['/mcp', '/token', '/authorize', '/register', '/jwks', '/healthz', '/nowhere'])(
  'CR-05 TRACE and CONNECT of %s are refused, and nothing is echoed',
  async (path) => {
    const { backend, front, token } = await startBoth()
    for (const method of ['TRACE', 'CONNECT']) {
      const answer = await send(front, [
        `${method} ${method === 'CONNECT' ? 'mcp.test:443' : path} HTTP/1.1`,
        'Host: mcp.test',
        `Authorization: Bearer ${token}`,
        'X-Secret: echo-me',
        'Connection: close',
        '',
        '',
      ])
      expect(answer).toMatch(/^HTTP\/1\.1 (404|405|501) /)
      expect(answer).not.toMatch(/echo-me|Bearer mcp/)
    }
    expect((await fetch(front.url, callOf(token))).status).toBe(200)
    expect(backend.seen).toHaveLength(1)
  },
)

it('LG-06 a bug is told to the client by a number, and to the log in full', async () => {
  const lines: string[] = []
  const log = createLog((line) => void lines.push(line))
  const store = memory()
  const broken = { ...store, find: () => Promise.reject(new TypeError('inner detail')) }
  const { front, token } = await startBoth({ store: broken, log })
  const answer = await fetch(front.url, callOf(token))
  expect(answer.status).toBe(500)
  const text = await answer.text()
  expect(text).not.toContain('inner detail')
  const [, reference = 'none'] = /\(([\w-]+)\)/.exec(text) ?? []
  const line = lines.find((one) => one.includes(reference)) ?? ''
  expect(JSON.parse(line)).toMatchObject({ level: 'error', event: 'internal_error', reference })
  expect(line).toContain('inner detail')
})

describe('GW-10 old protocol versions', () => {
  it.each(['2025-06-18', '2025-03-26', undefined])(
    '%s needs the scope all the same',
    async (version) => {
      const library = {
        scopes: { 'notes:write': 'Change notes' },
        tools: { drop: ['notes:write'] },
      }
      const { backend, front, token } = await startBoth({ library })
      const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'drop' } }
      const init = callOf(
        token,
        'x',
        version === undefined ? {} : { 'mcp-protocol-version': version },
      )
      const answer = await fetch(front.url, { ...init, body: JSON.stringify(call) })
      expect(answer.status).toBe(403)
      const batch = await fetch(front.url, { ...init, body: JSON.stringify([call]) })
      expect([400, 403]).toContain(batch.status)
      expect(backend.seen).toEqual([])
    },
  )
})

describe('GW-09 bodies that two parsers read differently', () => {
  const call = (params: string) =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`

  it.each([
    ['a doubled name', call('{"name":"list","name":"drop"}')],
    ['a doubled name, escaped', call('{"name":"list","n\\u0061me":"drop"}')],
    ['a name in another case', call('{"name":"list","Name":"drop"}')],
    ['a doubled method', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}'],
    ['two documents', `${call('{"name":"list"}')}${call('{"name":"drop"}')}`],
    ['a comment', call('{"name":"list"/*,"name":"drop"*/}')],
    ['a byte order mark', `\ufeff${call('{"name":"list"}')}`],
    ['doubled params', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{},"params":{}}'],
    ['a trailing comma', call('{"name":"list",}')],
    ['not JSON', 'name=drop'],
    ['nothing', ''],
  ])('%s is refused', async (_, body) => {
    const { backend, front, token } = await startBoth()
    const answer = await fetch(front.url, { ...callOf(token), body })
    expect(answer.status).toBe(400)
    expect(backend.seen).toEqual([])
  })

  it.each(['1e400', '"\\ud800"', '{"__proto__":{"x":1}}', '-0', '"\\u0000"'])(
    'what the guard judged is what the backend reads: %s',
    async (value) => {
      const { backend, front, token } = await startBoth()
      const body = call(`{"name":"list","arguments":{"a":${value}}}`)
      const { status } = await fetch(front.url, { ...callOf(token), body })
      expect([200, 400]).toContain(status)
      expect(backend.seen.map((seen) => seen.body)).toEqual(status === 200 ? [body] : [])
    },
  )
})

describe('several resources', () => {
  it('PR-11 each has its own metadata and its own tokens', async () => {
    const [a, b] = [keep(await startEcho()), keep(await startEcho())]
    const front = keep(
      await startGateway('', {
        backends: { [`${ISSUER}/a/mcp`]: { to: a.url }, [`${ISSUER}/b/mcp`]: { to: b.url } },
      }),
    )
    const origin = `http://127.0.0.1:${front.port}`
    const { token } = await front.signIn('ada', { resource: `${ISSUER}/a/mcp` })
    expect((await fetch(`${origin}/a/mcp`, callOf(token))).status).toBe(200)
    expect((await fetch(`${origin}/b/mcp`, callOf(token))).status).toBe(401)
    expect([a.seen.length, b.seen.length]).toEqual([1, 0])
    for (const name of ['a', 'b']) {
      const answer = await fetch(`${origin}/.well-known/oauth-protected-resource/${name}/mcp`)
      expect(await answer.json()).toMatchObject({ resource: `${ISSUER}/${name}/mcp` })
    }
  })

  it('PR-10 nothing public names the backend', async () => {
    const backend = keep(await startBackend((_, res) => res.destroy()))
    const front = keep(await startGateway(backend.url))
    const origin = `http://127.0.0.1:${front.port}`
    const { token } = await front.signIn('ada')
    const asked = await Promise.all([
      fetch(`${origin}/.well-known/oauth-protected-resource/mcp`),
      fetch(`${origin}/.well-known/oauth-authorization-server`),
      fetch(front.url, callOf(undefined)),
      fetch(front.url, callOf(token)),
      fetch(`${origin}/nowhere`),
      fetch(`${origin}/readyz`),
    ])
    for (const answer of asked) {
      const told = JSON.stringify([...answer.headers]) + (await answer.text())
      expect(told).not.toContain(String(backend.port))
      expect(told).not.toContain('127.0.0.1')
    }
  })
})

describe('optional sign-in', () => {
  it('lets the open methods pass and keeps the others', async () => {
    const backend = keep(await startEcho())
    const front = keep(
      await startGateway({ to: backend.url, required: false, identity: 'headers' }),
    )
    expect((await fetch(front.url, callOf(undefined, 'initialize'))).status).toBe(200)
    expect(backend.seen[0]?.headers).not.toHaveProperty('x-mcp-user')
    expect((await fetch(front.url, callOf(undefined, 'tools/call'))).status).toBe(401)
    expect(backend.seen).toHaveLength(1)
  })
})

describe('health', () => {
  it('tells life from readiness', async () => {
    let down = false
    const ready = () => (down ? Promise.reject(new Error('secret path')) : Promise.resolve())
    const { front } = await startBoth({ ready })
    const origin = `http://127.0.0.1:${front.port}`
    const status = async (path: string) => (await fetch(`${origin}${path}`)).status
    expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 200])
    down = true
    expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 503])
    expect(await (await fetch(`${origin}/readyz`)).text()).not.toContain('secret')
  })
})

describe('GW-29 a graceful stop', () => {
  it('ends streams with an event, lets calls finish, takes nothing new', async () => {
    let finish = () => {}
    const backend = keep(
      await startBackend((req, res) => {
        req.resume()
        if (req.url?.includes('slow') === true) {
          finish = () =>
            res.writeHead(200, { 'content-type': 'application/json' }).end('{"done":true}')
          return
        }
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      }),
    )
    const front = keep(await startGateway(backend.url))
    const { token } = await front.signIn('ada')
    const stream = await fetch(front.url, callOf(token))
    const slow = fetch(`${front.url}?slow=1`, callOf(token))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const closed = front.gateway.close(5)
    expect(await rest(stream)).toContain('event: error\ndata: {"reason":"shutting_down"}')
    expect((await fetch(front.url, callOf(token))).status).toBe(503)
    expect((await fetch(front.url.replace('/mcp', '/readyz'))).status).toBe(503)
    finish()
    expect(await (await slow).json()).toEqual({ done: true })
    await closed
  })

  it('does not wait for ever', async () => {
    const backend = keep(await startBackend(() => {}))
    const front = keep(await startGateway(backend.url))
    const { token } = await front.signIn('ada')
    const hanging = fetch(front.url, callOf(token)).catch(() => 'cut')
    await new Promise((resolve) => setTimeout(resolve, 100))
    const begun = Date.now()
    await front.gateway.close(0.3)
    expect(Date.now() - begun).toBeLessThan(2000)
    expect(await hanging).toBe('cut')
  })
})

it('faults of the options are told together', async () => {
  const { front } = await startBoth()
  const make = () =>
    createGateway({
      auth: front.auth,
      keys: generateKey(),
      backends: {
        'https://mcp.test/other': { to: 'ftp://x', identity: ['none', 'headers'] },
        'https://mcp.test/readyz': { to: 'http://user:pass@x/' },
      },
      passHeaders: ['Authorization', 'x_y', 'X-Fine'],
    })
  expect(make).toThrow(RangeError)
  for (const part of [
    `no backend is given for ${RESOURCE}`,
    'https://mcp.test/other has a backend but is no resource',
    'no resource can stand at /readyz',
    'https://mcp.test/other is not an http(s) URL',
    'is none and something else at once',
    'has a user or password before the host',
    'passHeaders: Authorization names credentials',
    'passHeaders: x_y is not a header name',
  ]) {
    expect(make).toThrow(part)
  }
  expect(make).not.toThrow('X-Fine')
})

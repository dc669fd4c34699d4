/**
 * Bytes that nobody in their right mind sends, at the whole gateway: it answers them or hangs up, passes
 * nothing on, and serves the next one.
 */
import fc from 'fast-check'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mask } from '../../src/gateway/log.ts'
import { startEcho, type TestServer } from './support/backend.ts'
import { callOf, startGateway, type TestGateway } from './support/gateway.ts'

let backend: TestServer & { readonly seen: unknown[] }
let front: TestGateway
let token: string
const crashes: unknown[] = []
const crash = (error: unknown) => void crashes.push(error)

beforeAll(async () => {
  backend = await startEcho()
  front = await startGateway(backend.url)
  token = (await front.signIn('ada')).token
  process.on('unhandledRejection', crash)
})

afterAll(async () => {
  process.off('unhandledRejection', crash)
  await front.close()
  await backend.close()
})

/** Sends bytes and the end of them, and reads what comes back until the other side hangs up. */
async function send(bytes: string): Promise<string> {
  const socket = connect(front.port, '127.0.0.1')
  let got = ''
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')))
  socket.end(bytes, 'latin1')
  if (!socket.closed) await once(socket, 'close')
  return got
}

const rubbish = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)),
})
const word = fc.oneof(
  rubbish,
  fc.constantFrom(
    ...[
      '',
      '*',
      '/',
      '/mcp',
      '/token',
      '/authorize?client_id=%ff',
      '/callback?state=',
      '//',
      '/%00',
    ],
    ...['chunked', 'gzip', '0', '-1', '1e9', '99999999999999999999', 'null', 'close', 'keep-alive'],
    ...['Bearer', 'Bearer x', 'Basic Og==', 'application/json', 'a=b; __proto__=c', '\t', 'é'],
  ),
)
const name = fc.constantFrom(
  ...['Host', 'Content-Length', 'Transfer-Encoding', 'Content-Type', 'Authorization', 'Cookie'],
  ...['Connection', 'Upgrade', 'Expect', 'Origin', 'X-Forwarded-For', 'Mcp-Method', 'Mcp-Name'],
  ...['Mcp-Session-Id', 'Accept', 'Content-Encoding', 'Last-Event-ID', '', ' ', '__proto__'],
)
const method = fc.constantFrom(
  'GET',
  'POST',
  'DELETE',
  'OPTIONS',
  'HEAD',
  'TRACE',
  'CONNECT',
  'PRI',
  'x',
)
const request = fc
  .record({
    method,
    target: word,
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', ''),
    headers: fc.array(fc.tuple(name, word), { maxLength: 8 }),
    body: fc.oneof(rubbish, fc.json(), word),
  })
  .map(({ headers, body, ...line }) =>
    [
      `${line.method} ${line.target} ${line.version}`,
      ...headers.map(([header, value]) => `${header}: ${value}`),
      '',
      body,
    ].join('\r\n'),
  )

describe('DS-15 no input ends the process', () => {
  it('nor is any of it passed on, or answered with 5xx', async () => {
    const before = backend.seen.length
    await fc.assert(
      fc.asyncProperty(fc.oneof(request, rubbish), async (bytes) => {
        const answer = await send(bytes)
        for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d)\d\d /gm)) {
          expect(['1', '2', '3', '4']).toContain(status)
        }
        expect(answer).toMatch(/^(HTTP\/1\.1 \d{3} |$)/)
      }),
      { numRuns: 500 },
    )
    expect(backend.seen).toHaveLength(before)
  })

  it('with a good token as well', async () => {
    const header = fc.tuple(name, word).map(([header, value]) => `${header}: ${value}`)
    await fc.assert(
      fc.asyncProperty(fc.array(header, { maxLength: 5 }), fc.json(), async (headers, body) => {
        const answer = await send(
          [
            'POST /mcp HTTP/1.1',
            'Host: mcp.test',
            `Authorization: Bearer ${token}`,
            'Content-Type: application/json',
            'Accept: application/json, text/event-stream',
            `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
            'Connection: close',
            ...headers,
            '',
            body,
          ].join('\r\n'),
        )
        expect(answer).toMatch(/^HTTP\/1\.1 [124]\d\d /)
      }),
      { numRuns: 300 },
    )
  })

  it('DS-08 and afterwards everything is as it was', async () => {
    expect((await fetch(front.url, callOf(token))).status).toBe(200)
    expect(crashes).toEqual([])
  })
})

describe('DS-02 DS-03 nothing takes more than its share of time', () => {
  const long = 30_000
  const shapes = [
    'a',
    ' ',
    '\t',
    '/',
    '%',
    '%2f',
    '.',
    '=',
    '&a=',
    ';',
    ',',
    '"',
    '\\',
    '::',
    'Bearer ',
  ]

  it.each(shapes)(
    '%j, thirty thousand characters of it, in header, query, form and body',
    async (shape) => {
      const text = shape.repeat(Math.ceil(long / shape.length))
      const begun = Date.now()
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const origin = `http://127.0.0.1:${front.port}`
      const answers = await Promise.all([
        fetch(
          front.url,
          callOf(undefined, 'tools/list', { authorization: text.slice(0, 10_000).trim() }),
        ),
        fetch(front.url, callOf(token, 'tools/list', { 'mcp-name': text.slice(0, 10_000).trim() })),
        fetch(`${origin}/authorize?client_id=${encodeURIComponent(text).slice(0, 10_000)}`),
        fetch(`${origin}/token`, { method: 'POST', headers: form, body: `grant_type=${text}` }),
        fetch(`${origin}/register`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ redirect_uris: [text], scope: text, client_name: text }),
        }),
      ])
      for (const { status } of answers) expect(status).toBeLessThan(500)
      mask(text)
      expect(Date.now() - begun).toBeLessThan(4000)
    },
  )

  it('twenty thousand parameters, five thousand keys', async () => {
    const begun = Date.now()
    const form = Array.from({ length: 20_000 }, (_, index) => `k${index}=`).join('&')
    const token_ = await fetch(`http://127.0.0.1:${front.port}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    })
    expect(token_.status).toBeGreaterThanOrEqual(400)
    expect(token_.status).toBeLessThan(500)
    const keys = Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`k${index}`, index]),
    )
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: keys })
    expect((await fetch(front.url, { ...callOf(token), body })).status).toBe(200)
    expect(Date.now() - begun).toBeLessThan(2000)
  })
})

import { describe, expect, it } from 'vitest'
import { createSafeFetch } from '../../src/http/safe_fetch.ts'
import {
  answer,
  failureOf,
  ok,
  serve,
  servePlain,
  strangersFetch,
  watchConnections,
} from './support/hosts.ts'

const LIMITS = { maxBytes: 5120, timeout: 5 }

describe('safe_fetch', () => {
  it('gives status, headers and body of an answer', async () => {
    const port = await serve(answer(ok('{"a":1}', 'Cache-Control: a', 'cache-control: b')))
    const result = await strangersFetch()(`https://docs.example:${port}/c.json`, LIMITS)
    expect(result.status).toBe(200)
    expect(Buffer.from(result.body).toString()).toBe('{"a":1}')
    expect(result.headers['cache-control']).toBe('a, b')
  })

  it('CI-36 sends what it is given and nothing ambient', async () => {
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1'
    const heads: string[] = []
    const port = await serve((socket) =>
      socket.once('data', (head) => {
        heads.push(head.toString())
        socket.write(ok('{}', 'set-cookie: a=b'))
      }),
    )
    const fetch = strangersFetch()
    const url = `https://docs.example:${port}/c.json?x=1`
    for (let turn = 0; turn < 2; turn += 1) await fetch(url, LIMITS)
    delete process.env['HTTPS_PROXY']
    const expected = [
      'GET /c.json?x=1 HTTP/1.1',
      'accept: application/json',
      `host: docs.example:${port}`,
      'user-agent: mcp-oauth',
      'accept-encoding: identity',
      'connection: close',
      '',
      '',
    ].join('\r\n')
    expect(heads).toEqual([expected, expected])
  })

  it('posts a body with the headers that are given', async () => {
    const heads: string[] = []
    const port = await serve((socket) =>
      socket.on('data', (data) => {
        heads.push(data.toString())
        if (heads.join('').endsWith('a=b')) socket.write(ok('{}'))
      }),
    )
    await strangersFetch()(`https://docs.example:${port}/token`, {
      ...LIMITS,
      method: 'POST',
      body: 'a=b',
      headers: { Authorization: 'Basic eA==', Host: 'evil.example', 'User-Agent': 'x' },
    })
    const sent = heads.join('')
    expect(sent).toContain('POST /token HTTP/1.1\r\n')
    expect(sent).toContain('authorization: Basic eA==\r\n')
    expect(sent).toMatch(/content-length: 3\r\n/i)
    expect(sent).toContain(`host: docs.example:${port}\r\n`)
    expect(sent).not.toMatch(/evil|user-agent: x/i)
  })

  it('goes to a trusted origin on this machine without TLS', async () => {
    const port = await servePlain(answer(ok('{}')))
    const origins = [`http://localhost:${port}`, `http://127.0.0.1:${port}`]
    const policy = { trustedOrigins: origins, dangerouslyAllowPrivateAddresses: false }
    const fetch = createSafeFetch(policy)
    for (const origin of origins) expect((await fetch(`${origin}/x`, LIMITS)).status).toBe(200)
    const tried = watchConnections()
    for (const other of [`http://127.0.0.1:${port + 1}`, `http://[::1]:${port}`]) {
      expect((await failureOf(fetch(other, LIMITS))).failure).toBe('refused')
    }
    expect(tried).toEqual([])
  })
})

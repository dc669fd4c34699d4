import { describe, expect, it } from 'vitest'
import { writeHttpResponse } from '../../src/adapters/node.ts'
import type { HttpResponse } from '../../src/http/message.ts'
import { bodyOf, exchange, head, open, receive, serve, statusOf } from './support.ts'

const serveResponse = (response: HttpResponse) =>
  serve((_, res) => writeHttpResponse(res, response))

const get = (port: number, method = 'GET') =>
  exchange(port, head(`${method} / HTTP/1.1`, 'Host: h'))

describe('an answer', () => {
  it('has the length of its bytes, and no chunks', async () => {
    const { port } = await serveResponse({ status: 200, headers: { 'x-a': '1' }, body: 'ä😀' })
    const answer = await get(port)
    expect(answer).toMatch(/content-length: 6\r\n/i)
    expect(answer).not.toMatch(/transfer-encoding/i)
    expect(Buffer.from(bodyOf(answer), 'latin1').toString()).toBe('ä😀')
  })

  it('of bytes is those bytes', async () => {
    const body = new Uint8Array([0, 255, 10])
    const { port } = await serveResponse({ status: 200, headers: {}, body })
    expect(Buffer.from(bodyOf(await get(port)), 'latin1')).toEqual(Buffer.from(body))
  })

  it('without a body says so', async () => {
    const { port } = await serveResponse({
      status: 303,
      headers: { location: '/x' },
      body: undefined,
    })
    expect(await get(port)).toMatch(/^HTTP\/1\.1 303 .*\r\nlocation: \/x\r\ncontent-length: 0\r\n/)
  })

  it.each([204, 304])('RFC 9110 §8.6 %s has no length', async (status) => {
    const { port } = await serveResponse({ status, headers: {}, body: undefined })
    const answer = await get(port)
    expect(statusOf(answer)).toBe(status)
    expect(answer).not.toMatch(/content-length|transfer-encoding/i)
  })

  it('RFC 9110 §9.3.2 to HEAD has the length and no body', async () => {
    const { port } = await serveResponse({ status: 401, headers: {}, body: 'hello' })
    const answer = await get(port, 'HEAD')
    expect(answer).toMatch(/content-length: 5\r\n/i)
    expect(bodyOf(answer)).toBe('')
  })

  it('to HEAD with a large body still to come is whole too', async () => {
    const { port } = await serveResponse({ status: 401, headers: {}, body: 'hello' })
    const sent = 'HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n'
    const answer = await exchange(port, sent, /\r\n\r\n/)
    expect(answer).toMatch(/connection: close\r\n/i)
    expect(bodyOf(answer)).toBe('')
  })

  it('RFC 6265 §3 sets each cookie in a line of its own', async () => {
    const cookies = ['a=1; Path=/', 'b=2, 3; Path=/']
    const { port } = await serveResponse({
      status: 200,
      headers: { 'set-cookie': cookies },
      body: undefined,
    })
    const answer = await get(port)
    expect([...answer.matchAll(/^set-cookie: (.*)\r$/gm)].map(([, value]) => value)).toEqual(
      cookies,
    )
  })

  it('keeps what a framework has set before', async () => {
    const { port } = await serve((_, res) => {
      res.setHeader('x-framework', 'yes')
      writeHttpResponse(res, { status: 200, headers: { 'x-a': '1' }, body: '{}' })
    })
    expect(await get(port)).toMatch(/x-framework: yes\r\nx-a: 1\r\n/)
  })

  it.each(['a\r\nx-evil: 1', 'a\nb', 'a\0b'])('a header cannot be split: %j', async (value) => {
    let thrown: unknown
    const { port } = await serve((_, res) => {
      try {
        writeHttpResponse(res, { status: 200, headers: { location: value }, body: undefined })
      } catch (error) {
        thrown = error
        res.destroy()
      }
    })
    expect(await get(port)).toBe('')
    expect(thrown).toMatchObject({ code: 'ERR_INVALID_CHAR' })
  })

  it('a client that has left is no error', async () => {
    const { port } = await serve((_, res) => {
      res.on('close', () => {
        writeHttpResponse(res, { status: 200, headers: {}, body: 'late' })
        resolve()
      })
    })
    let resolve = (): void => {}
    const over = new Promise<void>((settle) => (resolve = settle))
    const socket = open(port)
    socket.write(head('GET / HTTP/1.1', 'Host: h'), () => setTimeout(() => socket.destroy(), 50))
    await over
  })

  it('the connection is kept when the body was small and nobody read it', async () => {
    const { port } = await serveResponse({ status: 401, headers: {}, body: '{}' })
    const socket = open(port)
    const one = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello`
    socket.write(one + one + head('GET / HTTP/1.1', 'Host: h'))
    expect((await receive(socket)).match(/HTTP\/1\.1 401/g)).toHaveLength(3)
  })
})

import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  answer,
  CHUNKED,
  closing,
  failureOf,
  fetchFrom,
  flood,
  ok,
  serve,
  servePlain,
  strangersFetch,
} from './support/hosts.ts'

const LIMITS = { maxBytes: 5120, timeout: 5 }

describe('safe_fetch and redirects', () => {
  it.each([300, 301, 302, 303, 307, 308])('CI-22 a %i is not followed', async (status) => {
    let connections = 0
    const canary = await serve(() => (connections += 1))
    for (const location of [
      `https://docs.example:${canary}/`,
      `https://127.0.0.1:${canary}/`,
      '/',
    ]) {
      const head = `HTTP/1.1 ${status} Moved\r\nlocation: ${location}\r\nrefresh: 0;url=${location}\r\n`
      const sent = `${head}content-length: 2\r\n\r\n{}`
      let requests = 0
      const result = await fetchFrom((socket) => {
        requests += 1
        answer(sent)(socket)
      })
      expect(result.status).toBe(status)
      expect(requests).toBe(1)
    }
    expect(connections).toBe(0)
  })
})

describe('safe_fetch and bytes', () => {
  it('CI-25 the last byte that fits is read, the next one is not', async () => {
    for (const chunked of [false, true]) {
      const heard = []
      for (const size of [5120, 5121]) {
        const body = 'x'.repeat(size)
        const sent = chunked ? `${CHUNKED}${size.toString(16)}\r\n${body}\r\n0\r\n\r\n` : ok(body)
        heard.push(await fetchFrom(answer(sent)).then(({ body: read }) => read.length, String))
      }
      expect(heard).toEqual([5120, expect.stringContaining('larger')])
    }
  })

  it('CI-25 what announces 200 kB is not read', async () => {
    const { connected, closed } = closing(
      answer('HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n'),
    )
    expect((await failureOf(fetchFrom(connected))).failure).toBe('too_large')
    await closed
  })

  it('CI-25 an endless body is given up, and the connection with it', async () => {
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`
    for (const start of [CHUNKED, 'HTTP/1.1 200 OK\r\n\r\n']) {
      const { connected, closed } = closing(flood(start, () => chunk))
      expect((await failureOf(fetchFrom(connected))).failure).toBe('too_large')
      await closed
    }
  })

  it('CI-25 nothing that is encoded is read: gzip bombs, other codings, transfer codings', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000))
    for (const coding of [
      'gzip',
      'GZIP',
      'x-gzip',
      'br',
      'deflate',
      'zstd',
      'gzip, gzip',
      'gzip,identity',
    ]) {
      const head = `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${bomb.length}\r\n\r\n`
      const sent = Buffer.concat([Buffer.from(head), bomb])
      expect((await failureOf(fetchFrom(answer(sent)))).failure, coding).toBe('malformed')
    }
    const transfer =
      'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'
    expect((await failureOf(fetchFrom(answer(transfer)))).failure).toBe('malformed')
    const plain = ok('{}', 'content-encoding: Identity')
    expect((await fetchFrom(answer(plain))).status).toBe(200)
  })
})

describe('safe_fetch and time', () => {
  const SHORT = { maxBytes: 5120, timeout: 0.15 }

  function drip(start: string, next: string): (socket: Socket) => void {
    return (socket) => {
      socket.once('data', () => {
        socket.write(start)
        const timer = setInterval(() => socket.write(next), 20)
        socket.on('close', () => clearInterval(timer))
      })
    }
  }

  const SLOW: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['a body that drips', drip('HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n', 'x')],
    ['chunks that drip', drip(CHUNKED, '1\r\nx\r\n')],
    ['headers that drip', drip('HTTP/1.1 200 OK\r\nx: ', 'x')],
    ['interim answers that drip', drip('', 'HTTP/1.1 103 E\r\n\r\n')],
    ['a chunk size of endless zeros', flood(CHUNKED, () => '0'.repeat(10_000))],
    ['a body that stops', answer('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nxx')],
    ['silence', (socket) => socket.resume()],
  ]

  it.each(SLOW)('CI-26 %s is abandoned', async (_name, slow) => {
    const { connected, closed } = closing(slow)
    expect((await failureOf(fetchFrom(connected, SHORT))).failure).toBe('timeout')
    await closed
  })

  it('CI-26 a TLS handshake that never ends is abandoned', async () => {
    const { connected, closed } = closing((socket) => socket.resume())
    const port = await servePlain(connected)
    const fetched = strangersFetch()(`https://docs.example:${port}/`, SHORT)
    expect((await failureOf(fetched)).failure).toBe('timeout')
    await closed
  })

  it('the deadline is over with the answer: nothing keeps the process', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    await fetchFrom(answer(ok('{}')), { ...LIMITS, timeout: 1000 })
    const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    expect(after).toBe(before)
  })
})

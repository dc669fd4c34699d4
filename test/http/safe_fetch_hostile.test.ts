import fc from 'fast-check'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createSafeFetch, FetchError } from '../../src/http/safe_fetch.ts'
import {
  answer,
  CHUNKED,
  closing,
  failureOf,
  fetchFrom,
  flood,
  ok,
  servePlain,
  strangersFetch,
} from './support/hosts.ts'

const LIMITS = { maxBytes: 5120, timeout: 5 }

type Failure = FetchError['failure']

const HOSTILE: readonly (readonly [string, Failure, string])[] = [
  ['HTTP/0.9', 'malformed', '{"client_id":"x"}'],
  ['another protocol', 'malformed', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['a folded header', 'malformed', ok('{}', 'x: y\r\n z')],
  ['a status that is none', 'malformed', 'HTTP/1.1 abc OK\r\n\r\n'],
  ['a status of four digits', 'malformed', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['two lengths', 'malformed', ok('{}', 'content-length: 3')],
  ['a length that is no number', 'malformed', 'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n'],
  ['a negative length', 'malformed', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
  [
    'a length past 2^64',
    'malformed',
    `HTTP/1.1 200 OK\r\ncontent-length: 1${'0'.repeat(40)}\r\n\r\n`,
  ],
  ['length and chunks', 'malformed', ok('0\r\n\r\n', 'transfer-encoding: chunked')],
  ['a chunk size that is none', 'malformed', `${CHUNKED}zz\r\n`],
  ['a chunk size past 2^64', 'malformed', `${CHUNKED}${'f'.repeat(40)}\r\n`],
  ['a NUL in a header', 'malformed', 'HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n'],
  ['a header without name', 'malformed', 'HTTP/1.1 200 OK\r\n: a\r\ncontent-length: 0\r\n\r\n'],
  ['a space before a colon', 'malformed', 'HTTP/1.1 200 OK\r\nx : a\r\ncontent-length: 0\r\n\r\n'],
  [
    'a change of protocol',
    'malformed',
    'HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
  ],
  ['eleven interim answers', 'malformed', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(11)],
  ['headers past 16 KiB', 'too_large', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(17_000)}\r\n\r\n`],
  ['many headers', 'too_large', `HTTP/1.1 200 OK\r\n${'x: a\r\n'.repeat(20_000)}\r\n`],
]

describe('safe_fetch and hostile answers', () => {
  it.each(HOSTILE)('CI-44 %s is %s', async (_name, failure, sent) => {
    const { connected, closed } = closing(answer(sent))
    expect((await failureOf(fetchFrom(connected))).failure).toBe(failure)
    await closed
  })

  const FLOODS: readonly (readonly [string, string, string])[] = [
    ['headers', 'HTTP/1.1 200 OK\r\n', `x: ${'a'.repeat(1000)}\r\n`],
    ['one header', 'HTTP/1.1 200 OK\r\nx: ', 'a'.repeat(10_000)],
    ['a status line', 'HTTP/1.1 200 ', 'a'.repeat(10_000)],
    ['interim answers', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['headers of interim answers', 'HTTP/1.1 103 E\r\n', `x: ${'a'.repeat(1000)}\r\n`],
    ['a chunk extension', `${CHUNKED}1;`, 'a'.repeat(10_000)],
    ['trailers', `${CHUNKED}0\r\n`, `x: ${'a'.repeat(1000)}\r\n`],
  ]

  it.each(FLOODS)(
    'CI-44 endless %s are given up long before the deadline',
    async (_name, start, next) => {
      const { connected, closed } = closing(flood(start, () => next))
      const { failure } = await failureOf(fetchFrom(connected, { ...LIMITS, timeout: 20 }))
      expect(['malformed', 'too_large']).toContain(failure)
      await closed
    },
  )

  const BREAKS: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['before the request is read', (socket) => socket.destroy()],
    ['instead of an answer', (socket) => socket.once('data', () => socket.destroy())],
    [
      'within the headers',
      (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nx')),
    ],
    ['within the body', (socket) => socket.once('data', () => socket.end(ok('{}').slice(0, -1)))],
    ['within a chunk', (socket) => socket.once('data', () => socket.end(`${CHUNKED}5\r\nxx`))],
    [
      'before the last chunk',
      (socket) => socket.once('data', () => socket.end(`${CHUNKED}1\r\nx\r\n`)),
    ],
  ]

  it.each(BREAKS)(
    'CI-44 a connection that ends %s is unreachable or malformed',
    async (_name, connected) => {
      const { failure } = await failureOf(fetchFrom(connected))
      expect(['unreachable', 'malformed']).toContain(failure)
    },
  )

  it('CI-44 a reset is unreachable, at every moment', async () => {
    for (const start of ['', 'HTTP/1.1 200', `${CHUNKED}5\r\nxx`, ok('{}').slice(0, -1)]) {
      const port = await servePlain((socket) => {
        socket.once('data', () => socket.write(start, () => socket.resetAndDestroy()))
      })
      const origin = `http://127.0.0.1:${port}`
      const policy = { trustedOrigins: [origin], dangerouslyAllowPrivateAddresses: false }
      const { failure } = await failureOf(createSafeFetch(policy)(`${origin}/`, LIMITS))
      expect(failure).toBe('unreachable')
    }
  })

  it('CI-44 what honest servers do is taken: interim answers, extensions, trailers, no length', async () => {
    const bodies = [
      `HTTP/1.1 103 E\r\nlink: <x>\r\n\r\n${ok('{}')}`,
      `${CHUNKED}2;a=b\r\n{}\r\n0\r\nx: y\r\n\r\n`,
    ]
    for (const sent of bodies) {
      expect(Buffer.from((await fetchFrom(answer(sent))).body).toString()).toBe('{}')
    }
    const unmeasured = await fetchFrom((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n{}')),
    )
    expect(Buffer.from(unmeasured.body).toString()).toBe('{}')
    expect((await fetchFrom(answer('HTTP/1.1 204 No\r\n\r\n'))).body.length).toBe(0)
  })

  it('CI-44 bytes behind the answer belong to nobody', async () => {
    const result = await fetchFrom(answer(`${ok('{}')}HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(9000)}`))
    expect(Buffer.from(result.body).toString()).toBe('{}')
  })

  it('CI-44 header names that objects have do no harm', async () => {
    const sent = ok('{}', '__proto__: a', '__proto__: b', 'constructor: c', 'toString: d')
    const { headers } = await fetchFrom(answer(sent))
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype)
    expect(Object.entries(headers)).toContainEqual(['__proto__', 'a, b'])
    expect(headers['constructor']).toBe('c')
  })

  it('CI-44 whatever bytes come, the fetch ends in an answer or a FetchError', async () => {
    let sent: Uint8Array = Buffer.alloc(0)
    const port = await servePlain((socket) => socket.once('data', () => socket.end(sent)))
    const origin = `http://127.0.0.1:${port}`
    const policy = { trustedOrigins: [origin], dangerouslyAllowPrivateAddresses: false }
    const fetch = createSafeFetch(policy)
    const token = fc.constantFrom('HTTP/1.1 200 OK\r\n', '\r\n', 'HTTP/1.1 100 C\r\n\r\n', CHUNKED)
    const lines = fc.constantFrom(
      'content-length: 2\r\n',
      '0\r\n\r\n',
      '2\r\n{}\r\n',
      '{}',
      'x: y\r\n',
    )
    const bytes = fc
      .uint8Array({ maxLength: 40 })
      .map((noise) => Buffer.from(noise).toString('latin1'))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(token, lines, bytes), { maxLength: 12 }),
        async (parts) => {
          sent = Buffer.from(parts.join(''), 'latin1')
          const outcome = await fetch(`${origin}/`, LIMITS).then(
            ({ body }) => body.length <= LIMITS.maxBytes,
            (error: unknown) => error instanceof FetchError && error.failure !== 'timeout',
          )
          expect(outcome).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('a closed port is unreachable', async () => {
    const server = await servePlain((socket) => socket.end())
    const socket = strangersFetch()(`https://docs.example:${server}/`, LIMITS)
    expect((await failureOf(socket)).failure).toBe('unreachable')
    const closed = strangersFetch()('https://docs.example:1/', LIMITS)
    expect((await failureOf(closed)).failure).toBe('unreachable')
  })

  it('CI-44 nothing that went wrong is heard of a second time', async () => {
    const heard: unknown[] = []
    const listen = (error: unknown): unknown => heard.push(error)
    process.on('unhandledRejection', listen).on('uncaughtExceptionMonitor', listen)
    const gone = { maxBytes: 1, timeout: 0.05 }
    await Promise.all(
      [...HOSTILE.map(([, , sent]) => answer(sent)), () => {}].map((connected) =>
        failureOf(fetchFrom(connected, gone)),
      ),
    )
    const idle = await servePlain(() => {})
    await failureOf(strangersFetch()(`https://docs.example:${idle}/`, gone))
    await setImmediate()
    process.off('unhandledRejection', listen).off('uncaughtExceptionMonitor', listen)
    expect(heard).toEqual([])
  })
})

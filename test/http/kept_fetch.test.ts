import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createKeptFetch } from '../../src/http/kept_fetch.ts'
import type { FetchEdge, SafeFetch } from '../../src/http/safe_fetch.ts'
import { AUTHORITY, OTHER_NAME } from './support/certificates.ts'
import { failureOf, ok, PUBLIC, serve, servePlain } from './support/hosts.ts'

const POST = { method: 'POST', body: '["GET","a"]', maxBytes: 5120, timeout: 5 } as const
const ANSWER = ok('{"result":1}')

function keptFetch(edge: FetchEdge = {}, trustedOrigins: readonly string[] = []): SafeFetch {
  return createKeptFetch(
    { trustedOrigins, dangerouslyAllowPrivateAddresses: false },
    {
      resolve: async () => [PUBLIC],
      isPublic: (address) => address === PUBLIC,
      ca: AUTHORITY,
      ...edge,
    },
  )
}

/** A host that does with the n-th request of its m-th connection what `answers` says, counted from 1. */
async function host(
  answers: (socket: Socket, nth: number, connection: number) => void,
): Promise<{ readonly url: string; readonly heads: string[]; connections(): number }> {
  let connections = 0
  const heads: string[] = []
  const port = await serve((socket) => {
    connections += 1
    const connection = connections
    let nth = 0
    socket.on('data', (data) => {
      heads.push(data.toString())
      answers(socket, (nth += 1), connection)
    })
  })
  return { url: `https://docs.example:${port}/`, heads, connections: () => connections }
}

describe('kept connections', () => {
  it('many requests share one', async () => {
    const { url, heads, connections } = await host((socket) => socket.write(ANSWER))
    const fetch = keptFetch()
    for (let turn = 0; turn < 20; turn += 1) expect((await fetch(url, POST)).status).toBe(200)
    expect([heads.length, connections()]).toEqual([20, 1])
    for (const head of heads) expect(head).toContain('\r\nconnection: keep-alive\r\n')
  })

  it('one that breaks with the request on it is replaced, and the request sent once more', async () => {
    const { url, heads, connections } = await host((socket, nth) =>
      nth === 1 ? socket.write(ANSWER) : socket.destroy(),
    )
    const fetch = keptFetch()
    await fetch(url, POST)
    expect((await fetch(url, POST)).status).toBe(200)
    expect([heads.length, connections()]).toEqual([3, 2])
    expect(heads[2]).toContain('\r\nconnection: close\r\n')
  })

  it('a host that closes each one behind its answer is no trouble', async () => {
    const { url } = await host((socket) => socket.end(ANSWER))
    const fetch = keptFetch()
    for (let turn = 0; turn < 50; turn += 1) expect((await fetch(url, POST)).status).toBe(200)
  })

  it('a request on a new one is not sent twice, nor one that is being answered', async () => {
    const silent = await host((socket) => socket.destroy())
    expect((await failureOf(keptFetch()(silent.url, POST))).failure).toBe('unreachable')
    expect(silent.heads).toHaveLength(1)
    const half = await host((socket, nth) => {
      socket.write(nth === 1 ? ANSWER : 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nxx')
      if (nth === 2) setImmediate(() => socket.destroy())
    })
    const fetch = keptFetch()
    await fetch(half.url, POST)
    expect((await failureOf(fetch(half.url, POST))).failure).toBe('unreachable')
    expect(half.heads).toHaveLength(2)
  })

  it('CI-25 CI-26 what is too large or too late is not kept, nor what else comes on it', async () => {
    const { url, connections } = await host((socket, _nth, connection) => {
      if (connection === 1) socket.write(ok('x'.repeat(6000)))
      else if (connection === 2) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nxx')
      else socket.write(ANSWER)
    })
    const fetch = keptFetch()
    expect((await failureOf(fetch(url, POST))).failure).toBe('too_large')
    expect((await failureOf(fetch(url, { ...POST, timeout: 0.1 }))).failure).toBe('timeout')
    expect(Buffer.from((await fetch(url, POST)).body).toString()).toBe('{"result":1}')
    expect(connections()).toBe(3)
  })

  it('CI-32 each new one is looked up and judged', async () => {
    const answers = [[PUBLIC], ['10.0.0.1'], [PUBLIC, '::1']]
    const { url, connections } = await host((socket) => socket.end(ANSWER))
    const fetch = keptFetch({ resolve: async () => answers.shift() ?? [] })
    expect((await fetch(url, POST)).status).toBe(200)
    for (let turn = 0; turn < 2; turn += 1) {
      expect((await failureOf(fetch(url, POST))).failure).toBe('refused')
    }
    expect(connections()).toBe(1)
  })

  it('CI-35 a certificate of somebody else is refused', async () => {
    const read: Buffer[] = []
    const port = await serve((socket) => socket.on('data', (data) => read.push(data)), OTHER_NAME)
    const failure = await failureOf(keptFetch()(`https://docs.example:${port}/`, POST))
    expect([failure.failure, read]).toEqual(['unreachable', []])
  })

  it('an address in the URL is judged, and http is for this machine only', async () => {
    const port = await servePlain((socket) => socket.on('data', () => socket.write(ANSWER)))
    const origin = `http://127.0.0.1:${port}`
    expect((await keptFetch({}, [origin])(`${origin}/`, POST)).status).toBe(200)
    for (const [url, trusted] of [
      [`${origin}/`, []],
      ['https://10.0.0.1/', []],
      ['http://10.0.0.1/', ['http://10.0.0.1']],
      ['http://docs.example/', []],
      ['https://user@docs.example/', []],
    ] as const) {
      expect((await failureOf(keptFetch({}, trusted)(url, POST))).failure, url).toBe('refused')
    }
  })
})

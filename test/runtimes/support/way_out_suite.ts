/**
 * What must hold of the way out on every runtime, asked of a process of it: hostile hosts, each over TLS
 * where the runtime has sockets, and in plain HTTP on Workers, whose TLS is the platform's.
 */
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { AUTHORITY } from '../../http/support/certificates.ts'
import { answer, CHUNKED, flood, ok, serve, servePlain } from '../../http/support/hosts.ts'
import type { Zone } from '../../http/support/name_server.ts'
import type { Runtime } from './launch.ts'

export interface Told {
  readonly status?: number
  readonly headers?: Readonly<{ [name: string]: string }>
  readonly body?: string
  readonly failure?: string
  readonly thrown?: string
}

export interface WayOut {
  readonly runtime: Runtime
  readonly url: string
}

const LIMITS = { maxBytes: 5120, timeout: 5 }

/** Asks as a stranger's URL would be asked, unless `asked` says otherwise. */
export async function ask({ url: at }: WayOut, asked: object): Promise<Told> {
  const body = JSON.stringify({ ...LIMITS, ...asked })
  return (await (await fetch(at, { method: 'POST', body })).json()) as Told
}

/** Fetches once from a host that does `connected` with each connection. */
export async function askHost(
  wayOut: WayOut,
  connected: (socket: Socket) => void,
  limits: object = {},
): Promise<Told> {
  if (wayOut.runtime === 'Workers') {
    const port = await servePlain(connected)
    return await ask(wayOut, { url: `http://127.0.0.1:${port}/c.json`, anywhere: true, ...limits })
  }
  const port = await serve(connected)
  const url = `https://docs.example:${port}/c.json`
  return await ask(wayOut, { url, pinned: '127.0.0.1', ca: AUTHORITY, ...limits })
}

export async function checkAnswers(wayOut: WayOut): Promise<void> {
  const heads: string[] = []
  const host = (socket: Socket): void => {
    socket.once('data', (head) => {
      heads.push(head.toString().toLowerCase())
      socket.end(ok('{"a":1}', 'set-cookie: a=b', 'cache-control: max-age=60', 'connection: close'))
    })
  }
  for (let turn = 1; turn <= 2; turn += 1) {
    const told = await askHost(wayOut, host)
    expect(told).toMatchObject({ status: 200, body: '{"a":1}' })
    expect(told.headers?.['cache-control']).toBe('max-age=60')
    expect(heads).toHaveLength(turn)
  }
  for (const head of heads) {
    expect(head).toContain('\r\naccept-encoding: identity\r\n')
    expect(head).toContain('\r\nuser-agent: mcp-oauth\r\n')
    expect(head).not.toContain('cookie')
    expect(head).not.toContain('authorization')
  }
}

export async function checkRedirects(wayOut: WayOut): Promise<void> {
  let connections = 0
  const canary = await servePlain(() => (connections += 1))
  for (const status of [301, 302, 303, 307, 308]) {
    const location = `http://127.0.0.1:${canary}/`
    const head = `HTTP/1.1 ${status} Moved\r\nlocation: ${location}\r\n`
    const told = await askHost(wayOut, answer(`${head}content-length: 2\r\n\r\n{}`))
    expect(told).toMatchObject({ status, headers: { location } })
  }
  expect(connections).toBe(0)
}

export async function checkBytes(wayOut: WayOut): Promise<void> {
  const size = async (bytes: number): Promise<number | string | undefined> => {
    const { body, failure } = await askHost(wayOut, answer(ok('x'.repeat(bytes))))
    return body?.length ?? failure
  }
  expect(await size(5120)).toBe(5120)
  expect(await size(5121)).toBe('too_large')
  const announced = 'HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n'
  expect((await askHost(wayOut, answer(announced))).failure).toBe('too_large')
  const chunk = `400\r\n${'x'.repeat(1024)}\r\n`
  for (const start of [CHUNKED, 'HTTP/1.1 200 OK\r\n\r\n']) {
    expect(
      (
        await askHost(
          wayOut,
          flood(start, () => chunk),
        )
      ).failure,
    ).toBe('too_large')
  }
}

export async function checkCodings(wayOut: WayOut): Promise<void> {
  const bomb = gzipSync(Buffer.alloc(20_000_000))
  for (const coding of ['gzip', 'x-gzip', 'br', 'gzip, gzip']) {
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${bomb.length}\r\n\r\n`
    const told = await askHost(wayOut, answer(Buffer.concat([Buffer.from(head), bomb])))
    expect(told.failure, coding).toBe('malformed')
  }
}

export async function checkTime(wayOut: WayOut): Promise<void> {
  const SHORT = { timeout: 0.3 }
  const drip = (start: string, next: string) => (socket: Socket) => {
    socket.once('data', () => {
      socket.write(start)
      const timer = setInterval(() => socket.write(next), 20)
      socket.on('close', () => clearInterval(timer))
    })
  }
  const slow: readonly ((socket: Socket) => void)[] = [
    drip('HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n', 'x'),
    drip(CHUNKED, '1\r\nx\r\n'),
    drip('HTTP/1.1 200 OK\r\nx: ', 'x'),
    answer('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nxx'),
    (socket) => socket.resume(),
  ]
  const told = await Promise.all(slow.map((each) => askHost(wayOut, each, SHORT)))
  expect(told.map(({ failure }) => failure)).toEqual(slow.map(() => 'timeout'))
}

/** A host that breaks each connection with its second request on it. */
export async function checkKept(wayOut: WayOut): Promise<void> {
  let connections = 0
  let requests = 0
  const port = await serve((socket) => {
    connections += 1
    let nth = 0
    socket.on('data', () => {
      requests += 1
      nth += 1
      if (nth === 1) socket.write(ok('{"result":1}'))
      else socket.destroy()
    })
  })
  const url = `https://docs.example:${port}/`
  for (let turn = 0; turn < 6; turn += 1) {
    const told = await ask(wayOut, { url, pinned: '127.0.0.1', ca: AUTHORITY, kept: true })
    expect(told.status).toBe(200)
  }
  // Otherwise none was kept, and nothing was tried here.
  expect(requests).toBeGreaterThan(connections)
}

/** What has to be refused before anybody is asked. */
export async function checkRefused(wayOut: WayOut): Promise<void> {
  let connections = 0
  const port = await servePlain(() => (connections += 1))
  for (const url of [
    `http://docs.example:${port}/`,
    `https://127.0.0.1:${port}/`,
    `https://[::1]:${port}/`,
    `https://[::ffff:127.0.0.1]:${port}/`,
    `https://[::ffff:7f00:1]:${port}/`,
    `https://0.0.0.0:${port}/`,
    `https://2130706433:${port}/`,
    `https://0x7f.1:${port}/`,
    `https://127.1:${port}/`,
    `https://user@docs.example:${port}/`,
    'https://169.254.169.254/latest/meta-data/',
    'https://10.0.0.1/',
    'https://[fd00::1]/',
    'https://168.63.129.16/',
    'ftp://docs.example/',
    'data:application/json,{}',
  ]) {
    expect((await ask(wayOut, { url })).failure, url).toBe('refused')
  }
  expect(connections).toBe(0)
}

/** What names have to be refused where they are looked up: the zones, each with why. */
export const ZONES: readonly (readonly [why: string, zone: Zone])[] = [
  ['is on this machine', (type) => (type === 'A' ? [[127, 0, 0, 1]] : [])],
  ['is in the inner network', (type) => (type === 'A' ? [[10, 0, 0, 1]] : [])],
  [
    'is public by one family only',
    (type) => (type === 'A' ? [[1, 1, 1, 1]] : [[...Array<number>(15).fill(0), 1]]),
  ],
  ['does not exist', () => 3],
]

/** Where nothing is looked up, the name itself has to do. */
export async function checkInnerNames(wayOut: WayOut): Promise<void> {
  for (const host of [
    'localhost',
    'a.localhost',
    'metadata',
    'printer.local',
    'metadata.google.internal',
    'router.home.arpa',
  ]) {
    expect((await ask(wayOut, { url: `https://${host}/` })).failure, host).toBe('refused')
  }
}

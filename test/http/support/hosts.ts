/**
 * Hosts for the tests of safe_fetch: servers on 127.0.0.1, which stands for a public address there, and a
 * record of every address that this process tried to connect to.
 */
import type { AddressInfo } from 'node:net'
import { Socket, createServer as createTcpServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, vi } from 'vitest'
import { createSafeFetch, FetchError } from '../../../src/http/safe_fetch.ts'
import type {
  FetchEdge,
  FetchRequest,
  FetchResult,
  SafeFetch,
} from '../../../src/http/safe_fetch.ts'
import { AUTHORITY, GOOD, type Certificate } from './certificates.ts'

/** The address that is public in these tests. */
export const PUBLIC = '127.0.0.1'

const running: (() => void)[] = []
afterEach(() => {
  for (const stop of running.splice(0)) stop()
})

/** A server for raw connections, over TLS unless `certificate` is undefined. Gives its port. */
export async function serve(
  connected: (socket: Socket) => void,
  certificate: Certificate | undefined = GOOD,
): Promise<number> {
  const server: Server = createTlsServer({ ...certificate }, connected)
  return await listen(server)
}

/** The same without TLS. */
export async function servePlain(connected: (socket: Socket) => void): Promise<number> {
  return await listen(createTcpServer(connected))
}

/** Starts `server` on a free port, until the test ends. */
export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => {}))
  running.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Answers each request head with `text`, and leaves the connection open. */
export function answer(text: string | Uint8Array): (socket: Socket) => void {
  return (socket) => socket.once('data', () => socket.write(text))
}

/** A 200 with `body` and further header lines. */
export function ok(body: string, ...lines: string[]): string {
  return ['HTTP/1.1 200 OK', `content-length: ${Buffer.byteLength(body)}`, ...lines, '', body].join(
    '\r\n',
  )
}

/** A fetch for strangers' URLs: every name is at `PUBLIC`, which is public, unless `edge` says otherwise. */
export function strangersFetch(edge: FetchEdge = {}): SafeFetch {
  const policy = { trustedOrigins: [], dangerouslyAllowPrivateAddresses: false }
  return createSafeFetch(policy, {
    resolve: async () => [PUBLIC],
    isPublic: (address) => address === PUBLIC,
    ca: AUTHORITY,
    ...edge,
  })
}

/** What the fetch fails with; anything else than a `FetchError` is rethrown, a result is an error. */
export async function failureOf(fetched: Promise<FetchResult>): Promise<FetchError> {
  try {
    const { status } = await fetched
    throw new Error(`answered ${status}`)
  } catch (error) {
    if (error instanceof FetchError) return error
    throw error
  }
}

/** Every address that a connection is tried to from now until the test ends. */
export function watchConnections(): readonly string[] {
  const tried: string[] = []
  const connect = Socket.prototype.connect
  const spy = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (
    this: Socket,
    ...given: Parameters<Socket['connect']>
  ) {
    this.on('connectionAttempt', (address: string) => tried.push(address))
    return connect.apply(this, given)
  })
  running.push(() => spy.mockRestore())
  return tried
}

/** The head of an answer in chunks. */
export const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'

/** Fetches once from a host that does `connected` with each connection. */
export async function fetchFrom(
  connected: (socket: Socket) => void,
  limits: FetchRequest = { maxBytes: 5120, timeout: 5 },
): Promise<FetchResult> {
  const port = await serve(connected)
  return await strangersFetch()(`https://docs.example:${port}/c.json`, limits)
}

/** Writes `next()` over and over for as long as the other side reads. */
export function flood(start: string, next: () => string | Uint8Array): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(start)
      const more = (): void => {
        if (socket.destroyed) return
        while (socket.write(next())) if (socket.destroyed) return
        socket.once('drain', more)
      }
      more()
    })
  }
}

/** Resolves when the client has closed a connection of the server that `connected` serves. */
export function closing(connected: (socket: Socket) => void): {
  readonly connected: (socket: Socket) => void
  readonly closed: Promise<void>
} {
  let close: () => void = () => {}
  const closed = new Promise<void>((resolve) => (close = resolve))
  return {
    closed,
    connected(socket) {
      socket.on('close', () => close())
      connected(socket)
    },
  }
}

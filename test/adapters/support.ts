/** Servers and raw sockets for the tests of the edges. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach } from 'vitest'
import { hardenServer, toHttpRequest, writeHttpResponse } from '../../src/adapters/node.ts'
import type { ReadOptions } from '../../src/adapters/node.ts'
import type { HttpRequest } from '../../src/http/message.ts'
import { errorResponse, json } from '../../src/http/respond.ts'
import { OAuthError } from '../../src/protocol/errors.ts'

export interface TestServer {
  readonly server: Server
  readonly port: number
  readonly url: string
}

const started: Server[] = []

afterEach(async () => {
  for (const server of started.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A hardened server on 127.0.0.1, closed after the test. */
export async function serve(
  listener: RequestListener,
  options: ServerOptions = {},
): Promise<TestServer> {
  const server = createServer(options, listener)
  hardenServer(server)
  started.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, port, url: `http://127.0.0.1:${port}` }
}

/** One that answers with what `see` makes of the request, and with errors as the router does. */
export async function serveSeen(
  see: (request: HttpRequest) => unknown,
  read: ReadOptions = {},
  options: ServerOptions = {},
): Promise<TestServer> {
  return await serve((req, res) => {
    const answer = async () => json(200, (await see(toHttpRequest(req, read))) ?? {})
    answer().then(
      (response) => writeHttpResponse(res, response),
      (error: unknown) => {
        const known = error instanceof OAuthError ? error : new OAuthError('server_error', 'a bug')
        writeHttpResponse(res, errorResponse(known))
      },
    )
  }, options)
}

/** What came back on a socket until it was closed, or until `until` is in it. */
export async function exchange(
  port: number,
  text: string,
  until: RegExp = /(?!)/,
): Promise<string> {
  const socket = open(port)
  socket.write(text, 'latin1')
  return await receive(socket, until)
}

export function open(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  return socket
}

export async function receive(socket: Socket, until: RegExp = /(?!)/): Promise<string> {
  let got = ''
  await new Promise<void>((resolve) => {
    socket.on('close', () => resolve())
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1')
      if (until.test(got)) resolve()
    })
  })
  socket.destroy()
  return got
}

/** A request without a body, that asks to close the connection. */
export function head(line: string, ...headers: readonly string[]): string {
  return [line, ...headers, 'Connection: close', '', ''].join('\r\n')
}

/** The body of a raw answer. */
export function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4)
}

/** The status of a raw answer; undefined when there is none. */
export function statusOf(answer: string): number | undefined {
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(answer) ?? []
  return status === undefined ? undefined : Number(status)
}

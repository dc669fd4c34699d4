/** Backends for the gateway's tests: real servers on 127.0.0.1, each on a free port. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'

export interface TestServer {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** A backend that answers by `listener`. */
export async function startBackend(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What a backend saw of one request. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A backend that writes down what it sees and answers with it. */
export async function startEcho(
  headers: Readonly<{ [name: string]: string | readonly string[] }> = {},
  status = 200,
): Promise<TestServer & { readonly seen: Seen[] }> {
  const seen: Seen[] = []
  const server = await startBackend((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { method = '', url = '', rawHeaders } = req
      const body = Buffer.concat(chunks).toString()
      seen.push({ method, url, rawHeaders, headers: req.headers, body })
      for (const [name, value] of Object.entries(headers)) {
        res.setHeader(name, typeof value === 'string' ? value : [...value])
      }
      if (!res.hasHeader('content-type')) res.setHeader('content-type', 'application/json')
      res.statusCode = status
      res.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { url, body } }))
    })
  })
  return { ...server, seen }
}

/** A raw backend: `onData` gets what came on a socket and all that came before on it. */
export async function startRaw(
  onData: (socket: Socket, text: string, count: number) => void,
): Promise<TestServer & { readonly received: string[]; readonly sockets: Set<Socket> }> {
  const received: string[] = []
  const sockets = new Set<Socket>()
  let count = 0
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    const at = received.push('') - 1
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      received[at] += chunk.toString('latin1')
      onData(socket, chunk.toString('latin1'), ++count)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    received,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Waits until `test` holds, at most five seconds. */
export async function until(test: () => boolean): Promise<void> {
  const end = Date.now() + 5000
  while (!test()) {
    if (Date.now() > end) throw new Error('it did not come to pass')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

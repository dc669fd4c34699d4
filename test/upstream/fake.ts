/**
 * An upstream at the network's edge, whose every answer a test sets: a server on a free port of
 * 127.0.0.1 that keeps what it was asked.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** The body as a form. */
  readonly form: URLSearchParams
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<{ [name: string]: string }>
  /** JSON unless it is text or bytes. */
  readonly body?: unknown
}

export type Handler = (asked: Asked, response: ServerResponse) => Reply | 'handled'

export interface Fake {
  readonly origin: string
  /** Every request so far. */
  readonly asked: Asked[]
  /** What a path answers from now on; 404 elsewhere. */
  on(path: string, reply: Reply | Handler): void
  /** How often a path was asked. */
  count(path: string): number
  last(path: string): Asked
  /** Forgets requests and answers. */
  reset(): void
  close(): Promise<void>
}

export async function startFake(): Promise<Fake> {
  const asked: Asked[] = []
  const replies = new Map<string, Reply | Handler>()
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const [path = ''] = (request.url ?? '').split('?')
      const { method = '', headers } = request
      const entry = { method, path, headers, body, form: new URLSearchParams(body) }
      asked.push(entry)
      const found = replies.get(path) ?? { status: 404 }
      const reply = typeof found === 'function' ? found(entry, response) : found
      if (reply !== 'handled') write(response, reply)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    on: (path, reply) => void replies.set(path, reply),
    count: (path) => asked.filter((entry) => entry.path === path).length,
    last(path) {
      const entry = asked.findLast((candidate) => candidate.path === path)
      if (entry === undefined) throw new Error(`${path} was not asked`)
      return entry
    },
    reset() {
      asked.length = 0
      replies.clear()
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function write(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const type = raw ? {} : { 'content-type': 'application/json' }
  response.writeHead(status, { ...type, ...headers })
  response.end(raw ? body : body === undefined ? '' : JSON.stringify(body))
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

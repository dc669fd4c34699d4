/**
 * An HTTP proxy before a real OpenID provider, whose address is the provider's own. It passes everything
 * on, but does to the answers of the token endpoint what it is told.
 */
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers in the provider's place, or when it has called `pass` to answer for it. */
export type Treatment = (
  res: ServerResponse,
  pass: (to: ServerResponse | undefined) => Promise<Passed>,
) => unknown

/** What the provider has answered. */
export interface Passed {
  readonly status: number
  readonly body: Buffer
}

export interface TokenGate {
  readonly origin: string
  /** The port of the provider, once it is known. */
  leadTo(port: number): void
  /** What happens to token requests from now on; passed on when undefined. */
  treat(how: Treatment | undefined): void
  /** Requests to the token endpoint so far, whatever became of them. */
  asked(): number
  close(): Promise<void>
}

export async function startTokenGate(): Promise<TokenGate> {
  const state = { port: 0, asked: 0, how: undefined as Treatment | undefined }
  const server = createServer((req, res) => void handle(req, res).catch(() => res.destroy()))
  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const sent = await read(req)
    const isToken = req.url === '/token'
    if (isToken) state.asked += 1
    const pass = (to: ServerResponse | undefined): Promise<Passed> =>
      passOn(state.port, req, sent, to)
    if (isToken && state.how !== undefined) await state.how(res, pass)
    else await pass(res)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (port) => void (state.port = port),
    treat: (how) => void (state.how = how),
    asked: () => state.asked,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function passOn(
  port: number,
  { method, url, headers }: IncomingMessage,
  sent: Buffer,
  to: ServerResponse | undefined,
): Promise<Passed> {
  // A connection of its own: one that the provider closes while it is idle must not be taken again.
  const place = { host: '127.0.0.1', port, method, path: url, agent: false } as const
  const asked = httpRequest({ ...place, headers: { ...headers, connection: 'close' } })
  asked.end(sent)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const body = await read(answer)
  const status = answer.statusCode ?? 502
  const { connection: _, 'transfer-encoding': __, ...kept } = answer.headers
  to?.writeHead(status, kept).end(body)
  return { status, body }
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

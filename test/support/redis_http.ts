/** A small HTTP server on a free port of 127.0.0.1 that answers JSON. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TestHttp {
  readonly url: string
  close(): Promise<void>
}

interface Asked {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Answers each POST with what `answer` gives: a status, and a body that is sent as JSON. */
export async function startHttp(
  answer: (asked: Asked) => Promise<readonly [status: number, body: unknown]>,
): Promise<TestHttp> {
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const [status, result] = await answer({ path: req.url ?? '/', headers: req.headers, body })
    res.writeHead(status, { 'content-type': 'application/json' })
    res.end(typeof result === 'string' ? result : JSON.stringify(result))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/**
 * A server that stands before another one and can hold requests back, as a slow network does.
 */
import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HoldingProxy {
  readonly url: string
  /** Holds every request from now on whose path and body `which` says yes to. */
  hold(which: (path: string, body: string) => boolean): void
  /** Resolves when a request is held. */
  holds(): Promise<void>
  /** Lets go of what is held and of what comes. */
  release(): void
  close(): Promise<void>
}

export async function startHoldingProxy(target: () => string): Promise<HoldingProxy> {
  let which: (path: string, body: string) => boolean = () => false
  let held: (() => void)[] = []
  const waiting: (() => void)[] = []
  const server = createServer(async (req, res) => {
    const body = await read(req)
    if (which(req.url ?? '', body)) {
      await new Promise<void>((go) => {
        held.push(go)
        for (const hears of waiting.splice(0)) hears()
      })
    }
    const { method, headers } = req
    const onward = request(`${target()}${req.url}`, { method, headers }, (response) => {
      res.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(res)
    })
    onward.on('error', () => res.destroy())
    onward.end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: (chosen) => void (which = chosen),
    holds: () =>
      held.length > 0 ? Promise.resolve() : new Promise((hears) => waiting.push(hears)),
    release() {
      which = () => false
      for (const go of held) go()
      held = []
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function read(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

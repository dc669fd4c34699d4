/**
 * Where a native client waits for its user's browser: a listener on a free loopback port (RFC 8252 §7.3).
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Loopback {
  readonly redirect_uri: string
  /** The first callback that comes in. */
  readonly arrived: Promise<URL>
  close(): void
}

export async function listenLoopback(): Promise<Loopback> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const arrived = new Promise<URL>((resolve) => {
    server.on('request', (req, res) => {
      const url = new URL(req.url ?? '/', origin)
      res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>You can close this window.</h1>')
      if (url.pathname === '/callback') resolve(url)
    })
  })
  return {
    redirect_uri: `${origin}/callback`,
    arrived,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

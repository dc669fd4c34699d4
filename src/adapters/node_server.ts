/**
 * The limits of a node:http server that faces strangers, where Node's own are looser or absent.
 */
import type { Server, ServerOptions } from 'node:http'

/** Seconds. */
const HEADERS = 15
const REQUEST = 40
const KEEP_ALIVE = 65

/** What `createServer` alone can be told; `hardenServer` sets the rest. */
export const SERVER_OPTIONS: ServerOptions = {
  // The command line of the process cannot loosen these two.
  insecureHTTPParser: false,
  maxHeaderSize: 16 * 1024,
  requireHostHeader: true,
  // How often the limits below are looked after, in milliseconds; 30 seconds by default.
  connectionsCheckingInterval: 5000,
}

/**
 * Limits the time in which head and whole request must have come, and refuses CONNECT. Upgrades are
 * ignored by a server on which nobody listens for them, as RFC 9110 §7.8 allows. The size of the head
 * is an option of `createServer` (`maxHeaderSize`, 16 KiB by default), beyond which Node answers 431.
 */
export function hardenServer(server: Server): void {
  server.headersTimeout = HEADERS * 1000
  server.requestTimeout = REQUEST * 1000
  // Above the 60 seconds after which load balancers give up idle connections, so that none is closed
  // at the moment in which they send on it.
  server.keepAliveTimeout = KEEP_ALIVE * 1000
  // RFC 9110 §9.3.6: whoever is no proxy answers no CONNECT with success.
  server.on('connect', (_, socket) => {
    socket.on('error', () => {})
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
}

/**
 * What the demo's two servers have in common: each is a process of its own that `scripts/start.js`
 * starts, tells it when it is ready, and ends when it is told to or when whoever started it is gone.
 */
import { createServer, type RequestListener } from 'node:http'

/** Refuses to be anything but a demo. */
export function refuseProduction(what: string): void {
  if (process.env['NODE_ENV'] !== 'production') return
  process.stderr.write(`${what} is a demo and does not run under NODE_ENV=production\n`)
  process.exit(1)
}

/** A setting that `scripts/start.js` hands over in the environment. */
export function setting(name: string): string {
  const value = process.env[name]
  if (value !== undefined && value !== '') return value
  process.stderr.write(`${name} is not set; start the demo with npm start\n`)
  process.exit(1)
}

/** Listens on 127.0.0.1 alone, for one host name, until it is told to stop. */
export function serve(port: number, listener: RequestListener): void {
  const host = `127.0.0.1:${port}`
  const server = createServer((request, response) => {
    // A web page whose name was pointed at this address would come with another Host.
    if (request.headers.host === host) listener(request, response)
    else response.writeHead(421).end()
  })
  server.on('error', (error) => fail(error.message))
  server.listen(port, '127.0.0.1', () => process.send?.('ready'))
  const stop = (): void => {
    server.close(() => process.exit(0))
    server.closeAllConnections()
  }
  process.once('SIGTERM', stop)
  process.once('disconnect', stop)
  // Ctrl-C reaches every process of the terminal; the parent passes on what is to be done.
  process.on('SIGINT', () => process.send === undefined && stop())
}

function fail(reason: string): void {
  process.stderr.write(`${reason}\n`)
  process.exit(1)
}

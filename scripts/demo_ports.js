/** Ports: read, judged, tried, and reachable by both loopback addresses. */
import { connect, createServer } from 'node:net'
import { Fault } from './set_up.js'

/** `PORT`, or `otherwise`; the `more` ports after it are taken as well. @throws Fault */
export function readPort(text, otherwise, more) {
  const highest = 65_535 - more
  const port = text === undefined ? otherwise : /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= highest) return port
  throw new Fault(
    `PORT=${text} is no port from 1 to ${highest} (the ${more} after it are taken as well)`,
  )
}

/** @param command what starts it all, for whoever has to move it. @throws Fault when somebody listens there. */
export async function checkFree(ports, command) {
  for (const port of ports) {
    const server = await listen(createServer(), port, '127.0.0.1', ports[0], command)
    await new Promise((done) => server.close(done))
  }
}

/**
 * Passes what comes to [::1] on to 127.0.0.1, where the server listens: on some machines `localhost`
 * is ::1 first, and not every client tries the other. Gives a function that ends it.
 */
export async function bridge(port, command) {
  const sockets = new Set()
  const server = createServer({ allowHalfOpen: true }, (outer) => {
    const inner = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    for (const [one, other] of [
      [outer, inner],
      [inner, outer],
    ]) {
      sockets.add(one)
      one.on('close', () => sockets.delete(one))
      one.on('error', () => other.destroy())
      one.pipe(other)
    }
  })
  try {
    await listen(server, port, '::1', port, command)
  } catch (error) {
    // A machine without IPv6 has no second address.
    if (error instanceof Fault) throw error
    return () => {}
  }
  return () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
}

function listen(server, port, host, base, command) {
  return new Promise((done, fail) => {
    server.once('error', (error) => {
      if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return fail(error)
      const why = error.code === 'EACCES' ? 'may not be used by you' : 'is in use'
      const other = base < 60_000 ? base + 1000 : base - 1000
      fail(new Fault(`port ${port} ${why}; start it elsewhere: PORT=${other} ${command}`))
    })
    server.listen(port, host, () => done(server))
  })
}

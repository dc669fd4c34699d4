/** Ports for servers that a test starts a little later, in a process of their own. */
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below those that systems give to outgoing connections: one of these could take the port in between.
const [FIRST_PORT, PORTS] = [12_000, 20_000]
let turn = process.pid * 101

/** A port of 127.0.0.1 that nobody listens on, and of which the next ones are free, too: `count` in all. */
export async function freePort(count = 1): Promise<number> {
  for (;;) {
    turn += count
    const port = FIRST_PORT + (turn % PORTS)
    if (await areFree(port, count)) return port
  }
}

async function areFree(first: number, count: number): Promise<boolean> {
  for (let port = first; port < first + count; port += 1) if (!(await isFree(port))) return false
  return true
}

/** Whether nobody listens there. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

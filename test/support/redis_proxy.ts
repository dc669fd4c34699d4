/** A TCP proxy on a free port of 127.0.0.1 that can hold answers back, and cut connections. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TestProxy {
  readonly port: number
  /** From now on nothing comes back over the connections that there are; what is asked goes through. */
  holdAnswers(): void
  /** From now on nothing passes, either way, and new connections are held too. */
  hold(): void
  /** New connections pass again; those that were held stay held. */
  release(): void
  /** Ends every connection that there is. */
  cut(): void
  close(): Promise<void>
}

export async function startProxy(port: number): Promise<TestProxy> {
  let holding = false
  const pairs = new Set<readonly [near: Socket, far: Socket]>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const end of pair) {
      end.on('error', () => undefined)
      end.on('close', () => {
        pairs.delete(pair)
        for (const each of pair) each.destroy()
      })
    }
    if (holding) return
    near.pipe(far)
    far.pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const [near, far] of pairs) {
      near.destroy()
      far.destroy()
    }
  }
  return {
    port: (server.address() as AddressInfo).port,
    holdAnswers() {
      for (const [near, far] of pairs) {
        far.unpipe(near)
        far.resume()
      }
    },
    hold() {
      holding = true
      for (const [near, far] of pairs) {
        near.unpipe(far)
        far.unpipe(near)
      }
    },
    release: () => void (holding = false),
    cut,
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A TCP proxy that does to connections what networks do to them. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** Passes everything on. */
  mend(): void
  /** Refuses new connections and breaks those that are open. */
  cut(): void
  /** Takes connections and bytes and never answers: half open. */
  freeze(): void
  /** Holds each answer back for so many milliseconds. */
  delay(milliseconds: number): void
  /** Breaks each connection after so many bytes of what is answered. */
  cutAnswersAfter(bytes: number): void
  /** What was answered behind it since the last asking, cut off or not. */
  answered(): string
  close(): Promise<void>
}

interface State {
  mode: 'open' | 'cut' | 'frozen'
  delay: number
  limit: number
}

export async function startProxy(target: number): Promise<Proxy> {
  const state: State = { mode: 'open', delay: 0, limit: Infinity }
  const sockets = new Set<Socket>()
  let answered = ''
  const server = createServer((near) => {
    if (state.mode === 'cut') return void near.resetAndDestroy()
    const far = connect(target, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    let passed = 0
    near.on('data', (chunk) => void (state.mode === 'open' && far.write(chunk)))
    far.on('data', (chunk) => {
      if (state.mode !== 'open') return
      answered += chunk.toString()
      const allowed = chunk.subarray(0, Math.max(0, state.limit - passed))
      passed += chunk.length
      setTimeout(() => {
        if (near.destroyed) return
        near.write(allowed)
        if (passed > state.limit) near.destroySoon()
      }, state.delay)
    })
    near.on('close', () => far.destroy())
    far.on('close', () => setTimeout(() => near.destroySoon(), state.delay))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const breakAll = (): void => sockets.forEach((socket) => void socket.destroy())
  const set = (change: Partial<State>): void =>
    void Object.assign(state, { mode: 'open', delay: 0, limit: Infinity }, change)
  return {
    port: (server.address() as AddressInfo).port,
    mend: () => set({}),
    cut() {
      set({ mode: 'cut' })
      breakAll()
    },
    freeze: () => set({ mode: 'frozen' }),
    delay: (milliseconds) => set({ delay: milliseconds }),
    cutAnswersAfter: (bytes) => set({ limit: bytes }),
    answered() {
      const text = answered
      answered = ''
      return text
    },
    async close() {
      breakAll()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A server process as its clients see it, and the ways to end it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ProgramSettings } from './server_program.ts'

export interface Replica {
  /** Where its OAuth routes are asked. */
  readonly issuer: string
  /** What tokens are for; the same at every replica. */
  readonly resource: string
  /** Where this process has the MCP endpoint. */
  readonly endpoint: { readonly resource: string }
  /** Opens the store and listens. */
  go(): Promise<void>
  /** Moves its clock this many seconds away from ours. */
  setClock(seconds: number): Promise<void>
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>
  /** Holds the process still, as a machine that sleeps, until `resume`. */
  pause(): void
  resume(): void
  stop(): Promise<void>
}

export type ReplicaSettings = Omit<ProgramSettings, 'publicOrigin'> & { publicOrigin?: string }

/** Starts the process, which loads and waits for `go`. */
export function startReplica(settings: ReplicaSettings): Replica {
  const origin = `http://127.0.0.1:${settings.port}`
  const publicOrigin = settings.publicOrigin ?? origin
  const program = join(import.meta.dirname, 'server_program.js')
  const child = spawn(process.execPath, [program, JSON.stringify({ ...settings, publicOrigin })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  // One that was killed takes no more words.
  child.stdin.on('error', () => undefined)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  async function tell(text: string): Promise<void> {
    child.stdin.write(`${text}\n`)
    const { done } = await lines.next()
    if (done === true) throw new Error(`the server ended before it did ${text}`)
  }
  return {
    issuer: origin,
    resource: `${publicOrigin}/mcp`,
    endpoint: { resource: `${origin}/mcp` },
    go: () => tell('go'),
    setClock: (seconds) => tell(`clock ${seconds}`),
    kill: () => end(child, () => child.kill('SIGKILL')),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: () => end(child, () => child.kill('SIGCONT') && child.stdin.end()),
  }
}

async function end(child: ChildProcess, how: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  how()
  await closed
}

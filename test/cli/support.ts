/** The command line as a process of its own, built from the source. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buildOnce } from '../support/build.ts'

export interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  out(): string
  err(): string
  /** Waits for the text on standard error. */
  told(text: string): Promise<void>
  /** Its exit status, once it has ended. */
  ended(): Promise<number | null>
}

/** Starts it. Of this process's environment only PATH and HOME are passed on. */
export async function start(
  args: readonly string[],
  env: Readonly<{ [name: string]: string }> = {},
  cwd?: string,
): Promise<Running> {
  const main = join(await buildOnce(), 'cli/main.js')
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const closed = once(child, 'close')
  return {
    child,
    out: () => out,
    err: () => err,
    async told(text) {
      const end = Date.now() + 15_000
      while (!err.includes(text)) {
        if (Date.now() > end || child.exitCode !== null) throw new Error(`it said: ${err}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async ended() {
      const [status] = (await closed) as [number | null]
      return status
    },
  }
}

/** Runs it to its end. */
export async function run(
  args: readonly string[],
  env: Readonly<{ [name: string]: string }> = {},
  cwd?: string,
): Promise<{ status: number | null; out: string; err: string }> {
  const running = await start(args, env, cwd)
  const status = await running.ended()
  return { status, out: running.out(), err: running.err() }
}

/** The demo's own servers as processes, and its scripts, each with a directory of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export const ROOT: string = resolve(import.meta.dirname, '../..')

export interface DemoProcess {
  readonly child: ChildProcess
  /** What it has said so far. */
  said(): string
  /** Waits until it has said something. */
  says(text: string): Promise<void>
  /** Tells it to stop, and gives its exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>
}

/** Builds the demo as `npm start` does, so that a test file can run by itself. */
export function buildDemo(): void {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `await (await import('./scripts/set_up.js')).buildDemo()`],
    { cwd: ROOT, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`the demo was not built: ${stderr}`)
}

/** One of the demo's servers, ready. */
export async function startServer(
  name: 'identity_provider' | 'mcp_server' | 'redis_rest',
  settings: Readonly<{ [name: string]: string }>,
): Promise<DemoProcess> {
  const process_ = run(join('demo/dist', `${name}.js`), settings, true)
  await Promise.race([
    new Promise((ready) => process_.child.once('message', ready)),
    new Promise((_, fail) =>
      process_.child.once('exit', () => fail(new Error(`${name} ended: ${process_.said()}`))),
    ),
  ])
  return process_
}

/** Any script of this repository. */
export function run(
  script: string,
  settings: Readonly<{ [name: string]: string }> = {},
  ipc = false,
  args: readonly string[] = [],
): DemoProcess {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: '', ...settings },
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  }
  const ended = new Promise<number | NodeJS.Signals>((done) =>
    child.once('close', (status, signal) => done(signal ?? status ?? -1)),
  )
  return {
    child,
    said: () => said,
    async says(text) {
      while (!said.includes(text)) {
        if (child.exitCode !== null) throw new Error(`it ended without "${text}": ${said}`)
        await new Promise((next) => setTimeout(next, 20))
      }
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return await ended
    },
  }
}

/** A directory and the function that removes it. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'mcp-oauth-demo-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/**
 * Somebody's project: a folder of files with a `package.json`, copied to a directory of its own, installed
 * from npm together with the package as it would be published, and run in processes of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll } from 'vitest'
import { packOnce } from './pack.ts'

/** Milliseconds. */
const START_LIMIT = 120_000
const STOP_LIMIT = 10_000

type Env = Readonly<{ [name: string]: string | undefined }>

export interface Project {
  readonly directory: string
  /** Runs a program to its end and gives all that it wrote. @throws Error with that, when it fails */
  run(command: string, args?: readonly string[], env?: Env): Promise<string>
  /** Starts a program and waits until something answers at `url`, whatever it says. */
  start(command: string, args: readonly string[], url: string, env?: Env): Promise<Program>
}

export interface Program {
  /** All that it wrote so far, to both streams. */
  told(): string
  /** Ends it with all that it has started; done when it is gone. */
  stop(): Promise<void>
}

export interface ProjectOptions {
  /** More files, or others in place of those of the folder: paths in the project, and their text. */
  readonly files?: Readonly<{ [path: string]: string }>
  /** Whether the package itself is installed, too; true by default. */
  readonly withPackage?: boolean
  /** Names in the folder that are not copied. */
  readonly without?: readonly string[]
}

/** What ends each project. A hook that is declared while another runs is never called, so one ends them all. */
const ends: (() => Promise<void>)[] = []

afterAll(async () => {
  await Promise.all(ends.splice(0).map((end) => end()))
})

/** Copies `folder` and installs what its `package.json` names. Gone after the tests of the file. */
export async function installProject(
  folder: string,
  { files = {}, withPackage = true, without = [] }: ProjectOptions = {},
): Promise<Project> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-project-'))
  const programs = new Set<Program>()
  ends.push(async () => {
    await Promise.all([...programs].map((program) => program.stop()))
    rmSync(directory, { recursive: true, force: true })
  })
  const left = new Set(['node_modules', ...without])
  cpSync(folder, directory, {
    recursive: true,
    filter: (path) => !left.has(path.slice(folder.length + 1)),
  })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  const project = openProject(directory, programs)
  const packed = withPackage ? [await packOnce()] : []
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--no-package-lock']
  await project.run('npm', ['install', ...quiet, ...packed])
  return project
}

function openProject(directory: string, programs: Set<Program>): Project {
  return {
    directory,
    async run(command, args = [], env = {}) {
      const { child, told } = launch(directory, command, args, env)
      const [status, signal] = (await once(child, 'close')) as [number | null, string | null]
      if (status === 0) return told()
      throw new Error(`${command} ${args.join(' ')}: ${signal ?? `status ${status}`}\n${told()}`)
    },
    async start(command, args, url, env = {}) {
      const { child, told } = launch(directory, command, args, env)
      const program = { told, stop: () => stop(child) }
      programs.add(program)
      await untilAnswers(url, child, told)
      return program
    },
  }
}

/** As the head of a group of its own, so that what it starts can be ended with it. */
function launch(
  cwd: string,
  command: string,
  args: readonly string[],
  env: Env,
): { child: ChildProcess; told: () => string } {
  const child = spawn(command, args, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: undefined, VITEST: undefined, ...env },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  }
  child.once('error', (error) => (text += error.message))
  return { child, told: () => text }
}

async function untilAnswers(url: string, child: ChildProcess, told: () => string): Promise<void> {
  const deadline = Date.now() + START_LIMIT
  for (;;) {
    const answered = await fetch(url, { redirect: 'manual' }).then(
      async (response) => (await response.arrayBuffer(), true),
      () => false,
    )
    if (answered) return
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      await stop(child)
      throw new Error(`nothing answers at ${url}:\n${told()}`)
    }
    await wait(100)
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = () => child.exitCode !== null || child.signalCode !== null
  signalGroup(child, 'SIGTERM')
  if (!gone()) await Promise.race([once(child, 'exit'), wait(STOP_LIMIT)])
  // Whatever it has started and did not take along.
  signalGroup(child, 'SIGKILL')
  if (!gone()) await once(child, 'exit')
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // Nobody of the group is left.
  }
}

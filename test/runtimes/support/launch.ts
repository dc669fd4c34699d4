/**
 * The runtimes, and how the one program of `projects/runtimes` is started on each. All of them come from
 * npm, so that one installation is all that the tests need.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey } from '../../../src/crypto/keyring.ts'
import type { TestOidcProvider } from '../../support/oidc_provider.ts'
import type { Program, Project } from '../../support/project.ts'
import { configOf, type WorkersOptions } from './workers.ts'
import { freePort } from '../../support/free_port.ts'

export const RUNTIMES = [
  'the Node of the tests',
  'Node 22',
  'Node 24',
  'Bun',
  'Deno',
  'Workers',
] as const

export type Runtime = (typeof RUNTIMES)[number]

type Environment = Readonly<{ [name: string]: string }>

export interface Running extends Program {
  readonly issuer: string
  readonly resource: string
}

/** The words that run a JavaScript file of the project. */
export function commandOf(
  { directory }: Project,
  runtime: Exclude<Runtime, 'Workers'>,
  env: Environment,
): readonly [program: string, ...words: string[]] {
  const inModules = (path: string): string => join(directory, 'node_modules', path)
  switch (runtime) {
    case 'the Node of the tests':
      return [process.execPath]
    case 'Node 22':
      return [inModules('node-22/bin/node')]
    case 'Node 24':
      return [inModules('node-24/bin/node')]
    case 'Bun':
      return [inModules('.bin/bun')]
    case 'Deno':
      return [inModules('.bin/deno'), 'run', '--no-prompt', ...denoFlags(env)]
  }
}

/** Starts the program on a free port, with `provider` as its upstream and `more` in its environment. */
export async function startProgram(
  project: Project,
  runtime: Runtime,
  provider: TestOidcProvider,
  more: Environment = {},
  options: WorkersOptions = {},
): Promise<Running> {
  const port = Number(more['PORT'] ?? (await freePort()))
  const issuer = `http://127.0.0.1:${port}`
  provider.allowRedirect(`${issuer}/callback`)
  const env = {
    PORT: String(port),
    MCP_OAUTH_ISSUER: issuer,
    MCP_OAUTH_KEYS: generateKey(),
    UPSTREAM: provider.issuer,
    UPSTREAM_CLIENT_ID: provider.client_id,
    UPSTREAM_CLIENT_SECRET: provider.client_secret,
    NOTES_URL: provider.notesUrl,
    ...more,
  }
  const files = { Workers: 'workers', Bun: 'bun.js', Deno: 'deno.js', others: 'node.js' }
  const started = await startFile(project, runtime, files, port, env, options)
  return { ...started, issuer, resource: `${issuer}/mcp` }
}

/** Starts what answers questions about the way out. */
export async function startWayOut(
  project: Project,
  runtime: Runtime,
  env: Environment = {},
  options: WorkersOptions = {},
): Promise<Program & { readonly url: string }> {
  const port = await freePort()
  const files = { Workers: 'way_out_workers', others: 'way_out_node.js' }
  const more = { PORT: String(port), NAME_SERVER: '', ...env }
  const started = await startFile(project, runtime, files, port, more, options)
  return { ...started, url: `http://127.0.0.1:${port}/` }
}

/** Starts what says of each door whether it opens, and whether the store contract holds. */
export async function startDoors(
  project: Project,
  runtime: Runtime,
  env: Environment,
): Promise<Program & { readonly url: string }> {
  const port = await freePort()
  const files = { Workers: 'doors_workers', others: 'doors_node.js' }
  const more = { PORT: String(port), DIRECTORY: project.directory, ...env }
  const started = await startFile(project, runtime, files, port, more, {})
  return { ...started, url: `http://127.0.0.1:${port}/` }
}

/** Starts a server over the door `./node`, whose user is always the same. */
export async function startNodeDoor(
  project: Project,
  runtime: Exclude<Runtime, 'Workers'>,
): Promise<Running & { readonly port: number }> {
  const port = await freePort()
  const files = { Workers: '', others: 'node_door.js' }
  const env = { PORT: String(port), MCP_OAUTH_KEYS: generateKey() }
  const started = await startFile(project, runtime, files, port, env, {})
  const issuer = `http://127.0.0.1:${port}`
  return { ...started, port, issuer, resource: `${issuer}/mcp` }
}

/** What each runtime is to run: a module of `bundled/` on Workers, else a file of `out/`. */
interface Files {
  readonly Workers: string
  readonly Bun?: string
  readonly Deno?: string
  readonly others: string
}

function startFile(
  project: Project,
  runtime: Runtime,
  files: Files,
  port: number,
  env: Environment,
  options: WorkersOptions,
): Promise<Program> {
  const url = `http://127.0.0.1:${port}/.well-known/oauth-authorization-server`
  if (runtime === 'Workers') {
    const config = join(project.directory, `${port}.capnp`)
    writeFileSync(config, configOf(files.Workers, port, env, options))
    const workerd = join(project.directory, 'node_modules/.bin/workerd')
    return project.start(workerd, ['serve', config], url)
  }
  const chosen = runtime === 'Bun' || runtime === 'Deno' ? files[runtime] : undefined
  const [program, ...words] = commandOf(project, runtime, env)
  return project.start(program, [...words, `out/${chosen ?? files.others}`], url, env)
}

/** The least that Deno has to allow: the network, the variables that are read, and a folder for SQLite. */
function denoFlags(env: Environment): readonly string[] {
  const { STORE = 'memory', DIRECTORY, NAME_SERVER = '' } = env
  const folder = STORE.includes('/') ? join(STORE, '..') : DIRECTORY
  return [
    '--allow-net',
    // The clients of databases ask for whatever they may find.
    'REDIS_PORT' in env ? '--allow-env' : `--allow-env=${Object.keys(env).join(',')}`,
    ...(folder === undefined ? [] : [`--allow-read=${folder}`, `--allow-write=${folder}`]),
    // Nobody else chooses a name server.
    ...(NAME_SERVER === '' ? [] : ['--allow-sys=networkInterfaces']),
  ]
}

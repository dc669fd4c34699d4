/**
 * Servers in processes of their own, on 127.0.0.1, as an operator starts them.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { generateKey } from '../../../src/crypto/keyring.ts'
import { buildOnce } from '../../support/build.ts'
import { freePort } from '../../support/free_port.ts'
import type { TestOidcProvider } from '../../support/oidc_provider.ts'

const ROOT = resolve(import.meta.dirname, '../../..')

export interface Running {
  readonly url: string
  /** All that it wrote so far. */
  told(): string
  close(): Promise<void>
}

/** `@modelcontextprotocol/server-everything` over Streamable HTTP: a server that nobody here wrote. */
export async function startEverything(): Promise<Running> {
  const port = await freePort()
  const args = [
    '--import',
    join(import.meta.dirname, 'on_loopback.mjs'),
    join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js'),
    'streamableHttp',
  ]
  return await run(
    args,
    { PORT: String(port) },
    `http://127.0.0.1:${port}/mcp`,
    /listening on port/,
  )
}

/** The command as the README gives it, with the test provider as the upstream. */
export async function startGatewayCommand(
  to: string,
  provider: TestOidcProvider,
  choice: {
    readonly flags?: readonly string[]
    readonly env?: Readonly<{ [name: string]: string }>
  } = {},
): Promise<Running & { readonly issuer: string }> {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  provider.allowRedirect(`${issuer}/callback`)
  const args = [
    join(await buildOnce(), 'cli/main.js'),
    'gateway',
    ...['--to', to, '--issuer', issuer, '--upstream', provider.issuer, '--port', String(port)],
    ...(choice.flags ?? []),
  ]
  const env = {
    MCP_OAUTH_KEYS: generateKey(),
    MCP_OAUTH_UPSTREAM_CLIENT_ID: provider.client_id,
    MCP_OAUTH_UPSTREAM_CLIENT_SECRET: provider.client_secret,
    MCP_OAUTH_STORE: 'memory',
    ...choice.env,
  }
  return { ...(await run(args, env, `${issuer}/mcp`, /Listening on/)), issuer }
}

async function run(
  args: readonly string[],
  env: Readonly<{ [name: string]: string }>,
  url: string,
  ready: RegExp,
): Promise<Running> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let told = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (told += chunk.toString()))
  }
  const end = Date.now() + 20_000
  while (!ready.test(told)) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`it did not start: ${told}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return { url, told: () => told, close: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await ended
  clearTimeout(late)
}

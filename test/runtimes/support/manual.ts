/**
 * The programs and the commands of `docs/runtimes.md`, as somebody copies them; only the port is another.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { generateKey } from '../../../src/crypto/keyring.ts'
import type { Program, Project } from '../../support/project.ts'
import { commandOf, type Runtime } from './launch.ts'
import { configOf } from './workers.ts'
import { freePort } from '../../support/free_port.ts'

const MANUAL = readFileSync(resolve(import.meta.dirname, '../../../docs/runtimes.md'), 'utf8')

type Environment = Readonly<{ [name: string]: string }>

/** Starts the program of the manual for a runtime. */
export async function startManual(
  project: Project,
  runtime: Extract<Runtime, 'Node 22' | 'Bun' | 'Deno' | 'Workers'>,
  store: Environment,
): Promise<{ readonly port: number; readonly program: Program }> {
  const port = await freePort()
  const folder = `manual-${port}`
  mkdirSync(join(project.directory, folder))
  for (const [, name = '', text = ''] of MANUAL.matchAll(/^```js\n\/\/ (\S+)\n([\s\S]*?)^```/gm)) {
    writeFileSync(join(project.directory, folder, name), text.replace('3000', `${port}`))
  }
  const env = {
    MCP_OAUTH_ISSUER: 'https://mcp.example.com',
    MCP_OAUTH_KEYS: generateKey(),
    GITHUB_CLIENT_ID: 'id',
    GITHUB_CLIENT_SECRET: 'secret',
    KV_REST_API_URL: store['KV_REST_API_URL'] ?? '',
    KV_REST_API_TOKEN: store['KV_REST_API_TOKEN'] ?? '',
  }
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(project.directory, folder, '.env'), lines.join(''))
  const url = `http://127.0.0.1:${port}/jwks`
  const words = runtime === 'Workers' ? await onWorkers() : wordsFor(project, runtime)
  const inFolder = ['-c', `cd ${folder} && exec "$@"`, 'sh', ...words]
  return { port, program: await project.start('sh', inFolder, url) }

  async function onWorkers(): Promise<readonly string[]> {
    const bundled = `bundled/${folder}.mjs`
    const flags = ['--bundle', '--format=esm', '--conditions=workerd,worker', '--external:node:*']
    await project.run('npx', ['esbuild', `${folder}/workers.js`, ...flags, `--outfile=${bundled}`])
    const config = join(project.directory, `${folder}.capnp`)
    writeFileSync(config, configOf(folder, port, env))
    return [join(project.directory, 'node_modules/.bin/workerd'), 'serve', config]
  }
}

/** The command as the manual has it, with the runtime of the project. */
function wordsFor(project: Project, runtime: 'Node 22' | 'Bun' | 'Deno'): readonly string[] {
  const name = { 'Node 22': 'node', Bun: 'bun', Deno: 'deno' }[runtime]
  const file = `${name}.js`
  const [command = ''] =
    new RegExp(`\\b${name} [^\`\\n]*\\b${file.replace('.', '\\.')}`).exec(MANUAL) ?? []
  const [, ...words] = command.split(' ')
  const [program] = commandOf(project, runtime, {})
  return [program, ...words]
}

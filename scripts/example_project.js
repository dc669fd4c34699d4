/**
 * An example as somebody's project: what there is in `examples/`, and a copy of one of them in `.data/`
 * with the package installed in it, so that the folder itself stays as it is.
 */
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { writePrivate } from './demo_state.js'
import { npm, ROOT, run, say } from './set_up.js'

const EXAMPLES = join(ROOT, 'examples')
/** What a start leaves for the next one: packages, builds, and the sign-ins in a file. */
const KEPT = /^(node_modules|\.next|\.wrangler|.*\.db(-\w+)?)$/

/** The names, each with its one line. */
export function listExamples() {
  return readdirSync(EXAMPLES)
    .filter((name) => existsSync(join(EXAMPLES, name, 'package.json')))
    .map((name) => ({ name, description: readManifest(name).description }))
}

/** The path of its MCP endpoint. */
export function mcpPathOf(name) {
  return readManifest(name).config?.mcp ?? '/mcp'
}

/** What the example reads from its environment, with the values of `.env.example`. */
export function readSettings(name) {
  const text = readFileSync(join(EXAMPLES, name, '.env.example'), 'utf8')
  return Object.fromEntries(
    [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, setting, value]) => [setting, value]),
  )
}

/** Copies the example to `directory`, but for what is there since the last time. */
export function copyExample(name, directory, settings) {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const entry of readdirSync(directory)) {
    if (!KEPT.test(entry)) rmSync(join(directory, entry), { recursive: true })
  }
  const folder = join(EXAMPLES, name)
  for (const entry of readdirSync(folder)) {
    if (KEPT.test(entry) || entry === '.env' || entry === 'dist') continue
    cpSync(join(folder, entry), join(directory, entry), { recursive: true })
  }
  const lines = Object.entries(settings).map(([setting, value]) => `${setting}=${value}\n`)
  writePrivate(join(directory, '.env'), lines.join(''))
}

/** Installs what the example's `package.json` names, and the package as it is here. */
export async function installExample(name, directory, stateDirectory) {
  const tarball = await pack(stateDirectory)
  const manifest = readFileSync(join(directory, 'package.json'))
  const wanted = `${tarball} ${createHash('sha256').update(manifest).digest('hex')}`
  const stamp = join(stateDirectory, 'installed')
  const installed = existsSync(join(directory, 'node_modules')) && existsSync(stamp)
  if (installed && readFileSync(stamp, 'utf8') === wanted) return
  say(`Installing what examples/${name} needs (npm install; a minute or so)`)
  rmSync(stamp, { force: true })
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--no-save', '--loglevel=error']
  const [command, args, options] = npm('install', '--include=dev', ...quiet, tarball)
  await run('npm', command, args, { ...options, cwd: directory })
  writeFileSync(stamp, wanted)
}

/** Packs the package; its bytes are in the name, as npm takes what has the same name for the same. */
async function pack(directory) {
  const [command, args, options] = npm(
    ...['pack', '--ignore-scripts', '--silent', '--pack-destination', directory],
  )
  await run('npm', command, args, { ...options, stdio: ['ignore', 'ignore', 'inherit'] })
  const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const packed = join(directory, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
  const hash = createHash('sha256').update(readFileSync(packed)).digest('hex').slice(0, 16)
  const tarball = packed.replace(/\.tgz$/, `-${hash}.tgz`)
  for (const old of readdirSync(directory)) {
    if (/-[0-9a-f]{16}\.tgz$/.test(old)) rmSync(join(directory, old))
  }
  renameSync(packed, tarball)
  return tarball
}

function readManifest(name) {
  return JSON.parse(readFileSync(join(EXAMPLES, name, 'package.json'), 'utf8'))
}

/**
 * What `npm start` and `npm test` need before they can begin: a Node that is new enough, the packages
 * of the lock file, and a build. Each is done only when it is due, and each says so.
 *
 * Plain JavaScript that imports nothing but Node's own, as it runs before anything is installed.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '..')

const STAMPS = join(ROOT, 'node_modules/.cache/mcp-oauth')

const SOURCES = ['src', 'tsconfig.json']

/** The package with a file for each source, from the root as `dist` is. */
export const TREE = 'node_modules/.cache/mcp-oauth/tree'

/** A fault that a person can mend: told as one line, without a stack. */
export class Fault extends Error {}

/** One line that says what is being done. */
export function say(line) {
  process.stdout.write(`› ${line}\n`)
}

/** Ends the process with the reason, in one line where a person can mend it. */
export function give(error) {
  process.stderr.write(`✗ ${error instanceof Fault ? error.message : (error?.stack ?? error)}\n`)
  process.exit(1)
}

/** @throws Fault when this Node is older than `engines` in package.json. */
export function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const least = /(\d+)\.(\d+)/.exec(engines.node).slice(1).map(Number)
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > least[0] || (major === least[0] && minor >= least[1])) return
  throw new Fault(
    `this is Node ${process.versions.node}; Node ${least.join('.')} or later is needed (nodejs.org)`,
  )
}

/** Runs `npm ci` unless what is installed is what the lock file says. */
export async function install() {
  const why = whyInstall()
  if (why === undefined) return
  say(`Installing the packages of package-lock.json, as ${why} (npm ci; half a minute or so)`)
  await run('npm', ...npm('ci', '--include=dev', '--no-audit', '--no-fund'))
}

/** Builds `dist`, which is what is published, unless its sources are those of the last build. */
export async function build() {
  await buildTree()
  const script = 'scripts/bundle.js'
  const sources = [...SOURCES, 'tsconfig.build.json', 'package.json', script]
  await buildUnlessDone('the package', 'dist', sources, (fresh) => [script, TREE, fresh])
}

/** The same with a file for each source. */
export async function buildTree() {
  await compile('the sources', 'tsconfig.build.json', TREE, SOURCES)
}

/** The same for the demo's own two programs. */
export async function buildDemo() {
  await compile('the demo', 'demo/tsconfig.json', 'demo/dist', ['demo', 'tsconfig.json'])
}

/** Runs a program to its end, its output going where ours goes. @throws Fault when it fails. */
export async function run(what, command, args, options = {}) {
  const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', ...options })
  const [status, signal] = await new Promise((done, fail) => {
    child.once('error', fail)
    child.once('exit', (...end) => done(end))
  })
  if (status !== 0) throw new Fault(`${what} failed (${signal ?? `exit status ${status}`})`)
}

/** The script behind one of `node_modules/.bin`, so that no shell and no npx is needed. */
export function tool(path) {
  return join(ROOT, 'node_modules', path)
}

/** npm with `args`, as what `run` takes: the command, its arguments, options. */
export function npm(...args) {
  // npm tells its scripts where it is; behind plain `node scripts/start.js` it is on the path.
  const own = process.env.npm_execpath
  if (own?.endsWith('.js')) return [process.execPath, [own, ...args], {}]
  return ['npm', args, { shell: process.platform === 'win32' }]
}

/** npm keeps its own account of what it has installed; a package missing there must be optional. */
function whyInstall() {
  const account = join(ROOT, 'node_modules/.package-lock.json')
  if (!existsSync(account)) return 'none are installed'
  const wanted = packagesOf(join(ROOT, 'package-lock.json'))
  const installed = packagesOf(account)
  const same = (one, other) => one.version === other.version && one.integrity === other.integrity
  const stale =
    Object.entries(wanted).some(([path, entry]) =>
      installed[path] === undefined
        ? path !== '' && !entry.optional
        : !same(entry, installed[path]) || !existsSync(join(ROOT, path)),
    ) || Object.keys(installed).some((path) => wanted[path] === undefined)
  return stale ? 'others are installed' : undefined
}

function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

async function compile(what, project, outDir, sources) {
  await buildUnlessDone(what, outDir, [...sources, project], (fresh) => [
    tool('typescript/bin/tsc'),
    ...['-p', project, '--outDir', fresh],
  ])
}

/** Runs what `command` says for a fresh directory, and puts that into the place of `outDir`. */
async function buildUnlessDone(what, outDir, sources, command) {
  const stamp = join(STAMPS, `${outDir.replaceAll('/', '_')}.sha256`)
  const state = fingerprint([...sources, 'package-lock.json'])
  const built = existsSync(stamp) && readFileSync(stamp, 'utf8') === state
  if (built && existsSync(join(ROOT, outDir))) return
  say(`Building ${what} into ${outDir}/`)
  // Beside the old one, so that whoever runs that meanwhile, or builds too, sees nothing half done.
  const fresh = `${outDir}.${process.pid}`
  await run('the build', process.execPath, command(fresh)).catch((error) => {
    rmSync(join(ROOT, fresh), { recursive: true, force: true })
    throw error
  })
  rmSync(join(ROOT, outDir), { recursive: true, force: true })
  renameSync(join(ROOT, fresh), join(ROOT, outDir))
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, state)
}

function fingerprint(paths) {
  const hash = createHash('sha256')
  for (const path of paths.flatMap(filesOf).sort()) {
    hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)))
  }
  return hash.digest('hex')
}

/** Every TypeScript file below a folder, or the one file that is named. */
function filesOf(path) {
  if (!existsSync(join(ROOT, path))) return []
  if (!readdirable(path)) return [path]
  return readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((name) => name.endsWith('.ts') && !name.includes('dist'))
}

function readdirable(path) {
  return !/\.js(on)?$/.test(path)
}

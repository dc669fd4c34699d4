/** `npm run faults`: compiles `faults/` with what it uses, once for each state of it, and runs it. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
// Below the package, so that its dependencies are found.
const CACHE = join(ROOT, 'node_modules/.cache/mcp-oauth-faults')
/** As long as the longest run may take. */
const HOURS = 6

function compileOnce() {
  const directory = join(CACHE, fingerprint())
  if (existsSync(directory)) return directory
  const unfinished = `${directory}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', 'false', '--declaration', 'false', '--isolatedDeclarations', 'false']
  const places = ['--rootDir', ROOT, '--outDir', unfinished]
  // What can be compiled is, errors in types or not; those are told by `npm run types`.
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json', ...options, ...places], { cwd: ROOT })
  try {
    renameSync(unfinished, directory)
  } catch {
    // Somebody else has compiled the same meanwhile.
    rmSync(unfinished, { recursive: true })
  }
  removeOld(directory)
  return directory
}

/** Builds of hours ago are of another day's sources; a younger one may be in use. */
function removeOld(kept) {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (path !== kept && age > HOURS * 3_600_000) rmSync(path, { recursive: true, force: true })
  }
}

function fingerprint() {
  const hash = createHash('sha256')
  for (const folder of ['src', 'faults', 'test/support']) {
    const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    for (const name of names.filter((one) => one.endsWith('.ts')).sort()) {
      hash.update(name).update(readFileSync(join(ROOT, folder, name)))
    }
  }
  return hash.digest('hex').slice(0, 20)
}

const main = join(compileOnce(), 'faults/main.js')
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1

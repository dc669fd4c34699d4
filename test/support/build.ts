/**
 * The package as JavaScript, for tests that need a process of their own. It is built once for each
 * state of `src/`, below `node_modules/` so that what it imports is found.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = join(ROOT, 'node_modules/.cache/mcp-oauth-tests')

/** Builds `src/` unless that is done, and gives the directory: `index.js`, `sqlite.js` and so on. */
export async function buildOnce(): Promise<string> {
  const directory = join(CACHE, fingerprint())
  if (existsSync(directory)) return directory
  mkdirSync(CACHE, { recursive: true })
  const unfinished = mkdtempSync(`${directory}.`)
  // Tests run it as another user, too.
  chmodSync(unfinished, 0o755)
  await compile(unfinished)
  try {
    renameSync(unfinished, directory)
  } catch {
    // Somebody else has built the same meanwhile.
    rmSync(unfinished, { recursive: true })
  }
  removeOld(directory)
  return directory
}

async function compile(outDir: string): Promise<void> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  try {
    await promisify(execFile)(
      process.execPath,
      [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir],
      { cwd: ROOT },
    )
  } catch (error) {
    // What can be compiled is, errors in types or not; those are told by `npm run types`.
    if (readdirSync(outDir).length === 0) throw error
  }
}

function fingerprint(): string {
  const hash = createHash('sha256')
  for (const path of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).sort()) {
    if (path.endsWith('.ts')) hash.update(path).update(readFileSync(join(ROOT, 'src', path)))
  }
  return hash.digest('hex').slice(0, 20)
}

/** Builds of an hour ago are of another day's sources; a younger one may be in use. */
function removeOld(kept: string): void {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (path !== kept && age > 3_600_000) rmSync(path, { recursive: true, force: true })
  }
}

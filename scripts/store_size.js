/** `npm run sizes`: compiles `sizes/` with what it uses, runs it, and removes what was compiled. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
// Below the package, so that its dependencies are found.
const DIRECTORY = join(ROOT, `node_modules/.cache/mcp-oauth-sizes.${process.pid}`)

mkdirSync(DIRECTORY, { recursive: true })
try {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', 'false', '--declaration', 'false', '--isolatedDeclarations', 'false']
  const places = ['--rootDir', ROOT, '--outDir', DIRECTORY]
  // What can be compiled is, errors in types or not; those are told by `npm run types`.
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json', ...options, ...places], { cwd: ROOT })
  const main = join(DIRECTORY, 'sizes/main.js')
  const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
} finally {
  rmSync(DIRECTORY, { recursive: true, force: true })
}

/**
 * Makes of the compiled tree what is published: for each door one file, and what several doors share in
 * files below `parts/`. So a server opens some twenty files when it starts, in place of two hundred.
 *
 * Nothing is shortened, and the name of its source stands above each module. Dependencies stay packages.
 * Declarations stay as they are, as far as a door leads to them.
 */
import { cpSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from './set_up.js'

/** From the tree at `from` into `to`. */
async function bundle(from, to) {
  const { exports, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const paths = new Set([...pathsOf(exports), ...pathsOf(bin)])
  await build({
    entryPoints: [...paths].filter((path) => path.endsWith('.js')).map((path) => join(from, path)),
    outdir: to,
    outbase: from,
    chunkNames: 'parts/[name]-[hash]',
    absWorkingDir: from,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'es2023',
    logLevel: 'warning',
    // Of a tree that did not compile.
    logOverride: { 'import-is-undefined': 'error' },
  })
  const declared = [...paths].filter((path) => path.endsWith('.d.ts'))
  for (const path of reachedFrom(declared, from)) cpSync(join(from, path), join(to, path))
}

/** The files of an entry of the manifest, below `dist/`, whatever its conditions are. */
function pathsOf(entry) {
  if (typeof entry === 'object') return Object.values(entry).flatMap(pathsOf)
  return entry.startsWith('./dist/') ? [entry.replace('./dist/', '')] : []
}

/** Declarations, and those that they name. */
function reachedFrom(declarations, from) {
  const reached = new Set(declarations)
  // What is added meanwhile has its turn, too.
  for (const path of reached) {
    const text = readFileSync(join(from, path), 'utf8')
    for (const [, name] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.ts['"]/g)) {
      reached.add(join(dirname(path), `${name}.d.ts`))
    }
  }
  return reached
}

const [from, to] = process.argv.slice(2).map((path) => resolve(path))
await bundle(from, to)

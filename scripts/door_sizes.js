/**
 * What each door of the package reaches, and how large it is. `node scripts/door_sizes.js` measures the build
 * and rewrites `test/house/doors.json`, which a test compares with the sources.
 *
 * Bytes are those of one bundle, minified and compressed: `own` is our code alone, `whole` has the
 * dependencies in it, and no optional package.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { format } from 'prettier'
import { buildTree, ROOT, say, TREE } from './set_up.js'

export const TABLE = join(ROOT, 'test/house/doors.json')

/** What is loaded while the program runs, and is no import to a bundler. */
const WHEN_CALLED = /\b(?:createRequire\([^()]*\)|getBuiltinModule)\(\s*['"]([^'"]+)['"]/g

/** Every door of `exports` in the build at `directory`: what it reaches and its bytes. */
export async function measureDoors(directory) {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const doors = Object.entries(manifest.exports).filter(([door]) => !door.endsWith('.json'))
  const optional = Object.keys({ ...manifest.optionalDependencies, ...manifest.peerDependencies })
  const measured = doors.map(async ([door, { default: path }]) => {
    const entry = join(directory, path.replace('./dist/', ''))
    return [door, await measure(entry, [...optional, 'cloudflare:*'])]
  })
  return Object.fromEntries(await Promise.all(measured))
}

async function measure(entry, optional) {
  const own = await bundle(entry, { packages: 'external' })
  const whole = await bundle(entry, { external: optional })
  const reached = [...own.reached, ...whole.reached]
  const names = (kind) =>
    [...new Set(reached.filter(kind).map(({ name }) => packageOf(name)))].sort()
  const isBuiltIn = (name) => /^\w+:/.test(name)
  return {
    packages: names(({ name, late }) => !late && !isBuiltIn(name)),
    builtIns: names(({ name, late }) => !late && isBuiltIn(name)),
    whenCalled: names(({ late }) => late),
    bytes: { own: own.bytes, whole: whole.bytes },
  }
}

/** Without the path to one of its parts; a module of Node is its own. */
function packageOf(name) {
  return /^(?:[a-z]+:.*|@[^/]+\/[^/]+|[^/]+)/.exec(name)[0]
}

/** The bytes of one bundle, and all that it leaves for others to bring. */
async function bundle(entry, externals) {
  const { metafile, outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    absWorkingDir: ROOT,
    metafile: true,
    write: false,
    logLevel: 'error',
    ...externals,
  })
  const reached = Object.entries(metafile.inputs).flatMap(([path, { imports }]) => [
    ...imports
      .filter(({ external }) => external)
      .map(({ path: name, kind }) => ({ name, late: kind !== 'import-statement' })),
    ...whenCalled(resolve(ROOT, path)),
  ])
  return { bytes: gzipSync(outputFiles[0].contents, { level: 9 }).length, reached }
}

function whenCalled(path) {
  const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  return [...code.matchAll(WHEN_CALLED)].map(([, name]) => ({ name, late: true }))
}

async function rewrite() {
  await buildTree()
  const doors = await measureDoors(join(ROOT, TREE))
  writeFileSync(TABLE, await format(JSON.stringify(doors), { parser: 'json', printWidth: 100 }))
  for (const [door, { bytes }] of Object.entries(doors)) {
    say(
      `${door.padEnd(20)} ${`${bytes.own}`.padStart(7)} own ${`${bytes.whole}`.padStart(7)} whole`,
    )
  }
}

if (process.argv[1] === import.meta.filename) await rewrite()

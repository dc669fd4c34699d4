/**
 * The types of the package as users of TypeScript have them: old and new compilers, both resolutions, every
 * declaration checked, and without the types of Node where a server may stand on something else.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { installProject, type Project } from '../support/project.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** Milliseconds. */
const INSTALL_LIMIT = 120_000
const COMPILE_LIMIT = 90_000

/** What these take or give is Node's own, so their users have its types. */
const NODE_DOORS: readonly string[] = ['./node', './express', './fastify', './gateway']

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<{ [door: string]: unknown }>
}
const doors = Object.keys(manifest.exports).filter((door) => !door.endsWith('.json'))

const COMPILERS = { '5.5': 'typescript-5.5', '5.9': 'typescript-5.9', '7.0': 'typescript' }
type Compiler = keyof typeof COMPILERS

/** Where a program runs: the types that are there, and the files of the project. */
const PLACES = {
  'the DOM': {
    types: [],
    lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'],
    files: ['library.ts', 'other_doors.ts'],
  },
  Workers: {
    types: ['@cloudflare/workers-types'],
    lib: ['es2022'],
    files: ['library.ts', 'other_doors.ts'],
  },
  Node: {
    types: ['node'],
    lib: ['es2022'],
    files: ['library.ts', 'server.ts', 'other_doors.ts', 'node_doors.ts'],
  },
}
type Place = keyof typeof PLACES

const RESOLUTIONS = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext', exactOptionalPropertyTypes: true },
  bundler: { module: 'esnext', moduleResolution: 'bundler', exactOptionalPropertyTypes: false },
}
type Resolution = keyof typeof RESOLUTIONS

const CASES: readonly (readonly [Place, Compiler, Resolution])[] = [
  ['the DOM', '5.5', 'nodenext'],
  ['the DOM', '5.5', 'bundler'],
  ['the DOM', '5.9', 'nodenext'],
  ['the DOM', '7.0', 'bundler'],
  ['Workers', '5.9', 'bundler'],
  ['Workers', '7.0', 'nodenext'],
  ['Node', '5.5', 'nodenext'],
  ['Node', '5.9', 'bundler'],
  ['Node', '7.0', 'nodenext'],
]

let project: Project

beforeAll(async () => {
  project = await installProject(join(import.meta.dirname, 'projects/types'), {
    files: {
      'other_doors.ts': importing(doors.filter((door) => !NODE_DOORS.includes(door))),
      'node_doors.ts': importing(NODE_DOORS),
    },
  })
}, INSTALL_LIMIT)

function importing(names: readonly string[]): string {
  const imports = names.map(
    (door, at) => `import * as door${at} from '@mcp-oauth/server${door.slice(1)}'\n`,
  )
  return `${imports.join('')}export const doors: object[] = [${names.map((_, at) => `door${at}`).join(', ')}]\n`
}

/** What the compiler finds wrong in the files and in every declaration that they reach. */
async function faults(place: Place, compiler: Compiler, resolution: Resolution): Promise<string> {
  const { types, lib, files } = PLACES[place]
  const compilerOptions = {
    ...RESOLUTIONS[resolution],
    ...{ types, lib, target: 'es2022', strict: true, noEmit: true, skipLibCheck: false },
  }
  const config = `${place.replace(' ', '_')}_${compiler}_${resolution}.json`
  writeFileSync(join(project.directory, config), JSON.stringify({ compilerOptions, files }))
  return await compile(compiler, config)
}

async function compile(compiler: Compiler, config: string): Promise<string> {
  const tsc = `node_modules/${COMPILERS[compiler]}/bin/tsc`
  return await project
    .run(process.execPath, [tsc, '-p', config])
    .catch((error: unknown) => String(error))
}

describe.concurrent('the types', () => {
  it.each(CASES)(
    'with those of %s, TypeScript %s, %s',
    async (place, compiler, resolution) => {
      expect(await faults(place, compiler, resolution)).toBe('')
    },
    COMPILE_LIMIT,
  )
})

describe.concurrent('a CommonJS module', () => {
  it.each(['5.9', '7.0'] as const)('may import the doors, TypeScript %s', async (compiler) => {
    const { types, lib } = PLACES.Node
    const compilerOptions = { module: 'nodenext', types, lib, strict: true, noEmit: true }
    const config = `commonjs_${compiler}.json`
    const files = ['commonjs.cts']
    const text = importing(doors)
    writeFileSync(join(project.directory, 'commonjs.cts'), text)
    writeFileSync(join(project.directory, config), JSON.stringify({ compilerOptions, files }))
    expect(await compile(compiler, config)).toBe('')
  })
})

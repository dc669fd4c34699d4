/** What would be published: packed, installed into an empty project, and used by its own name. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { packOnce } from '../support/pack.ts'
import { installProject, type Project } from '../support/project.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const EMPTY = join(import.meta.dirname, 'projects/empty')

/** Files, by condition. */
type DoorFiles = string | { readonly [condition: string]: DoorFiles }

interface Manifest {
  readonly version: string
  readonly exports: Readonly<{ [door: string]: DoorFiles }>
  readonly bin: Readonly<{ [command: string]: string }>
  readonly dependencies: Readonly<{ [name: string]: string }>
  readonly devDependencies: Readonly<{ [name: string]: string }>
  readonly optionalDependencies: Readonly<{ [name: string]: string }>
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest
const doors = Object.keys(manifest.exports)
let tarball = ''
let files: readonly string[] = []
let project: Project
/** Somebody's who wants none of the optional packages. */
let lean: Project

beforeAll(async () => {
  tarball = await packOnce()
  const listed = execFileSync('tar', ['-tf', tarball], { encoding: 'utf8' })
  files = listed
    .trim()
    .split('\n')
    .map((path) => path.replace('package/', ''))
  ;[project, lean] = await Promise.all([
    installProject(EMPTY),
    installProject(EMPTY, { files: { '.npmrc': 'omit=optional\n' } }),
  ])
})

function nameOf(door: string): string {
  return `@mcp-oauth/server${door.slice(1)}`
}

function unpacked({ directory }: Project): string {
  return join(directory, 'node_modules/@mcp-oauth/server')
}

/** The built files that an entry of the manifest names. */
function pathsOf(entry: DoorFiles): readonly string[] {
  if (typeof entry !== 'string') return Object.values(entry).flatMap(pathsOf)
  return entry.startsWith('./dist/') ? [entry.slice(2)] : []
}

/** Names in `node_modules`, those of scopes with their scope. */
function installed({ directory }: Project): readonly string[] {
  const modules = join(directory, 'node_modules')
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((one) => `${name}/${one}`) : name,
    )
    .sort()
}

/** A program in the project, run to its end. */
function runText(
  { directory }: Project,
  file: string,
  text: string,
): { status: number | null; stdout: string; stderr: string } {
  writeFileSync(join(directory, file), text)
  return spawnSync(process.execPath, ['--no-warnings', file], {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
}

/** Whether this Node has the module, or it is found from the package: a machine may have one above. */
function finds(name: string, from: Project): boolean {
  const manifestPath = JSON.stringify(join(unpacked(from), 'package.json'))
  const text = `import { createRequire } from 'node:module'
if (!process.getBuiltinModule('${name}')) createRequire(${manifestPath}).resolve('${name}')`
  return runText(from, 'find.mjs', text).status === 0
}

describe('the package', () => {
  it('has what is needed and nothing else', () => {
    const skill = /^skills\/mcp-oauth\/(SKILL\.md|references\/\w+\.md|scripts\/\w+\.mjs)$/
    const others = files.filter((path) => !/^dist\/.*\.(js|d\.ts)$/.test(path) && !skill.test(path))
    expect([...others].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'package.json',
    ])
  })

  it('has no file that no door and no command leads to', () => {
    const reached = new Set([...pathsOf(manifest.exports), ...pathsOf(manifest.bin)])
    // What is added meanwhile has its turn, too.
    for (const path of reached) {
      const text = readFileSync(join(unpacked(project), path), 'utf8')
      const extension = path.endsWith('.d.ts') ? '.d.ts' : '.js'
      for (const [, to = ''] of text.matchAll(
        /(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.[jt]s['"]/g,
      )) {
        reached.add(join(dirname(path), `${to}${extension}`))
      }
    }
    expect(files.filter((path) => path.startsWith('dist/')).sort()).toEqual([...reached].sort())
  })

  it('names the source of each piece of code', () => {
    const parts = files.filter((path) => path.startsWith('dist/') && path.endsWith('.js'))
    const texts = parts
      .map((path) => readFileSync(join(unpacked(project), path), 'utf8'))
      .join('\n')
    expect(texts).toMatch(/^\/\/ guard\/guard\.js$/m)
    expect(texts).toMatch(/^async function judgeToken\(/m)
  })

  it.each(doors)('%s can be imported by its name', (door) => {
    const name = JSON.stringify(nameOf(door))
    const options = door.endsWith('.json') ? `, { with: { type: 'json' } }` : ''
    const text = `console.log(Object.keys(await import(${name}${options})).length)`
    const { stdout, stderr } = runText(project, 'import.mjs', text)
    expect(stderr).toBe('')
    expect(Number(stdout)).toBeGreaterThan(0)
  })

  it('each door can be had by require, too', () => {
    const names = JSON.stringify(doors.map(nameOf))
    const text = `for (const name of ${names}) console.log(Object.keys(require(name)).length > 0)`
    const { stdout, stderr } = runText(project, 'require.cjs', text)
    expect(stderr).toBe('')
    expect(stdout).toBe('true\n'.repeat(doors.length))
  })

  it('its command runs', () => {
    const main = join(unpacked(project), 'dist/cli/main.js')
    expect(readFileSync(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
    const command = join(project.directory, 'node_modules/.bin/mcp-oauth')
    const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
    expect(stdout).toBe(`${manifest.version}\n`)
  })

  it('publint finds nothing', () => {
    const publint = join(ROOT, 'node_modules/publint/src/cli.js')
    const { stdout, status } = spawnSync(
      process.execPath,
      [publint, '--strict', unpacked(project)],
      { encoding: 'utf8' },
    )
    expect(stdout).toContain('All good!')
    expect(status).toBe(0)
  })

  it('attw finds nothing, but that whoever says require gets an ES module', () => {
    const attw = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    // TypeScript's resolution of before `exports` is left out: it knows no doors.
    const rules = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm']
    const { stdout, status } = spawnSync(process.execPath, [attw, tarball, ...rules], {
      encoding: 'utf8',
    })
    expect(status, stdout).toBe(0)
  })

  it('SC-02 few dependencies, each of one version, and none with an install script', () => {
    const { dependencies, optionalDependencies, devDependencies } = manifest
    expect(Object.keys(dependencies).length).toBeLessThanOrEqual(5)
    const all = { ...dependencies, ...optionalDependencies, ...devDependencies }
    for (const [name, version] of Object.entries(all)) {
      expect(version, name).toMatch(/^(npm:(@[\w-]+\/)?[\w-]+@)?\d+\.\d+\.\d+$/)
    }
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: { [path: string]: { dev?: boolean; hasInstallScript?: boolean } }
    }
    for (const [path, { dev, hasInstallScript }] of Object.entries(lock.packages)) {
      if (!dev) expect(hasInstallScript, path).toBeUndefined()
    }
  })
})

describe('an installation', () => {
  it('SC-02 has our five dependencies, the optional ones with theirs, and runs no script', () => {
    const ours = ['@mcp-oauth/server', ...Object.keys(manifest.dependencies)]
    const optional = Object.keys(manifest.optionalDependencies)
    const found = installed(project).filter((name) => !name.startsWith('@libsql/'))
    // libsql brings what finds its binary.
    expect(found).toEqual([...ours, ...optional, '@neon-rs/load', 'detect-libc'].sort())
    for (const name of installed(project)) {
      const path = join(project.directory, 'node_modules', name, 'package.json')
      const { scripts = {} } = JSON.parse(readFileSync(path, 'utf8')) as {
        scripts?: { [name: string]: string }
      }
      for (const script of ['preinstall', 'install', 'postinstall']) {
        expect(scripts[script], name).toBeUndefined()
      }
    }
  })

  it('without the optional packages has our five dependencies alone', () => {
    const ours = ['@mcp-oauth/server', ...Object.keys(manifest.dependencies)].sort()
    expect(installed(lean)).toEqual(ours)
  })

  it('without them keeps a SQLite file where Node has SQLite, and elsewhere says what to do', () => {
    const { stdout, stderr } = runText(
      lean,
      'sqlite.mjs',
      `import { sqlite } from '@mcp-oauth/server/stores/sqlite'
await sqlite('it.db').close()
console.log('kept')`,
    )
    const possible = finds('node:sqlite', lean) || finds('libsql', lean)
    if (possible) expect(stdout).toBe('kept\n')
    else expect(stderr).toContain('use Node 22.13 or later, or run `npm install libsql`')
    expect(existsSync(join(lean.directory, 'it.db'))).toBe(possible)
  })

  it('without them the gateway says what it needs', () => {
    const command = join(lean.directory, 'node_modules/.bin/mcp-oauth')
    const { stdout, stderr, status } = spawnSync(command, ['gateway', '--help'], {
      encoding: 'utf8',
    })
    if (finds('undici', lean)) expect(stdout).toContain('Usage: mcp-oauth gateway')
    else {
      expect(stderr).toContain('the gateway needs undici: npm install undici@7')
      expect(status).toBe(1)
    }
  })
})

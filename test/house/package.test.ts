/** What would be published: packed, unpacked beside its dependencies, and used by its own name. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
// Below the package, so that its dependencies are found; ignored by git and by every check.
const DIRECTORY = join(ROOT, '.data', `pack-${process.pid}`)
const UNPACKED = join(DIRECTORY, 'node_modules/@mcp-oauth/server')

interface Manifest {
  readonly version: string
  readonly exports: Readonly<{ [door: string]: string | { readonly default: string } }>
  readonly dependencies: Readonly<{ [name: string]: string }>
  readonly devDependencies: Readonly<{ [name: string]: string }>
  readonly optionalDependencies: Readonly<{ [name: string]: string }>
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest
let files: readonly string[] = []

beforeAll(() => {
  mkdirSync(UNPACKED, { recursive: true })
  const build = `await (await import('./scripts/set_up.js')).build()`
  execFileSync(process.execPath, ['--input-type=module', '-e', build], { cwd: ROOT })
  const arguments_ = ['pack', '--json', '--ignore-scripts', '--pack-destination', DIRECTORY]
  const packed = execFileSync('npm', arguments_, { cwd: ROOT, encoding: 'utf8' })
  const [{ filename, files: found }] = JSON.parse(packed) as [
    { filename: string; files: { path: string }[] },
  ]
  files = found.map(({ path }) => path)
  execFileSync('tar', ['-xf', filename, '-C', UNPACKED, '--strip-components=1'], {
    cwd: DIRECTORY,
  })
  // A package of its own, or the name would lead back to the sources' own manifest.
  writeFileSync(join(DIRECTORY, 'package.json'), '{ "name": "somebody", "type": "module" }')
})

afterAll(() => rmSync(DIRECTORY, { recursive: true, force: true }))

describe('the package', () => {
  it('has what is needed and nothing else', () => {
    const others = files.filter((path) => !/^dist\/.*\.(js|d\.ts|js\.map)$/.test(path))
    expect(others.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'package.json',
    ])
  })

  it.each(Object.keys(manifest.exports))('%s can be imported by its name', (door) => {
    const name = JSON.stringify(`@mcp-oauth/server${door.slice(1)}`)
    const options = door.endsWith('.json') ? `, { with: { type: 'json' } }` : ''
    const script = join(DIRECTORY, 'import.js')
    writeFileSync(script, `console.log(Object.keys(await import(${name}${options})).length)`)
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', script], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(Number(stdout)).toBeGreaterThan(0)
  })

  it('its command runs', () => {
    const main = join(UNPACKED, 'dist/cli/main.js')
    expect(readFileSync(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
    const { stdout } = spawnSync(process.execPath, [main, '--version'], { encoding: 'utf8' })
    expect(stdout).toBe(`${manifest.version}\n`)
  })

  it('publint finds nothing', () => {
    const publint = join(ROOT, 'node_modules/publint/src/cli.js')
    const { stdout, status } = spawnSync(process.execPath, [publint, '--strict', UNPACKED], {
      encoding: 'utf8',
    })
    expect(stdout).toContain('All good!')
    expect(status).toBe(0)
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

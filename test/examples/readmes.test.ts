/** What the examples say of themselves is true, and fits one screen. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const EXAMPLES = join(ROOT, 'examples')
const NAMES = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

/** What a platform says of itself. */
const PLATFORM = ['VERCEL']

interface Manifest {
  readonly version: string
  readonly description: string
  readonly scripts: { readonly [name: string]: string }
  readonly dependencies: { readonly [name: string]: string }
  readonly devDependencies?: { readonly [name: string]: string }
}

const OURS = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest

function read(name: string, file: string): string {
  return readFileSync(join(EXAMPLES, name, file), 'utf8')
}

/** Every file that somebody copies, but for what a run leaves behind. */
function filesOf(name: string): readonly string[] {
  return readdirSync(join(EXAMPLES, name), { recursive: true, encoding: 'utf8' }).filter(
    (file) => !/(^|\/)(node_modules|dist|\.next|\.wrangler|\.env)(\/|$)/.test(file),
  )
}

/** What runs: programs and their configuration. */
function codeOf(name: string): string {
  return filesOf(name)
    .filter((file) => /\.(m?[jt]sx?|py|jsonc?|toml)$/.test(file))
    .map((file) => read(name, file))
    .join('\n')
}

describe.each(NAMES)('%s', (name) => {
  const readme = read(name, 'README.md')
  const {
    description,
    scripts,
    dependencies,
    devDependencies = {},
  } = JSON.parse(read(name, 'package.json')) as Manifest

  it('has a README of one screen', () => {
    expect(readme.split('\n').length - 1).toBeLessThanOrEqual(40)
    expect(readme).toContain(`npm run example ${name}`)
  })

  it('names commands, files and links that there are', () => {
    for (const [, script = ''] of readme.matchAll(/npm (?:run )?(start|dev|build|deploy)\b/g)) {
      expect(Object.keys(scripts)).toContain(script)
    }
    // A bare name may be that of a file which a framework would read, if there were one.
    const paths = /`((?:[\w.[\]-]+\/)+[\w.]+\.\w+|[\w.]+\.(?:py|jsonc?))`/g
    for (const [, path = ''] of readme.matchAll(paths)) {
      if (path.startsWith('docs/')) continue
      expect(existsSync(join(EXAMPLES, name, path)), path).toBe(true)
    }
    for (const [, link = ''] of readme.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      expect(existsSync(join(EXAMPLES, name, link)), link).toBe(true)
    }
  })

  it('is the one line of the list, and stands in the table', () => {
    expect(description).toMatch(/^.{20,100}$/)
    expect(read('', 'README.md')).toContain(`[${name}](${name})`)
  })

  it('takes the version that this is, and others exactly', () => {
    expect(dependencies['@mcp-oauth/server']).toBe(OURS.version)
    for (const version of Object.values({ ...dependencies, ...devDependencies })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    }
  })

  it('reads what stands in .env.example, and nothing else', () => {
    const told = [...read(name, '.env.example').matchAll(/^(\w+)=/gm)].map(([, it]) => it ?? '')
    const code = codeOf(name)
    // The gateway reads settings of its own, which its manual lists.
    const manual = code.includes("'gateway'")
      ? readFileSync(join(ROOT, 'docs/gateway.md'), 'utf8')
      : ''
    // So does the store in Upstash, and a framework may take `PORT`.
    const store = code.includes('upstashFromEnvironment') ? 'KV_REST_API_URL KV_REST_API_TOKEN' : ''
    for (const setting of told) expect([code, manual, store, 'PORT'].join('\n')).toContain(setting)
    const taken = [
      ...code.matchAll(/process\.env(?:\.|\[')(\w+)/g),
      ...code.matchAll(/os\.environ\["(\w+)"\]/g),
      ...[...code.matchAll(/\{([^{}]*)\} = process\.env/g)].flatMap(([, names = '']) => [
        ...names.matchAll(/\b([A-Z][A-Z0-9_]+)\b/g),
      ]),
    ].map(([, setting]) => setting)
    const known = [...told, ...PLATFORM]
    expect(taken.filter((setting) => !known.includes(setting ?? ''))).toEqual([])
  })

  it('keeps its secrets out of git when it is copied', () => {
    const ignored = read(name, '.gitignore').split('\n')
    expect(ignored).toEqual(expect.arrayContaining(['node_modules', '.env']))
  })
})

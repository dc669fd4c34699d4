/** The module that makes `auth`: it compiles under the strictest settings, in every choice, and reads as the project does. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { format } from 'prettier'
import { afterAll, describe, expect, it } from 'vitest'
import { moduleText, type ModuleShape } from '../../src/scaffold/auth_module.ts'
import { readStore, STORES, type StoreChoice } from '../../src/scaffold/store_choice.ts'
import type { Style } from '../../src/scaffold/style.ts'
import { presetNames } from '../../src/upstream/setting.ts'
import { upstreamChoice } from './support.ts'

const ROOT = resolve(import.meta.dirname, '../..')
// Inside the package, so that what its tests have installed is found; ignored by git and by every check.
const DIRECTORY = join(ROOT, '.data', `init-${process.pid}`)
afterAll(() => rmSync(DIRECTORY, { recursive: true, force: true }))

const STYLE: Style = { semicolons: true, quote: "'", indent: '  ' }
const SHAPE: ModuleShape = {
  kind: 'plain',
  typescript: true,
  commonjs: false,
  style: STYLE,
  issuer: 'http://localhost:3000',
  resourcePath: '/mcp',
}
const KINDS: readonly ModuleShape[] = [
  SHAPE,
  { ...SHAPE, kind: 'hono' },
  { ...SHAPE, kind: 'node', openPaths: ['/health', '/version'] },
  { ...SHAPE, kind: 'node' },
  { ...SHAPE, kind: 'next', issuer: 'http://localhost:3000/base/oauth', resourcePath: '/base/mcp' },
]
const UPSTREAMS = [
  ...presetNames.filter((name) => !['auth0', 'okta', 'keycloak', 'entra'].includes(name)),
  'https://a.auth0.com/',
  'https://a.okta.com/oauth2/default',
  'https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0',
  'https://id.example.com/realms/a',
  'session',
]

function stores(topLevelAwait: boolean): readonly StoreChoice[] {
  const surroundings = { packages: {}, onVercel: false, topLevelAwait }
  return [
    ...STORES.map((name) => readStore(name, surroundings)),
    readStore('redis', { ...surroundings, packages: { redis: '6.0.0' } }),
  ]
}

/** Every store in every kind, and every upstream in one. */
function texts(shapes: readonly ModuleShape[]): readonly string[] {
  return [
    ...shapes.flatMap((shape) =>
      stores(shape.kind !== 'next' && !shape.commonjs).map((store) =>
        moduleText(shape, store, upstreamChoice('github')),
      ),
    ),
    ...UPSTREAMS.flatMap((word) =>
      stores(false)
        .slice(0, 1)
        .map((store) => moduleText(shapes[0] ?? SHAPE, store, upstreamChoice(word))),
    ),
  ]
}

describe('the module that makes auth', () => {
  it('compiles, in TypeScript and in JavaScript, whatever was chosen', () => {
    mkdirSync(DIRECTORY, { recursive: true })
    const scripts = KINDS.map((shape) => ({ ...shape, typescript: false }))
    const required = scripts
      .filter(({ kind }) => kind !== 'next')
      .map((shape) => ({ ...shape, commonjs: true }))
    const files = [
      ...texts(KINDS).map((text) => ['mts', text]),
      ...texts(scripts).map((text) => ['mjs', text]),
      ...texts(required).map((text) => ['cjs', text]),
    ]
    // Where an app of Hono is, its types are.
    writeFileSync(
      join(DIRECTORY, 'app.mts'),
      "import { Hono } from 'hono'\nexport const app = new Hono()\n",
    )
    for (const [index, [extension, text = '']] of files.entries()) {
      writeFileSync(join(DIRECTORY, `${index}.${extension}`), text)
    }
    writeFileSync(join(DIRECTORY, 'tsconfig.json'), JSON.stringify(configuration()))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', DIRECTORY], { encoding: 'utf8' })
    // Of a script the types of parameters are not known.
    expect(stdout.split('\n').filter((line) => line !== '' && !line.includes('TS7006'))).toEqual([])
    expect(files.length).toBeGreaterThan(100)
  })

  it.each([
    { semicolons: true, quote: "'", indent: '  ' },
    { semicolons: false, quote: "'", indent: '    ' },
    { semicolons: true, quote: '"', indent: '\t' },
    { semicolons: false, quote: '"', indent: '  ' },
  ] as const)('reads as Prettier would write it: $semicolons $quote $indent', async (style) => {
    const options = {
      parser: 'typescript',
      semi: style.semicolons,
      singleQuote: style.quote === "'",
      useTabs: style.indent === '\t',
      tabWidth: style.indent === '    ' ? 4 : 2,
      printWidth: 87,
    }
    const commonjs = KINDS.filter(({ kind }) => kind !== 'next').map((shape) => ({
      ...shape,
      typescript: false,
      commonjs: true,
    }))
    for (const text of texts([...KINDS, ...commonjs].map((shape) => ({ ...shape, style })))) {
      expect(await format(text, options)).toBe(text)
    }
  })
})

/** As strict as projects are, with the package's own sources in place of the package. */
function configuration(): object {
  return {
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noPropertyAccessFromIndexSignature: true,
      noImplicitReturns: true,
      noUnusedLocals: true,
      noUnusedParameters: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      noEmit: true,
      allowJs: true,
      checkJs: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023'],
      types: ['node'],
      paths: {
        '@mcp-oauth/server': ['../../src/index.ts'],
        '@mcp-oauth/server/stores/*': ['../../src/*.ts'],
        '@mcp-oauth/server/*': ['../../src/*.ts'],
      },
    },
    include: ['*'],
  }
}

/**
 * The module that makes `auth`, as text.
 *
 * In Next.js it is made with the first request, because a build loads every route, where there are no
 * secrets. Elsewhere it is made at once, and what is wrong with it is told when the server starts.
 */
import type { Part, Variable } from './part.ts'
import { inStyle, type Style } from './style.ts'

export interface ModuleShape {
  readonly kind: 'next' | 'hono' | 'node' | 'plain'
  readonly typescript: boolean
  readonly commonjs: boolean
  readonly style: Style
  readonly issuer: string
  /** The path of the MCP endpoint. */
  readonly resourcePath: string
  /** Paths that need no token: plain node:http only. */
  readonly openPaths?: readonly string[]
}

type Import = readonly [module: string, name: string]

const ABOUT =
  '/** Sign-in for the MCP server: whom its users sign in with, and where that is kept. */'

/** What the module reads of the environment. */
export function moduleVariables(shape: ModuleShape, parts: readonly Part[]): readonly Variable[] {
  return [
    {
      name: 'MCP_OAUTH_ISSUER',
      local: 'issuer',
      example: shape.issuer,
      about: `Where this server is found from outside, ${endOf(shape)}.`,
    },
    {
      name: 'MCP_OAUTH_KEYS',
      local: 'keys',
      example: '',
      about:
        'From `npx mcp-oauth keys generate`. Nobody else may know it; all replicas have the same.',
    },
    ...parts.flatMap(({ variables }) => variables),
  ]
}

/** What people leave out, or put there, when they write the URL of production. */
function endOf({ issuer }: ModuleShape): string {
  const { pathname } = new URL(issuer)
  return pathname === '/' ? 'without a slash at the end' : `with ${pathname} at its end`
}

export function moduleText(shape: ModuleShape, store: Part, upstream: Part): string {
  const lines = [
    ABOUT,
    ...importLines(shape, [...ownImports(shape), ...store.imports, ...upstream.imports]),
    '',
    ...(shape.kind === 'next'
      ? lazyAuth(shape, store, upstream)
      : eagerAuth(shape, store, upstream)),
    ...extras(shape),
    ...(shape.commonjs ? ['', `module.exports = { ${exportsOf(shape).join(', ')} };`] : []),
    '',
  ]
  return inStyle(lines.join('\n'), shape.style)
}

function ownImports({ kind, typescript }: ModuleShape): readonly Import[] {
  const create: Import = ['@mcp-oauth/server', 'createMcpOAuth']
  switch (kind) {
    case 'next':
      return [create, ['@mcp-oauth/server', 'onFirstUse']]
    case 'hono':
      return [
        ['node:fs', 'existsSync'],
        create,
        ...(typescript ? [['@mcp-oauth/server', 'type AuthInfo'] as const] : []),
      ]
    case 'node':
      return [
        ['node:fs', 'existsSync'],
        ...(typescript ? [['node:http', 'type RequestListener'] as const] : []),
        create,
        ['@mcp-oauth/server/node', 'protectNode'],
        ['@mcp-oauth/server/node', 'toNodeHandler'],
      ]
    case 'plain':
      return [['node:fs', 'existsSync'], create]
  }
}

/** One statement for each module, in the order in which they come. */
function importLines({ commonjs }: ModuleShape, imports: readonly Import[]): readonly string[] {
  const byModule = new Map<string, string[]>()
  for (const [module, name] of imports) {
    byModule.set(module, [...(byModule.get(module) ?? []), name])
  }
  return [...byModule].map(([module, names]) => {
    const [, onlyDefault] = /^default (\w+)$/.exec(names[0] ?? '') ?? []
    const isTypes = names.every((name) => name.startsWith('type '))
    const list = isTypes ? names.map((name) => name.slice('type '.length)) : names
    const what = onlyDefault ?? `{ ${list.join(', ')} }`
    return commonjs
      ? `const ${what} = require('${module}');`
      : `import ${isTypes ? 'type ' : ''}${what} from '${module}';`
  })
}

function eagerAuth(shape: ModuleShape, store: Part, upstream: Part): readonly string[] {
  return [
    '// The environment wins over what stands in .env.',
    `if (existsSync('.env')) process.loadEnvFile('.env');`,
    '',
    ...environment(shape, store, upstream),
    '',
    ...before(store),
    ...before(upstream),
    `${shape.commonjs ? '' : 'export '}const auth = createMcpOAuth({`,
    ...options(shape, store, upstream),
    '});',
  ]
}

function lazyAuth(shape: ModuleShape, store: Part, upstream: Part): readonly string[] {
  const inside = [
    ...environment(shape, store, upstream),
    ...before(store),
    ...before(upstream),
    'return createMcpOAuth({',
    ...options(shape, store, upstream),
    '});',
  ]
  return [
    '// Made with the first request: `next build` loads this file too, where there are no secrets.',
    'export const auth = onFirstUse(() => {',
    ...indented(inside),
    '});',
  ]
}

function before({ before: text }: Part): readonly string[] {
  return text === undefined ? [] : [...text.split('\n'), '']
}

function environment(shape: ModuleShape, store: Part, upstream: Part): readonly string[] {
  const read = moduleVariables(shape, [store, upstream]).filter(({ local }) => local !== '')
  const lines = read.map(({ name, local, example }) => {
    const fallback = name === 'MCP_OAUTH_ISSUER' ? example : ''
    return `  ${name}: ${local} = '${fallback}',`
  })
  return ['const {', ...lines, '} = process.env;']
}

function options(shape: ModuleShape, store: Part, upstream: Part): readonly string[] {
  return [
    '  issuer,',
    `  resource: ${resource(shape)},`,
    '  keys,',
    `  store: ${store.value},`,
    ...`  upstream: ${upstream.value},`.split('\n'),
  ]
}

/** Beside the issuer, whatever that is in production. */
function resource({ issuer, resourcePath }: ModuleShape): string {
  const { pathname } = new URL(issuer)
  if (pathname === '/') return `\`\${issuer}${resourcePath}\``
  return `issuer.replace(/${pathname.replaceAll('/', String.raw`\/`).replaceAll('.', String.raw`\.`)}$/, '${resourcePath}')`
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === '' ? line : `  ${line}`))
}

function exportsOf({ kind }: ModuleShape): readonly string[] {
  return kind === 'node' ? ['auth', 'withSignIn'] : ['auth']
}

function extras(shape: ModuleShape): readonly string[] {
  if (shape.kind === 'hono' && shape.typescript) return HONO_TYPES
  return shape.kind === 'node' ? listener(shape) : []
}

const HONO_TYPES = [
  '',
  `// What \`c.get('auth')\` is behind the guard.`,
  `declare module 'hono' {`,
  '  interface ContextVariableMap {',
  '    auth: AuthInfo;',
  '  }',
  '}',
]

/** Whatever it is not known to be harmless needs a token: the listener may answer MCP at any path. */
function listener({ typescript, commonjs, openPaths = [] }: ModuleShape): readonly string[] {
  const type = typescript ? ': RequestListener' : ''
  const open = openPaths.map((path) => `'${path}'`).join(', ')
  return [
    '',
    ...(open === '' ? [] : ['// What needs no token.', `const OPEN = new Set([${open}]);`, '']),
    '/** Puts sign-in before `listener`: the OAuth routes, and the guard before all the rest. */',
    `${commonjs ? '' : 'export '}function withSignIn(listener${type})${type} {`,
    '  const oauth = toNodeHandler(auth);',
    '  const guarded = protectNode(auth, listener);',
    ...(open === ''
      ? ['  return (req, res) => oauth(req, res, () => guarded(req, res));']
      : [
          '  return (req, res) => {',
          `    const isOpen = req.method === 'GET' && OPEN.has(req.url ?? '');`,
          '    oauth(req, res, () => (isOpen ? listener : guarded)(req, res));',
          '  };',
        ]),
    '}',
  ]
}

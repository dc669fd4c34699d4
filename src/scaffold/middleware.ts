/**
 * Sign-in in an Express, Hono or Fastify app: two lines behind the app's creation, before all else in it.
 */
import {
  declarationOf,
  findCalls,
  indentAt,
  lineEnd,
  textOf,
  type Call,
  type Code,
  type Declaration,
} from './code.ts'
import { lineAfter, type Edit } from './edit.ts'
import { mcpCreatorCalls, type MiddlewareFramework } from './frameworks.ts'
import { honoHandlerEdits } from './hono_handler.ts'
import { localName } from './imports.ts'
import { covers, findGuards, guardWords } from './guards.ts'
import { openRoutes, unguardedRoutes, type OpenRoute } from './open_routes.ts'
import {
  findMcpPath,
  findRoutes,
  isPlainPath,
  isShadowed,
  otherMcpRoutes,
  routeCalls,
  type Route,
} from './routes.ts'
import { strayCalls } from './strays.ts'
import { inStyle, styleOf } from './style.ts'
import {
  authName,
  authNeeded,
  importEdits,
  type AuthImport,
  type Needed,
  type Site,
  type Wiring,
} from './wiring.ts'

/** An app that is made in a file. */
export interface AppSite extends Site {
  readonly call: Call
  readonly declaration: Declaration
  /** Whether the MCP SDK makes it. */
  readonly byMcp: boolean
  readonly routes: readonly Route[]
  /** The path of its MCP endpoint, where it can be told. */
  readonly mcpPath: string | undefined
}

/** Sign-in that the MCP SDKs or mcp-handler bring along. */
const OTHER_SIGN_IN = /^(?:mcpAuthRouter|mcpAuthMetadataRouter|requireBearerAuth|withMcpAuth)$/

const STRAY = 'gives MCP to a path that is not certain, and may have no guard: put one there, too'

/** The apps that a file makes and gives a name. */
export function findApps(
  path: string,
  code: Code,
  framework: MiddlewareFramework,
): readonly AppSite[] {
  const found = [
    ...framework.creators(code).map((call) => ({ call, byMcp: false })),
    ...mcpCreatorCalls(code, framework).map((call) => ({ call, byMcp: true })),
  ]
  // Of more than one nobody can tell, however many they are.
  return found.slice(0, 3).flatMap(({ call, byMcp }) => {
    const declaration = declarationOf(code, call)
    if (declaration === undefined) return []
    const { name } = declaration
    // What a function calls by the same name may be an app with a prefix.
    const routes = isShadowed(code, name) ? [] : findRoutes(code, name)
    return [{ path, code, call, declaration, byMcp, routes, mcpPath: findMcpPath(routes) }]
  })
}

/** Whether the file has both lines already. */
export function isWired({ code }: Site, { routes, guard }: MiddlewareFramework): boolean {
  return calls(code, routes) && calls(code, guard)
}

export function wireMiddleware(
  site: AppSite,
  framework: MiddlewareFramework,
  from: AuthImport,
  path: string,
): Wiring {
  const { code, declaration } = site
  if (code.tokens.some(({ text }) => OTHER_SIGN_IN.test(text))) {
    const why =
      'this app has a sign-in of its own already: take that out, and put this in its place.'
    return { edits: [], left: [why, ...middlewareByHand(framework, from, path)], notes: [] }
  }
  const loses = site.byMcp && framework.behind === undefined
  if (loses && site.call.args.length > 0) {
    const why = `${framework.mcpCreator.name} refuses the consent form, which browsers send with \`Origin: null\`: make the app without it.`
    return { edits: [], left: [why, ...middlewareByHand(framework, from, path)], notes: [] }
  }
  const style = styleOf(code)
  const made = creation(site, framework)
  const [handlers, left] =
    framework.name === 'hono' ? honoHandlerEdits(code, declaration.name, path) : [[], []]
  const needed: readonly Needed[] = [
    ...made.needed,
    { module: framework.door, names: [framework.routes, framework.guard].toSorted() },
    authNeeded(code, from),
  ]
  const hasGuards = calls(code, framework.guard)
  const others = hasGuards ? [] : guardedBeside(site, path)
  const edits = [
    ...importEdits(code, needed, { ...from, style }),
    ...made.edits,
    ...behind(site, [...signInLines(site, framework, from, path), ...made.lines], style),
    ...handlers,
  ]
  const { open, said } = findOpen(site, framework, path)
  const lineOf = (at: number) => `Line ${lineAfter(code.text, edits, at)}`
  return {
    edits,
    left: [...left, ...open.map(({ at, why }) => `${lineOf(at)} ${why}`)],
    notes: [
      ...(said === undefined ? [] : [`${lineOf(said)} is taken to be ${path}, as it was said`]),
      ...others.map((one) => `${one.path} answers MCP too, and needs a token from now on`),
      ...(loses
        ? [
            `the guard checks Host and Origin of ${path} in place of ${framework.mcpCreator.name}, which did so for every route`,
          ]
        : []),
    ],
  }
}

/** What an app that has both lines leaves open, as it was told when they were put there. */
export function openLines(
  site: AppSite,
  framework: MiddlewareFramework,
  path: string,
): readonly string[] {
  const { open } = findOpen(site, framework, path)
  return [
    ...(isElsewhere(site, framework, path)
      ? [`No guard is before ${path}, for all that is seen: put it there`]
      : []),
    ...open.map(({ at, why }) => `Line ${lineAfter(site.code.text, [], at)} ${why}`),
  ]
}

/** Whether all guards of the file can be read, and none of them is for the path. */
function isElsewhere(site: AppSite, framework: MiddlewareFramework, path: string): boolean {
  const { code, declaration } = site
  const guards = findGuards(code, declaration.name, framework)
  return (
    answering(site, framework).every((route) => route.path !== path) &&
    guards.length === findCalls(code, framework.guard).length &&
    guards.every((guard) => guard.paths !== undefined && !covers(guard, path))
  )
}

function findOpen(
  found: AppSite,
  framework: MiddlewareFramework,
  path: string,
): { readonly open: readonly OpenRoute[]; readonly said: number | undefined } {
  const site = { ...found, routes: answering(found, framework) }
  const { code, declaration } = site
  const strays = strayCalls(code, declaration.name, path, guardWords(code, framework))
  const routes = calls(code, framework.guard)
    ? unguardedRoutes(site, framework, path)
    : openRoutes(site, path)
  // Somebody has said a path that no line is seen to have: it is that of the one that cannot be read.
  const [said] = strays.filter(({ mayBeIt }) => mayBeIt)
  if (said !== undefined && site.routes.every((route) => route.path !== path)) {
    return { open: routes, said: said.at }
  }
  return { open: [...strays.map(({ at }) => ({ at, why: STRAY })), ...routes], said: undefined }
}

/** The routes without those that are a guard alone. */
function answering(
  { code, declaration, routes }: AppSite,
  framework: MiddlewareFramework,
): readonly Route[] {
  const guards = findGuards(code, declaration.name, framework).filter(({ alone }) => alone)
  const from = new Set(guards.map((guard) => guard.from))
  const calls = routeCalls(code, declaration.name).filter(({ call }) => !from.has(call.from))
  const paths = new Set(calls.map(({ path }) => path))
  return routes.filter(({ path }) => paths.has(path))
}

/** The path that is guarded first, of an app whose routes do not say which is MCP. */
export function guardedPath(site: AppSite, framework: MiddlewareFramework): string | undefined {
  const guards = findGuards(site.code, site.declaration.name, framework)
  const path = guards.flatMap(({ paths = [] }) => paths)[0]?.replace(/\/\*$/, '')
  return path === '' ? undefined : path
}

/** What else answers MCP, and gets a guard of its own. */
function guardedBeside({ routes }: AppSite, path: string): readonly Route[] {
  return otherMcpRoutes(routes, path).filter((route) => isPlainPath(route.path))
}

/** Those that are not there yet. */
function signInLines(
  site: AppSite,
  framework: MiddlewareFramework,
  from: AuthImport,
  path: string,
): readonly string[] {
  const { code, declaration, routes } = site
  const auth = authName(code, from)
  const { name } = declaration
  const own = routes.find((route) => route.path === path)
  const all = [own ?? { path, methods: new Set<string>() }, ...guardedBeside(site, path)]
  const guarded = all.map((route) => {
    const below =
      !route.path.endsWith('*') &&
      (own === undefined ||
        route.methods.has('route') ||
        route.methods.has('use') ||
        routes.some((one) => one.path.startsWith(`${route.path}/`)))
    return framework.guardLine(name, auth, route.path, below)
  })
  return [
    ...(calls(code, framework.routes) ? [] : [framework.routesLine(name, auth)]),
    ...(calls(code, framework.guard) ? [] : guarded),
  ]
}

/** An app of the MCP SDK refuses the consent form, which browsers send with `Origin: null`: it goes behind. */
function creation(
  { code, call, byMcp, declaration }: AppSite,
  framework: MiddlewareFramework,
): { edits: readonly Edit[]; lines: readonly string[]; needed: readonly Needed[] } {
  if (!byMcp) return { edits: [], lines: [], needed: [] }
  const { create, behind: putBehind } = framework
  const imported = create.name.startsWith('default ') ? 'default' : create.name
  const local = localName(code, create.module, imported)
  const plain = create.name.replace('default ', '')
  const value = textOf(code, { first: call.from, last: call.close })
  const start = code.tokens[call.from]?.start ?? 0
  const made = create.value.replace(plain, local ?? plain)
  return {
    edits: [{ start, end: start + value.length, text: made }],
    lines: putBehind === undefined ? [] : [putBehind(declaration.name, value)],
    needed: local === undefined ? [{ module: create.module, names: [create.name] }] : [],
  }
}

function behind(
  { code, declaration }: AppSite,
  lines: readonly string[],
  style: ReturnType<typeof styleOf>,
): readonly Edit[] {
  if (lines.length === 0) return []
  const indent = indentAt(code, declaration.first)
  const end = lineEnd(code, declaration.end)
  const text = lines.map((line) => `\n${indent}${inStyle(line, style)}`).join('')
  return [{ start: end, end, text }]
}

function calls(code: Code, name: string): boolean {
  return findCalls(code, name).length > 0
}

/** What people put in where the code is not understood. */
export function middlewareByHand(
  framework: MiddlewareFramework,
  from: AuthImport,
  path: string,
): readonly string[] {
  const { routes, guard, door } = framework
  const imports = from.commonjs
    ? [
        `const { ${guard}, ${routes} } = require('${door}');`,
        `const { auth } = require('${from.specifier}');`,
      ]
    : [
        `import { ${guard}, ${routes} } from '${door}';`,
        `import { auth } from '${from.specifier}';`,
      ]
  return [
    `Where the ${framework.title} app is made, right behind that and before everything else in it:`,
    ...[
      ...imports,
      framework.routesLine('app', 'auth'),
      framework.guardLine('app', 'auth', path, false),
    ].map((line) => `    ${line}`),
  ]
}

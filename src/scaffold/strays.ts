/**
 * What may answer MCP beside the place that is guarded: other routers, paths that are no plain text, other
 * routes of Next.js. Nobody can tell for certain, so it is told to people, who can.
 */
import {
  findCalls,
  split,
  stringOf,
  textAt,
  textOf,
  type Call,
  type Code,
  type Range,
} from './code.ts'
import { MIDDLEWARE } from './frameworks.ts'
import { chainOf, hasGuard } from './guards.ts'
import { isMcpRoute, isNextRoute } from './next_app.ts'
import type { ProjectFiles } from './project.ts'
import { handlerOf, handsToMcp, isNamedForMcp, METHODS, routeCalls } from './routes.ts'
import { readSources, type Source } from './sources.ts'
import { callsProtect } from './wiring.ts'

/** A call that gives MCP to a path that is none of those of the app. */
export interface Stray {
  /** Where it is in the text. */
  readonly at: number
  /** Whether it is the only one, and its path may be the MCP path and no other, for all that is seen. */
  readonly mayBeIt: boolean
}

export function strayCalls(
  code: Code,
  app: string,
  mcpPath: string,
  guards: ReadonlySet<string>,
): readonly Stray[] {
  const routes = routeCalls(code, app)
  const handlers = new Set(
    routes
      .filter(({ path }) => path === mcpPath)
      .flatMap(({ call }) => handlerOf(code, call))
      .filter((name) => !guards.has(name)),
  )
  const known = new Set(
    routes.flatMap(({ call, method }) => [
      call.open,
      ...(method === 'route' ? chainOf(code, call).map(({ open }) => open) : []),
    ]),
  )
  const guarded = guardedObjects(code, guards)
  const strays = callsOfAnybody(code).filter((call) => {
    if (known.has(call.open) || routes.some((route) => isInside(call, route.call))) return false
    if (isMethodOf(code, call, app) && isAt(code, call, mcpPath)) return false
    const [path = '', ...given] = pathAndRest(code, call).map((range) => textOf(code, range))
    if (hasGuard(code, call.args, guards)) return false
    if ((guarded.get(textAt(code, call.open - 3)) ?? call.open) < call.open) return false
    if (given.length > 0 && /mcp/i.test(path)) return true
    // With an escape in it nobody reads the path, and it may end as any other does.
    if (textAt(code, call.from - 2) === app && isNamedForMcp(path.slice(1, -1))) return true
    return (
      [path, ...given].some(handsToMcp) || handlerOf(code, call).some((name) => handlers.has(name))
    )
  })
  return strays.map((call) => ({
    at: code.tokens[call.open]?.start ?? 0,
    mayBeIt:
      strays.length === 1 &&
      !isMethodOf(code, call, app) &&
      mayBeAt(code, pathAndRest(code, call), mcpPath),
  }))
}

/** `router.use(guard)`: what has a guard before all that comes behind, and where. */
function guardedObjects(code: Code, guards: ReadonlySet<string>): ReadonlyMap<string, number> {
  const found = callsOfAnybody(code).filter(
    ({ open, args: [first] }) =>
      textAt(code, open - 1) === 'use' && first !== undefined && hasGuard(code, [first], guards),
  )
  return new Map(found.toReversed().map(({ open }) => [textAt(code, open - 3), open]))
}

/** Of `app.on('POST', '/mcp', …)` the path is the second one. */
function pathAndRest(code: Code, { open, args }: Call): readonly Range[] {
  return textAt(code, open - 1) === 'on' && args.length > 2 ? args.slice(1) : args
}

/** A name, also with a path to fall back to or to end with, and a template: none with a pattern in it. */
const UNREAD =
  /^(?:[\w$]+(?:\??\.[\w$]+|\[['"]?\w+['"]?\])*!?(?:\s*(?:\?\?|\|\||\+)\s*['"][\w./~-]*['"])?|`(?:[\w./~-]|\$\{[^{}]*\})+`)$/

function mayBeAt(code: Code, [path, ...rest]: readonly Range[], mcpPath: string): boolean {
  if (path === undefined || rest.length === 0) return false
  const value = stringOf(code, path)
  // Of another router, which may stand below a path.
  if (value !== undefined) return /^\/[\w./~-]+$/.test(value) && mcpPath.endsWith(value)
  return UNREAD.test(textOf(code, path)) && !namesMore(code, path)
}

/** Whether it is a variable of the file that is a list, an expression, or a path with a pattern. */
function namesMore(code: Code, { first, last }: Range): boolean {
  if (first !== last) return false
  return code.tokens.some(({ text }, at) => {
    if (!/^(?:const|let|var)$/.test(text) || textAt(code, at + 1) !== textAt(code, first))
      return false
    const value = code.tokens[at + 3]
    return (
      textAt(code, at + 2) !== '=' ||
      value === undefined ||
      (value.kind !== 'word' && !UNREAD.test(value.text))
    )
  })
}

/** `x.post(…)`, whatever `x` is, and `x[method](…)`. */
function callsOfAnybody(code: Code): readonly Call[] {
  return [...code.closing].flatMap(([open, close]) => {
    if (textAt(code, open) !== '(') return []
    const isMethod =
      METHODS.includes(textAt(code, open - 1)) && /^\??\.$/.test(textAt(code, open - 2))
    const isComputed = textAt(code, open - 1) === ']' && textAt(code, open - 3) === '['
    if (!isMethod && !isComputed) return []
    return [{ from: open - 1, open, close, args: split(code, open, close) }]
  })
}

/** `app[method](…)`: whatever the method is, the path is guarded. */
function isMethodOf(code: Code, { open }: Call, app: string): boolean {
  return (
    textAt(code, open - 1) === ']' &&
    textAt(code, open - 4) === app &&
    textAt(code, open - 5) !== '.'
  )
}

function isAt(code: Code, { args: [path] }: Call, mcpPath: string): boolean {
  return path !== undefined && stringOf(code, path) === mcpPath
}

function isInside(call: Call, { open, close }: Call): boolean {
  return call.open > open && call.close < close
}

/** Routes of Next.js that speak MCP, and have no guard. */
export function strayRoutes(files: ProjectFiles, guarded: string | undefined): readonly string[] {
  return mcpRoutes(files)
    .filter(({ code }) => !callsProtect(code))
    .map(({ path }) => path)
    .filter((path) => path !== guarded && !path.includes('/.well-known/'))
}

/** Those that have one. */
export function guardedRoutes(files: ProjectFiles): readonly Source[] {
  return mcpRoutes(files).filter(({ code }) => callsProtect(code))
}

function mcpRoutes(files: ProjectFiles): readonly Source[] {
  return readSources(files).filter(({ path, code }) => isNextRoute(path) && isMcpRoute(code))
}

/** Other files that hand requests to a transport of MCP: how they are reached, their routers know. */
export function otherSpeakers(files: ProjectFiles, guarded: string): readonly string[] {
  return readSources(files)
    .filter(({ path, code }) => path !== guarded && !isGuarded(code) && handsRequests(code))
    .map(({ path }) => path)
}

function isGuarded(code: Code): boolean {
  const guards = [...MIDDLEWARE.map(({ guard }) => guard), 'protectFastify', 'protectNode']
  return callsProtect(code) || guards.some((name) => findCalls(code, name).length > 0)
}

function handsRequests(code: Code): boolean {
  return code.tokens.some(
    ({ text }, at) =>
      /^(?:handleRequest|handlePostMessage)$/.test(text) && textAt(code, at - 1) === '.',
  )
}

/**
 * What may answer MCP beside the place that is guarded: other routers, paths that are no plain text, other
 * routes of Next.js. Nobody can tell for certain, so it is told to people, who can.
 */
import { findCalls, split, stringOf, textAt, textOf, type Call, type Code } from './code.ts'
import { MIDDLEWARE } from './frameworks.ts'
import { isMcpRoute, isNextRoute } from './next_app.ts'
import type { ProjectFiles } from './project.ts'
import { handlerOf, handsToMcp, isNamedForMcp, METHODS, routeCalls } from './routes.ts'
import { readSources } from './sources.ts'
import { callsProtect } from './wiring.ts'

/** The offsets of calls that give MCP to a path that is none of those of `app`. */
export function strayCalls(
  code: Code,
  app: string,
  mcpPath: string,
  guard: string,
): readonly number[] {
  const routes = routeCalls(code, app)
  const handlers = new Set(
    routes.filter(({ path }) => path === mcpPath).flatMap(({ call }) => handlerOf(code, call)),
  )
  const known = new Set(routes.map(({ call }) => call.open))
  const strays = callsOfAnybody(code).filter((call) => {
    if (known.has(call.open) || routes.some((route) => isInside(call, route.call))) return false
    if (isMethodOf(code, call, app) && isAt(code, call, mcpPath)) return false
    const [path = '', ...given] = call.args.map((range) => textOf(code, range))
    if ([path, ...given].some((text) => text.includes(`${guard}(`))) return false
    if (given.length > 0 && /mcp/i.test(path)) return true
    // With an escape in it nobody reads the path, and it may end as any other does.
    if (textAt(code, call.from - 2) === app && isNamedForMcp(path.slice(1, -1))) return true
    return (
      [path, ...given].some(handsToMcp) || handlerOf(code, call).some((name) => handlers.has(name))
    )
  })
  return strays.map(({ open }) => code.tokens[open]?.start ?? 0)
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
export function strayRoutes(files: ProjectFiles, guarded: string): readonly string[] {
  return readSources(files)
    .filter(({ path, code }) => isNextRoute(path) && isMcpRoute(code) && !callsProtect(code))
    .map(({ path }) => path)
    .filter((path) => path !== guarded && !path.includes('/.well-known/'))
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

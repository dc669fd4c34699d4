/**
 * The routes of the app itself that may answer MCP and have no guard: the line for it cannot be written, or nobody
 * knows that it is MCP, or the app has its guards elsewhere. They are told to people.
 */
import { textAt, textOf, type Code } from './code.ts'
import type { MiddlewareFramework } from './frameworks.ts'
import { chainOf, covers, findGuards, guardWords, hasGuard, type Guard } from './guards.ts'
import { isPlainPath, otherMcpRoutes, routeCalls, wideRoutes, type Route } from './routes.ts'

/** A route that stays open: where in the text it is, and what to say of it. */
export interface OpenRoute {
  readonly at: number
  readonly why: string
}

interface App {
  readonly code: Code
  readonly declaration: { readonly name: string }
  readonly routes: readonly Route[]
}

type RouteCall = ReturnType<typeof routeCalls>[number]
type Doubt = readonly [path: string, why: string]

/** Of an app that gets its guards now. */
export function openRoutes(app: App, mcpPath: string): readonly OpenRoute[] {
  const { answers, wide } = doubtful(app, mcpPath)
  return firstCalls(app, [...answers.filter(([path]) => !isPlainPath(path)), ...wide], () => true)
}

/** Of an app that has guards already. */
export function unguardedRoutes(
  app: App,
  framework: MiddlewareFramework,
  mcpPath: string,
): readonly OpenRoute[] {
  const { answers, wide } = doubtful(app, mcpPath)
  const words = guardWords(app.code, framework)
  const guards = findGuards(app.code, app.declaration.name, framework)
  return firstCalls(
    app,
    [answer(mcpPath), ...answers, ...wide],
    (one) => !isGuarded(app.code, one, words, guards),
  )
}

/** Paths beside the MCP path, each with what is said of it. */
function doubtful(
  { routes }: App,
  mcpPath: string,
): { readonly answers: readonly Doubt[]; readonly wide: readonly Doubt[] } {
  const others = otherMcpRoutes(routes, mcpPath).map(({ path }) => path)
  return {
    answers: others.map(answer),
    wide: wideRoutes(routes, mcpPath)
      .filter(({ path }) => !others.includes(path))
      .map(({ path }) => {
        const why = `answers at ${JSON.stringify(path)}, of which ${mcpPath} alone is guarded: if that is MCP, put a guard there, too`
        return [path, why] as const
      }),
  }
}

function answer(path: string): Doubt {
  return [path, `answers MCP at ${JSON.stringify(path)}, and has no guard: put one there, too`]
}

/** For each path the first of its calls that is open. */
function firstCalls(
  { code, declaration }: App,
  paths: readonly Doubt[],
  isOpen: (call: RouteCall) => boolean,
): readonly OpenRoute[] {
  const first = new Map<string, RouteCall>()
  const wanted = new Map(paths)
  for (const one of routeCalls(code, declaration.name)) {
    if (wanted.has(one.path) && !first.has(one.path) && isOpen(one)) first.set(one.path, one)
  }
  return [...first].map(([path, { call }]) => ({
    at: code.tokens[call.from]?.start ?? 0,
    why: wanted.get(path) ?? '',
  }))
}

function isGuarded(
  code: Code,
  { call, method, path }: RouteCall,
  words: ReadonlySet<string>,
  guards: readonly Guard[],
): boolean {
  if (hasGuard(code, call.args, words)) return true
  const [first, ...rest] = method === 'route' ? chainOf(code, call) : []
  if (first !== undefined && hasGuard(code, first.args, words)) {
    const isForAll = textAt(code, first.from) === 'all'
    return isForAll || rest.every(({ args }) => hasGuard(code, args, words))
  }
  if (method === 'options') return true
  const isPassing = method === 'use' && goesOn(code, call)
  return guards.some((guard) => (isPassing || guard.from < call.from) && covers(guard, path))
}

const PASSING =
  /^(?:\w+\.)?(?:json|urlencoded|raw|text|cors|helmet|compression|morgan|logger|cookieParser|rateLimit)\(/

/** `app.use('/mcp', cors(), express.json())`: the guard may come behind it. */
function goesOn(code: Code, { args: [, ...handlers] }: RouteCall['call']): boolean {
  return handlers.every((range) => PASSING.test(textOf(code, range)))
}

/**
 * The routes of the app itself that may answer MCP and get no guard: the line for it cannot be written, or nobody
 * knows that it is MCP. They are told to people.
 */
import type { Code } from './code.ts'
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

export function openRoutes(app: App, mcpPath: string): readonly OpenRoute[] {
  const others = otherMcpRoutes(app.routes, mcpPath)
  const known = new Set(others.map(({ path }) => path))
  return [
    ...others
      .filter(({ path }) => !isPlainPath(path))
      .map(({ path }) => [
        path,
        `answers MCP at ${JSON.stringify(path)}, and has no guard: put one there, too`,
      ]),
    ...wideRoutes(app.routes, mcpPath)
      .filter(({ path }) => !known.has(path))
      .map(({ path }) => [
        path,
        `answers at ${JSON.stringify(path)}, of which ${mcpPath} alone is guarded: if that is MCP, put a guard there, too`,
      ]),
  ].flatMap(([path = '', why = '']) => {
    const at = offsetOf(app, path)
    return at === undefined ? [] : [{ at, why }]
  })
}

function offsetOf({ code, declaration }: App, path: string): number | undefined {
  const first = routeCalls(code, declaration.name).find((call) => call.path === path)?.call.from
  return first === undefined ? undefined : code.tokens[first]?.start
}

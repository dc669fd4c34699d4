/**
 * The routes of the app itself that answer MCP and get no guard, as the line for it cannot be written: they are
 * told to people.
 */
import type { Code } from './code.ts'
import { isPlainPath, otherMcpRoutes, routeCalls, type Route } from './routes.ts'

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
  const open = otherMcpRoutes(app.routes, mcpPath).filter(({ path }) => !isPlainPath(path))
  const calls = routeCalls(app.code, app.declaration.name)
  return open.flatMap(({ path }) => {
    const first = calls.find((call) => call.path === path)?.call.from
    const at = first === undefined ? undefined : app.code.tokens[first]?.start
    const why = `answers MCP at ${JSON.stringify(path)}, and has no guard: put one there, too`
    return at === undefined ? [] : [{ at, why }]
  })
}

/**
 * Who calls, handed on by the handler of a Hono route: the SDKs over Fetch take it as an option beside the request.
 */
import { findCalls, textAt, textOf, type Call, type Code, type Range } from './code.ts'
import type { Edit } from './edit.ts'
import { localName } from './imports.ts'

/** Nobody has so many servers in one file, and each is looked for in all of it. */
const MAX_OBJECTS = 50
const METHODS = ['post', 'all', 'get', 'delete', 'on']

/** The edits, and what is left where none is seen to hand it on. */
export function honoHandlerEdits(
  code: Code,
  app: string,
  path: string,
): readonly [readonly Edit[], readonly string[]] {
  const routes = METHODS.flatMap((method) => findCalls(code, method, app)).filter(({ args }) => {
    const [first] = args
    return first !== undefined && textOf(code, first).slice(1, -1) === path
  })
  const inside = (call: Call) =>
    routes.some(({ open, close }) => call.from > open && call.close < close)
  const handed = ['fetch', 'handleRequest', ...mcpHandlers(code)]
    .flatMap((name) => callsNamed(code, name))
    .filter((call) => isRequest(code, call.args[0]) && (routes.length === 0 || inside(call)))
  if (handed.length > 0) return [handed.flatMap((call) => handOver(code, call)), []]
  // The transport of @hono/mcp takes it from the context by itself.
  if (localName(code, '@hono/mcp', 'StreamableHTTPTransport') !== undefined) return [[], []]
  const how = `Where the request goes to the MCP server, hand over who calls: { authInfo: c.get('auth') } beside c.req.raw`
  return [[], [how]]
}

/** What `createMcpHandler` of mcp-handler has made: it takes a request alone. */
function mcpHandlers(code: Code): readonly string[] {
  const create = localName(code, 'mcp-handler', 'createMcpHandler')
  if (create === undefined) return []
  return findCalls(code, create).flatMap(({ from }) =>
    textAt(code, from - 1) === '=' ? [textAt(code, from - 2)] : [],
  )
}

function callsNamed(code: Code, name: string): readonly Call[] {
  const objects = code.tokens.flatMap(({ text }, at) =>
    text === name && textAt(code, at - 1) === '.' ? [textAt(code, at - 2)] : [],
  )
  return [
    ...findCalls(code, name),
    ...[...new Set(objects)].slice(0, MAX_OBJECTS).flatMap((one) => findCalls(code, name, one)),
  ]
}

/** `c.req.raw`, whatever the context is called. */
function isRequest(code: Code, range: Range | undefined): range is Range {
  return range !== undefined && /^\w+\.req\.raw$/.test(textOf(code, range))
}

function handOver(code: Code, { args, from, open }: Call): readonly Edit[] {
  const [request, options] = args
  if (request === undefined) return []
  const context = textAt(code, request.first)
  const at = code.tokens[request.last]?.end ?? 0
  const isMember = textAt(code, from + 1) === '.'
  if (!isMember && open === from + 1) {
    const start = code.tokens[request.first]?.start ?? 0
    const text = `Object.assign(${context}.req.raw, { auth: ${context}.get('auth') })`
    return [{ start, end: at, text }]
  }
  if (options === undefined) {
    return [{ start: at, end: at, text: `, { authInfo: ${context}.get('auth') }` }]
  }
  const given = textOf(code, options)
  if (!given.startsWith('{') || /\bauthInfo\b/.test(given)) return []
  const inside = code.tokens[options.first]?.end ?? 0
  const rest = /^\{\s*\}$/.test(given) ? ' ' : ','
  return [{ start: inside, end: inside, text: ` authInfo: ${context}.get('auth')${rest}` }]
}

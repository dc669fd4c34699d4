/**
 * The routes that an app declares by calls such as `app.post('/mcp', …)`, and which of them is MCP.
 */
import { findCalls, split, stringOf, textAt, textOf, type Call, type Code } from './code.ts'

export const METHODS: readonly string[] = [
  'post',
  'all',
  'use',
  'get',
  'delete',
  'put',
  'options',
  'route',
  'on',
]
/** What the SDKs' transports are called, and what is called of them. */
const MCP_WORDS = /handleRequest|handlePostMessage|Transport\b|createMcpHandler/
const TAKES_MESSAGES = new Set(['post', 'all', 'use', 'route', 'on'])
/** What the paths of MCP are called, before Streamable HTTP as well. */
const MCP_PATH = /(?:^|[/_-])(?:mcp|sse|messages?)\/?$/i

export interface Route {
  readonly path: string
  readonly methods: ReadonlySet<string>
  /** All that stands behind the path in its calls. */
  readonly text: string
  /** The names of what answers, where it has one. */
  readonly handlers: ReadonlySet<string>
}

/** The routes of the app that is called `app` in this file. */
export function findRoutes(code: Code, app: string): readonly Route[] {
  const found = new Map<string, { methods: Set<string>; text: string; handlers: Set<string> }>()
  for (const { method, path, call } of routeCalls(code, app)) {
    const route = found.get(path) ?? { methods: new Set(), text: '', handlers: new Set() }
    route.methods.add(method)
    route.text += call.args
      .slice(1)
      .map((range) => textOf(code, range))
      .join(' ')
    for (const name of handlerOf(code, call)) route.handlers.add(name)
    found.set(path, route)
  }
  return [...found].map(([path, route]) => ({ path, ...route }))
}

/** The calls of `app` whose path can be read, in the order in which they stand. */
export function routeCalls(
  code: Code,
  app: string,
): readonly { readonly method: string; readonly path: string; readonly call: Call }[] {
  return METHODS.flatMap((method) => findCalls(code, method, app).map((call) => ({ method, call })))
    .toSorted((a, b) => a.call.from - b.call.from)
    .flatMap(({ method, call }) => {
      // Hono names the method first: `app.on('POST', '/mcp', …)`.
      const first = call.args[method === 'on' ? 1 : 0]
      const path = first === undefined ? undefined : routePath(code, first, method)
      return path === undefined ? [] : [{ method, path, call }]
    })
}

/** The last argument behind the path, where it is a name. */
export function handlerOf(code: Code, { args }: Pick<Call, 'args'>): readonly string[] {
  const last = args.length < 2 ? undefined : args.at(-1)
  if (last === undefined || last.first !== last.last) return []
  return code.tokens[last.first]?.kind === 'word' ? [textAt(code, last.first)] : []
}

/** Whether what stands in a call goes to MCP. */
export function handsToMcp(text: string): boolean {
  return MCP_WORDS.test(text)
}

/** `'/mcp'`, and of Fastify's `route({ url: '/mcp' })` the URL. */
function routePath(code: Code, range: { first: number; last: number }, method: string) {
  const plain = stringOf(code, range)
  if (plain !== undefined) return plain.startsWith('/') ? plain : undefined
  if (method !== 'route' || textAt(code, range.first) !== '{') return undefined
  for (let at = range.first + 1; at < range.last; at += 1) {
    if (textAt(code, at) === 'url' && textAt(code, at + 1) === ':') {
      return stringOf(code, { first: at + 2, last: at + 2 })
    }
  }
  return undefined
}

/** The path of the MCP endpoint; undefined where there is none, or more than one that may be it. */
export function findMcpPath(routes: readonly Route[]): string | undefined {
  const likely = routes.filter(
    (route) => takesMessages(route) && /^(?:\/[\w.~-]+)+\/?$/.test(route.path),
  )
  return (
    only(likely.filter(({ path }) => /(?:^|[/_-])mcp\/?$/i.test(path))) ??
    only(likely.filter(({ text }) => MCP_WORDS.test(text)))
  )?.path
}

function takesMessages({ methods }: Route): boolean {
  return [...methods].some((method) => TAKES_MESSAGES.has(method))
}

/**
 * Those whose pattern the MCP path may fit, where none is the MCP path itself: one of them answers MCP, and at
 * other paths as well.
 */
export function wideRoutes(routes: readonly Route[], mcpPath: string): readonly Route[] {
  if (routes.some(({ path }) => path === mcpPath)) return []
  return routes.filter((route) => {
    const [before = '', ...rest] = route.path.split(/[*:(){}?+]/)
    const isBelow = [`${mcpPath}/`, `${mcpPath}{/`].some((head) => route.path.startsWith(head))
    const mayFit = rest.length > 0 && mcpPath.toLowerCase().startsWith(before.toLowerCase())
    return mayFit && !isBelow && takesMessages(route)
  })
}

/**
 * Whatever else of the app answers MCP, such as the two routes of the transport before Streamable HTTP. Unguarded
 * they would be a way around the guard.
 */
export function otherMcpRoutes(routes: readonly Route[], mcpPath: string): readonly Route[] {
  const handlers = routes.find(({ path }) => path === mcpPath)?.handlers ?? new Set()
  return routes.filter(({ path, text, handlers: own }) => {
    if (path === mcpPath || path.startsWith(`${mcpPath}/`)) return false
    if ([...own].some((name) => handlers.has(name))) return true
    return MCP_WORDS.test(text) || isNamedForMcp(path)
  })
}

/** Whether a path is called as those of MCP are. */
export function isNamedForMcp(path: string): boolean {
  return MCP_PATH.test(path)
}

/** Whether the path can be put into code. A quote would end the string that it becomes. */
export function isPlainPath(path: string): boolean {
  return !/['"`\\\r\n]/.test(path)
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined
}

/** Whether the name is one of a parameter, or is given to something else: what is called may then be another app. */
export function isShadowed(code: Code, name: string): boolean {
  const isAlone = code.tokens.some(({ text }, at) => {
    if (text !== name) return false
    const [before, next] = [textAt(code, at - 1), textAt(code, at + 1)]
    return next === '=>' || (next === '=' && !/^(?:const|let|var|\.)$/.test(before))
  })
  // A list that the body of a function follows.
  const lists = [...code.closing].filter(
    ([open, close]) => textAt(code, open) === '(' && /^(?:=>|\{|:)$/.test(textAt(code, close + 1)),
  )
  return (
    isAlone ||
    lists.some(([open, close]) =>
      split(code, open, close).some(({ first }) => textAt(code, first) === name),
    )
  )
}

/** The port that the file listens on, as far as a number says it. */
export function findPort(code: Code): number | undefined {
  const named = code.tokens.flatMap((token, at) => {
    if (!/^port$/i.test(token.text)) return []
    // `port = Number(process.env.PORT ?? 3000)`, `{ port: 3000 }`, `PORT || '3000'`.
    const near = code.tokens.slice(at + 1, at + 14)
    const stop = near.findIndex(({ text }) => /^(?:[;{}]|=>|const|let|var)$/.test(text))
    return (stop < 0 ? near : near.slice(0, stop)).flatMap(({ kind, text }) =>
      kind === 'number' || kind === 'string' ? [text.replace(/^['"]|['"]$/g, '')] : [],
    )
  })
  const listened = findCallsAnywhere(code, 'listen').flatMap((at) => {
    const token = code.tokens[at + 2]
    return token?.kind === 'number' ? [token.text] : []
  })
  const text = [...listened, ...named].find((one) => /^\d{2,5}$/.test(one))
  return text === undefined || Number(text) > 65_535 ? undefined : Number(text)
}

function findCallsAnywhere(code: Code, name: string): readonly number[] {
  return code.tokens.flatMap(({ text }, at) =>
    text === name && textAt(code, at + 1) === '(' ? [at] : [],
  )
}

/**
 * Sign-in in a server of node:http: around its listener.
 */
import { findCalls, stringValue, textAt, textOf, type Call, type Code } from './code.ts'
import { findImports, localName } from './imports.ts'
import { styleOf } from './style.ts'
import { AUTH_MODULE, importEdits, type AuthImport, type Site, type Wiring } from './wiring.ts'

export interface ListenerSite extends Site {
  readonly call: Call
  /** Paths that the code compares a request's with: those that it must be, and all. */
  readonly equal: readonly string[]
  readonly compared: readonly string[]
}

const HTTP = /^(?:node:)?https?$/

/** The servers that a file makes with a listener. */
export function findListeners(path: string, code: Code): readonly ListenerSite[] {
  const direct = localName(code, HTTP, 'createServer')
  const module = localName(code, HTTP, 'default') ?? localName(code, HTTP, '*')
  const calls = [
    ...(direct === undefined ? [] : findCalls(code, direct)),
    ...(module === undefined ? [] : findCalls(code, 'createServer', module)),
  ]
  return calls
    .filter((call) => hasListener(code, call))
    .slice(0, 3)
    .map((call) => {
      const [equal, compared] = [/(?<!!)={2}$|case$/, /={2}$|case$/].map((before) =>
        pathsBehind(code, before),
      )
      return { path, code, call, equal: equal ?? [], compared: compared ?? [] }
    })
}

/** Options alone are none: somebody listens for `request` then. */
function hasListener(code: Code, { args }: Call): boolean {
  const last = args.at(-1)
  return last !== undefined && !/^\{|^\w*(?:options?|config|settings)$/i.test(textOf(code, last))
}

/** `req.url === '/health'`, `case '/health':`: exactly, and nothing that begins so. */
function pathsBehind(code: Code, before: RegExp): readonly string[] {
  const found = code.tokens.flatMap((token, at) => {
    const value = stringValue(token)
    if (value === undefined || !/^\/[\w./-]*$/.test(value)) return []
    const signs = [at - 3, at - 2, at - 1].map((index) => textAt(code, index)).join('')
    return before.test(signs) ? [value] : []
  })
  return [...new Set(found)]
}

/** Undefined where it cannot be told. A listener that looks at no path answers MCP at any. */
export function mcpPathOf({ compared }: ListenerSite): string | undefined {
  const [only, ...others] = compared.filter((path) => /mcp/i.test(path))
  if (compared.length === 0) return '/mcp'
  return others.length === 0 ? only : undefined
}

/** What may stay open: a GET of a path that has nothing to do with MCP. */
export function openPathsOf({ equal }: ListenerSite, mcpPath: string): readonly string[] {
  return equal.filter((path) => path !== mcpPath && !/mcp|sse|message/i.test(path))
}

export function isListenerWired({ code, call }: ListenerSite): boolean {
  const listener = call.args.at(-1)
  return (
    localName(code, AUTH_MODULE, 'withSignIn') !== undefined ||
    (listener !== undefined && textOf(code, listener).startsWith('withSignIn('))
  )
}

/** `server.on('request', …)`: one more listener, which answers whatever the first does. */
function hasAnother(code: Code): boolean {
  return code.tokens.some(
    (token, at) =>
      stringValue(token) === 'request' &&
      textAt(code, at - 1) === '(' &&
      /^(?:on|once|addListener|prependListener)$/.test(textAt(code, at - 2)),
  )
}

export function wireListener({ code, call }: ListenerSite, from: AuthImport): Wiring {
  const style = styleOf(code)
  const listener = call.args.at(-1)
  const needed = { module: from.specifier, names: ['withSignIn'] }
  if (listener === undefined) return { edits: [], left: [], notes: [] }
  // A second thing of that name would keep the file from being loaded.
  if (findImports(code).some(({ local }) => local === 'withSignIn')) {
    return { edits: [], left: listenerByHand(from), notes: [] }
  }
  const start = code.tokens[listener.first]?.start ?? 0
  const end = start + textOf(code, listener).length
  return {
    edits: [
      ...importEdits(code, [needed], { ...from, style }),
      { start, end: start, text: 'withSignIn(' },
      { start: end, end, text: ')' },
    ],
    left: hasAnother(code)
      ? ['Something listens for `request` beside that, and has no guard: put it into the listener']
      : [],
    notes: [],
  }
}

export function listenerByHand(from: AuthImport): readonly string[] {
  const line = from.commonjs
    ? `const { withSignIn } = require('${from.specifier}');`
    : `import { withSignIn } from '${from.specifier}';`
  return [
    'Around the listener of the server:',
    `    ${line}`,
    '    createServer(withSignIn(listener))',
  ]
}

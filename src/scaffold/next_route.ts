/**
 * The guard around the MCP handler of a Next.js route.
 */
import { declarationOf, findCalls, textAt, type Call, type Code } from './code.ts'
import type { Edit } from './edit.ts'
import { localName } from './imports.ts'
import { guardedNames, openExports } from './next_exports.ts'
import { styleOf } from './style.ts'
import {
  authName,
  authNeeded,
  callsProtect,
  importEdits,
  type AuthImport,
  type Site,
  type Wiring,
} from './wiring.ts'

const HANDLERS = /^(?:mcp-handler|@vercel\/mcp-adapter)$/

export function isNextWired({ code }: Site): boolean {
  return callsProtect(code)
}

export function wireNext({ code }: Site, from: AuthImport): Wiring {
  const create = localName(code, HANDLERS, 'createMcpHandler')
  const made = create === undefined ? [] : findCalls(code, create)
  const [call] = made
  const declared = call === undefined ? undefined : declarationOf(code, call)
  if (call === undefined || declared === undefined || made.length > 1) {
    return { edits: [], left: nextByHand(from), notes: [] }
  }
  if (localName(code, HANDLERS, 'withMcpAuth') !== undefined) {
    const rest = 'this route has withMcpAuth already: take that out, and wrap the handler instead'
    return { edits: [], left: [rest, ...nextByHand(from)], notes: [] }
  }
  const style = styleOf(code)
  const auth = authName(code, from)
  return {
    edits: [
      ...importEdits(code, [authNeeded(code, from)], { ...from, style }),
      ...around(code, call, auth),
      ...exportEdits(code, declared.name),
    ],
    left: openExports(code, new Set([declared.name])).map((name) => openWords(name, auth)),
    notes: [],
  }
}

/** What a route's file that has the guard exports without it, each as a line. */
export function openMethods(code: Code): readonly string[] {
  return openExports(code, guardedNames(code)).map((name) => openWords(name, 'auth'))
}

function openWords(name: string, auth: string): string {
  const what = name === '*' ? 'what another file exports' : name
  return `It exports ${what}, which has no guard: put it into ${auth}.protect(…), or take it out`
}

function around(code: Code, call: Call, auth: string): readonly Edit[] {
  const start = code.tokens[call.from]?.start ?? 0
  const end = code.tokens[call.close]?.end ?? 0
  return [
    { start, end: start, text: `${auth}.protect(` },
    { start: end, end, text: ')' },
  ]
}

/** Next answers a preflight by itself, and without CORS, unless OPTIONS is exported. */
function exportEdits(code: Code, handler: string): readonly Edit[] {
  const at = code.tokens.findIndex(
    ({ text }, index) =>
      text === 'POST' && textAt(code, index - 1) === 'as' && textAt(code, index - 2) === handler,
  )
  const hasOptions = code.tokens.some(({ text }) => text === 'OPTIONS')
  const end = code.tokens[at]?.end
  if (end === undefined || hasOptions) return []
  return [{ start: end, end, text: `, ${handler} as OPTIONS` }]
}

export function nextByHand({ specifier }: AuthImport): readonly string[] {
  return [
    'In the route of the MCP endpoint, around its handler, which takes a Request:',
    `    import { auth } from '${specifier}';`,
    '    const guarded = auth.protect(handler);',
    '    export { guarded as GET, guarded as POST, guarded as DELETE, guarded as OPTIONS };',
  ]
}

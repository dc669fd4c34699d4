/**
 * The methods that a route's file of Next.js exports without the guard. Next calls each of them on its own, so
 * one of them beside the guarded handler is a way around it.
 */
import {
  closingOf,
  constantOf,
  declarationOf,
  split,
  statementEnd,
  stringValue,
  textAt,
  type Code,
} from './code.ts'
import { protectCalls } from './wiring.ts'

/** OPTIONS answers preflights, and has no token. */
const METHOD = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE)$/

interface Export {
  readonly name: string
  /** What it is called in the file; undefined where that is of another one. */
  readonly local: string | undefined
}

/** What is called so is guarded, or will be: the names of handlers that `auth.protect` has made. */
export function guardedNames(code: Code): ReadonlySet<string> {
  return new Set(
    protectCalls(code).flatMap((call) => {
      const declared = declarationOf(code, call)
      return declared === undefined ? [] : [declared.name]
    }),
  )
}

/** Nobody exports so many methods, and each is looked for in all of the file. */
const MAX_EXPORTS = 50

/** The exported methods that are none of the guarded ones, `*` for those of another file. */
export function openExports(code: Code, guarded: ReadonlySet<string>): readonly string[] {
  const open = findExports(code)
    .filter(({ name }) => METHOD.test(name) || name === '*')
    .filter(
      ({ local }, index) =>
        local === undefined || index >= MAX_EXPORTS || !isGuarded(code, local, guarded),
    )
  return [...new Set(open.map(({ name }) => name))]
}

function findExports(code: Code): readonly Export[] {
  return code.tokens.flatMap(({ kind, text }, at) => {
    if (kind !== 'word' || text !== 'export' || textAt(code, at - 1) === '.') return []
    const next = textAt(code, at + 1)
    if (next === '*')
      return textAt(code, at + 2) === 'from' ? [{ name: '*', local: undefined }] : []
    if (next === '{') return listed(code, at + 1)
    if (/^(?:const|let|var)$/.test(next)) return declared(code, at + 2)
    const named = next === 'async' ? at + 3 : at + 2
    return textAt(code, named - 1) === 'function' ? [exported(code, named)] : []
  })
}

function exported(code: Code, at: number): Export {
  return { name: textAt(code, at), local: textAt(code, at) }
}

/** `{ handler as GET, POST }`, and the same `from` another file. */
function listed(code: Code, open: number): readonly Export[] {
  const close = closingOf(code, open)
  if (close === undefined) return []
  const isOfAnother = textAt(code, close + 1) === 'from'
  return split(code, open, close).map(({ first, last }) => ({
    name: stringValue(code.tokens[last]) ?? textAt(code, last),
    local: isOfAnother ? undefined : textAt(code, first),
  }))
}

/** `GET = …, POST = …`, or `{ GET, POST } = …`, of which nobody knows what they are. */
function declared(code: Code, first: number): readonly Export[] {
  if (/^[{[]$/.test(textAt(code, first))) {
    return listed(code, first).map(({ name }) => ({ name, local: undefined }))
  }
  const found: Export[] = []
  for (let at = first; at < code.tokens.length && !/^[;}]$/.test(textAt(code, at)); at += 1) {
    const isName = at === first || textAt(code, at - 1) === ','
    if (isName && code.tokens[at]?.kind === 'word') found.push(exported(code, at))
    if (at > first && textAt(code, at) === 'export') break
    at = closingOf(code, at) ?? at
  }
  return found
}

function isGuarded(code: Code, name: string, guarded: ReadonlySet<string>): boolean {
  if (guarded.has(name)) return true
  const value = constantOf(code, name)
  if (value !== undefined) return guarded.has(textAt(code, value))
  return wrapsGuarded(code, name, guarded) || passesOn(code, name, guarded)
}

/** `const POST = limited(handler, { … })`. */
function wrapsGuarded(code: Code, name: string, guarded: ReadonlySet<string>): boolean {
  return code.tokens.some(({ kind }, at) => {
    if (kind !== 'word' || textAt(code, at - 1) !== '=' || textAt(code, at - 2) !== name)
      return false
    const close = textAt(code, at + 1) === '(' ? closingOf(code, at + 1) : undefined
    if (close === undefined || statementEnd(code, close) === undefined) return false
    const [handler, ...options] = split(code, at + 1, close)
    return (
      handler !== undefined &&
      handler.first === handler.last &&
      guarded.has(textAt(code, handler.first)) &&
      options.every(({ first }) => textAt(code, first) === '{')
    )
  })
}

/** A function, all of whose returns are what the guarded handler answers. */
function passesOn(code: Code, name: string, guarded: ReadonlySet<string>): boolean {
  const bodies = code.tokens.flatMap((_, at) => bodyOf(code, at, name) ?? [])
  return bodies.length === 1 && bodies.every((at) => returnsGuarded(code, at, guarded))
}

/** Where the body begins of `function name(…) {` or `name = (…) =>`, with types or without. */
function bodyOf(code: Code, at: number, name: string): number | undefined {
  if (textAt(code, at) !== name) return undefined
  const isFunction = textAt(code, at - 1) === 'function'
  const isValue = textAt(code, at + 1) === '='
  if (!isFunction && !isValue) return undefined
  let list = at + (isFunction ? 1 : 2)
  if (textAt(code, list) === 'async') list += 1
  const past = textAt(code, list) === '(' ? closingOf(code, list) : isValue ? list : undefined
  if (past === undefined) return undefined
  const wanted = isFunction ? '{' : '=>'
  for (let body = past + 1; body < past + 12; body += 1) {
    if (textAt(code, body) === wanted) return isFunction ? body : body + 1
    if (/^(?:[;,={}]|=>)$/.test(textAt(code, body))) return undefined
  }
  return undefined
}

function returnsGuarded(code: Code, body: number, guarded: ReadonlySet<string>): boolean {
  const calls = (at: number) => {
    const called = textAt(code, at) === 'await' ? at + 1 : at
    return guarded.has(textAt(code, called)) && textAt(code, called + 1) === '('
  }
  if (textAt(code, body) !== '{') return calls(body)
  const close = closingOf(code, body) ?? body
  const returns = code.tokens.flatMap(({ text }, at) =>
    at > body && at < close && text === 'return' ? [at + 1] : [],
  )
  return returns.length > 0 && returns.every(calls)
}

/**
 * A source file as it is asked about: its calls, its imports, and where a statement ends.
 */
import { tokenize, type Token } from './tokens.ts'

export interface Code {
  readonly text: string
  readonly tokens: readonly Token[]
  /** Where each opening bracket is closed. */
  readonly closing: ReadonlyMap<number, number>
}

/** A call: the tokens of what is called, and its arguments. Indexes are those of tokens. */
export interface Call {
  /** The first token of what is called, `new` included. */
  readonly from: number
  readonly open: number
  readonly close: number
  readonly args: readonly Range[]
}

/** From the first token to the last, included. */
export interface Range {
  readonly first: number
  readonly last: number
}

/** Undefined where the text is not understood. */
export function readCode(text: string): Code | undefined {
  const tokens = tokenize(text)
  const closing = tokens === undefined ? undefined : matchBrackets(tokens)
  return tokens === undefined || closing === undefined ? undefined : { text, tokens, closing }
}

const CLOSING: Readonly<{ [open: string]: string }> = { '(': ')', '[': ']', '{': '}' }

/** For each opening bracket the index of its closing one; undefined where they do not fit. */
function matchBrackets(tokens: readonly Token[]): ReadonlyMap<number, number> | undefined {
  const closing = new Map<number, number>()
  const open: number[] = []
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind !== 'sign') continue
    if (CLOSING[text] !== undefined) open.push(at)
    else if (/^[)\]}]$/.test(text)) {
      const from = open.pop()
      if (from === undefined || CLOSING[tokens[from]?.text ?? ''] !== text) return undefined
      closing.set(from, at)
    }
  }
  return open.length === 0 ? closing : undefined
}

/** The index of the bracket that closes the one at `open`. */
export function closingOf({ closing }: Code, open: number): number | undefined {
  return closing.get(open)
}

/** Every call of `name(…)`, or of `object.name(…)` when an object is named; type arguments may stand between. */
export function findCalls(code: Code, name: string, object?: string): readonly Call[] {
  return code.tokens.flatMap((token, at) => {
    if (token.kind !== 'word' || token.text !== name) return []
    const before = textAt(code, at - 1)
    const isMember = before === '.' || before === '?.'
    if (object === undefined ? isMember : !isMember || textAt(code, at - 2) !== object) return []
    // `a.app.use()` is of another app.
    if (object !== undefined && textAt(code, at - 3) === '.') return []
    const call = callAt(code, at, object === undefined ? at : at - 2)
    return call === undefined ? [] : [call]
  })
}

function callAt(code: Code, name: number, first: number): Call | undefined {
  const before = textAt(code, first - 1)
  if (before === 'function') return undefined
  const open = textAt(code, name + 1) === '<' ? pastTypes(code, name + 1) : name + 1
  if (open === undefined || textAt(code, open) !== '(') return undefined
  const close = closingOf(code, open)
  if (close === undefined) return undefined
  return { from: before === 'new' ? first - 1 : first, open, close, args: split(code, open, close) }
}

/** Past `<…>`, when it is a list of type arguments and no comparison. */
function pastTypes(code: Code, open: number): number | undefined {
  let depth = 0
  for (let at = open; at < Math.min(open + 200, code.tokens.length); at += 1) {
    const text = textAt(code, at)
    if (text === '<') depth += 1
    if (text === '>') depth -= 1
    if (depth === 0) return at + 1
    if (text === ';' || text === '=>') return undefined
  }
  return undefined
}

/** What stands between two brackets, parted by commas. */
export function split(code: Code, open: number, close: number): readonly Range[] {
  const ranges: Range[] = []
  let first = open + 1
  for (let at = first; at <= close; at += 1) {
    const text = textAt(code, at)
    if (at === close || text === ',') {
      if (at > first) ranges.push({ first, last: at - 1 })
      first = at + 1
    } else at = closingOf(code, at) ?? at
  }
  return ranges
}

export function textAt({ tokens }: Pick<Code, 'tokens'>, at: number): string {
  return tokens[at]?.text ?? ''
}

/** The text of a range, as it is written. */
export function textOf({ text, tokens }: Code, { first, last }: Range): string {
  return text.slice(tokens[first]?.start ?? 0, tokens[last]?.end ?? 0)
}

/** A declaration whose whole value is this call: `const app: Type = await call(…)`. */
export interface Declaration {
  readonly name: string
  /** The keyword it begins with. */
  readonly first: number
  /** The offset in the text at which the statement ends. */
  readonly end: number
}

/** Undefined when the call is a part of something else. */
export function declarationOf(code: Code, call: Call): Declaration | undefined {
  let at = call.from - 1
  if (textAt(code, at) === 'await') at -= 1
  if (textAt(code, at) !== '=') return undefined
  for (let first = at - 1; first >= Math.max(0, at - 30); first -= 1) {
    if (/^[;{}]$/.test(textAt(code, first)) || textAt(code, first) === '=') return undefined
    if (!/^(?:const|let|var)$/.test(textAt(code, first))) continue
    const name = code.tokens[first + 1]
    const end = statementEnd(code, call.close)
    const isPlain = name?.kind === 'word' && /^[=:]$/.test(textAt(code, first + 2))
    return isPlain && end !== undefined ? { name: name.text, first, end } : undefined
  }
  return undefined
}

/** Where the statement ends whose last token is `last`: a semicolon, or a line that does not go on. */
export function statementEnd({ text, tokens }: Code, last: number): number | undefined {
  const end = tokens[last]?.end ?? text.length
  const next = tokens[last + 1]
  if (next === undefined) return end
  if (next.text === ';') return next.end
  if (next.text === '}') return end
  const goesOn =
    next.kind === 'template' || /^(?:[.([?+\-*/,&|=<:]|\?\.|as|satisfies)$/.test(next.text)
  return !goesOn && text.slice(end, next.start).includes('\n') ? end : undefined
}

/** The end of the line on which something ends, past a comment, unless more code stands there. */
export function lineEnd({ text, tokens }: Code, end: number): number {
  const at = text.indexOf('\n', end)
  const line = at < 0 ? text.length : text[at - 1] === '\r' ? at - 1 : at
  const rest = text.slice(end, line)
  const isFree = tokens.every(({ start }) => start < end || start >= line)
  return isFree && rest.lastIndexOf('/*') <= rest.lastIndexOf('*/') ? line : end
}

/** The white space that the line of a token begins with. */
export function indentAt({ text, tokens }: Code, at: number): string {
  const start = text.lastIndexOf('\n', tokens[at]?.start ?? 0) + 1
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? ''
}

/** What a string literal says; undefined for what is none, or has an escape in it. */
export function stringValue(token: Token | undefined): string | undefined {
  if (token === undefined) return undefined
  const isPlain =
    token.kind === 'string' || (token.kind === 'template' && !token.text.includes('${'))
  return isPlain && !token.text.includes('\\') ? token.text.slice(1, -1) : undefined
}

/** The same of a range, which may also name a constant of the file that is such a literal. */
export function stringOf(code: Code, { first, last }: Range): string | undefined {
  if (first !== last) return undefined
  const token = code.tokens[first]
  if (token?.kind !== 'word') return stringValue(token)
  const value = constantOf(code, token.text)
  return value === undefined ? undefined : stringOf(code, { first: value, last: value })
}

/** By name, where the values of the constants of a file begin. Kept, as each path that is a name asks for them. */
const constants = new WeakMap<Code, ReadonlyMap<string, readonly number[]>>()

function constantsOf(code: Code): ReadonlyMap<string, readonly number[]> {
  const known = constants.get(code)
  if (known !== undefined) return known
  const found = new Map<string, number[]>()
  for (const [at, { text }] of code.tokens.entries()) {
    if (text !== 'const' || textAt(code, at + 2) !== '=') continue
    const name = textAt(code, at + 1)
    const values = found.get(name)
    if (values === undefined) found.set(name, [at + 3])
    else values.push(at + 3)
  }
  constants.set(code, found)
  return found
}

/** The one token that a constant is declared as, `const name = token`. */
export function constantOf(code: Code, name: string): number | undefined {
  const found = constantsOf(code).get(name) ?? []
  const [only] = found
  if (only === undefined || found.length > 1 || textAt(code, only) === name) return undefined
  return statementEnd(code, only) === undefined ? undefined : only
}

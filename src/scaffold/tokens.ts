/**
 * The tokens of a JavaScript or TypeScript file: enough to know a call from a comment that mentions it.
 *
 * No parser: it knows strings, templates, regular expressions, comments and words, and where each stands.
 * A file that it does not understand has no tokens, and is then left to people.
 */

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'template' | 'regex' | 'sign'
  readonly text: string
  readonly start: number
  readonly end: number
}

const SPACE = /[\s\uFEFF]+/y
const WORD = /[\p{L}\p{Nl}_$#@][\p{L}\p{N}_$]*/uy
const NUMBER = /\.?\d(?:[eE][+-]|[\w.])*/y
const STRING = /'(?:[^'\\\r\n]|\\(?:\r\n|[^]))*'|"(?:[^"\\\r\n]|\\(?:\r\n|[^]))*"/y
/** Bounded, or a file of slashes would take the square of its length. */
const REGEX =
  /\/(?![*/])(?:[^\\/[\r\n]|\\[^\r\n]|\[(?:[^\]\\\r\n]|\\[^\r\n]){0,500}\]){1,2000}\/\w*/y
const SIGN = /=>|\.\.\.|\?\.(?!\d)|[^\s\w]/y
/** Behind these a slash begins an expression, and divides nothing. */
const BEFORE_EXPRESSION =
  /^(?:await|case|delete|do|else|in|instanceof|new|of|return|throw|typeof|void|yield)$/
const MAX_DEPTH = 50

/** Undefined where the text breaks off, in a string for one. */
export function tokenize(text: string): readonly Token[] | undefined {
  const tokens: Token[] = []
  // The first line may say who runs the file.
  let at = text.startsWith('#!') ? endOfLine(text, 0) : 0
  while (at < text.length) {
    const gap = skip(text, at)
    if (gap === undefined) return undefined
    if (gap > at) {
      at = gap
      continue
    }
    const token = readToken(text, at, tokens.at(-1))
    if (token === undefined) return undefined
    tokens.push(token)
    at = token.end
  }
  return tokens
}

/** Where the next token begins, when white space or a comment stands at `at`. */
function skip(text: string, at: number): number | undefined {
  const space = match(SPACE, text, at)
  if (space !== undefined) return at + space.length
  if (text.startsWith('//', at)) return endOfLine(text, at)
  if (!text.startsWith('/*', at)) return at
  const end = text.indexOf('*/', at + 2)
  return end < 0 ? undefined : end + 2
}

function readToken(text: string, at: number, before: Token | undefined): Token | undefined {
  const first = text[at]
  if (first === '`') return templateToken(text, at, 0)
  if (first === '"' || first === "'") return token('string', match(STRING, text, at), at)
  if (first === '/' && beginsExpression(before)) {
    const regex = match(REGEX, text, at)
    if (regex !== undefined) return token('regex', regex, at)
  }
  return (
    token('word', match(WORD, text, at), at) ??
    token('number', match(NUMBER, text, at), at) ??
    token('sign', match(SIGN, text, at), at)
  )
}

function token(kind: Token['kind'], text: string | undefined, start: number): Token | undefined {
  return text === undefined ? undefined : { kind, text, start, end: start + text.length }
}

function templateToken(text: string, start: number, depth: number): Token | undefined {
  const end = endOfTemplate(text, start + 1, depth)
  return end === undefined ? undefined : token('template', text.slice(start, end), start)
}

/** Past the closing backtick; what stands in `${…}` may hold templates again. */
function endOfTemplate(text: string, from: number, depth: number): number | undefined {
  if (depth > MAX_DEPTH) return undefined
  let at = from
  while (at < text.length) {
    if (text[at] === '\\') at += 2
    else if (text[at] === '`') return at + 1
    else if (text.startsWith('${', at)) {
      const end = endOfHole(text, at + 2, depth)
      if (end === undefined) return undefined
      at = end
    } else at += 1
  }
  return undefined
}

function endOfHole(text: string, from: number, depth: number): number | undefined {
  let [at, open] = [from, 1]
  let before: Token | undefined
  while (at < text.length) {
    const gap = skip(text, at)
    if (gap === undefined) return undefined
    if (gap > at) {
      at = gap
      continue
    }
    const next = text[at] === '`' ? templateToken(text, at, depth + 1) : readToken(text, at, before)
    if (next === undefined) return undefined
    if (next.text === '{') open += 1
    if (next.text === '}') open -= 1
    at = next.end
    if (open === 0) return at
    before = next
  }
  return undefined
}

function beginsExpression(before: Token | undefined): boolean {
  if (before === undefined) return true
  if (before.kind === 'word') return BEFORE_EXPRESSION.test(before.text)
  return before.kind === 'sign' && !/^[)\]}]$/.test(before.text)
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

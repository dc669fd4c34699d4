/**
 * What a file imports, and a line more of it.
 */
import { closingOf, lineEnd, statementEnd, stringValue, textAt, type Code } from './code.ts'
import type { Edit } from './edit.ts'

export interface Import {
  readonly module: string
  /** What it is called there: a name, `default`, or `*`. */
  readonly imported: string
  /** What it is called here. */
  readonly local: string
}

interface ImportStatement {
  readonly imports: readonly Import[]
  /** Offsets in the text. */
  readonly start: number
  readonly end: number
}

/** All imports of values at the top of the file, `require` included. */
export function findImports(code: Code): readonly Import[] {
  return findStatements(code).flatMap(({ imports }) => imports)
}

/** What something of a module is called here. */
export function localName(
  code: Code,
  module: string | RegExp,
  imported: string,
): string | undefined {
  return findImports(code).find(
    (one) =>
      one.imported === imported &&
      (typeof module === 'string' ? one.module === module : module.test(one.module)),
  )?.local
}

/** Puts `line` behind the last import, or where the code begins. */
export function importEdit(code: Code, line: string): Edit {
  const last = findStatements(code).at(-1)
  if (last !== undefined) {
    const end = lineEnd(code, last.end)
    return { start: end, end, text: `\n${line}` }
  }
  const at = pastDirectives(code)
  return {
    start: at,
    end: at,
    text: at > 0 && code.text[at - 1] !== '\n' ? `\n${line}\n` : `${line}\n`,
  }
}

function pastDirectives({ text, tokens }: Code): number {
  let at = 0
  while (tokens[at]?.kind === 'string') at += textAt({ tokens }, at + 1) === ';' ? 2 : 1
  if (at > 0) return tokens[at - 1]?.end ?? 0
  const first = tokens[0]?.start ?? text.length
  return text.lastIndexOf('\n', first - 1) + 1 || (text.startsWith('\uFEFF') ? 1 : 0)
}

function findStatements(code: Code): readonly ImportStatement[] {
  const found: ImportStatement[] = []
  for (let at = 0; at < code.tokens.length; at += 1) {
    const text = textAt(code, at)
    if (text === '{' || text === '(') at = closingOf(code, at) ?? at
    else if (text === 'import') found.push(...readImport(code, at))
    else if (/^(?:const|let|var)$/.test(text)) found.push(...readRequire(code, at))
  }
  return found
}

function readImport(code: Code, first: number): readonly ImportStatement[] {
  if (textAt(code, first + 2) === '=') return readImportEquals(code, first)
  // `import(…)` and `import.meta` are expressions.
  if (/^[(.]$/.test(textAt(code, first + 1))) return []
  let at = first + 1
  while (at < code.tokens.length && code.tokens[at]?.kind !== 'string') {
    if (textAt(code, at) === ';') return []
    at += 1
  }
  const module = stringValue(code.tokens[at])
  const withClause = /^(?:with|assert)$/.test(textAt(code, at + 1))
  const last = withClause ? closingOf(code, at + 2) : at
  const end = last === undefined ? undefined : statementEnd(code, last)
  if (module === undefined || end === undefined) return []
  const isType = textAt(code, first + 1) === 'type' && textAt(code, first + 2) !== 'from'
  const imports = isType ? [] : readNames(code, first + 1, at - 1, module)
  return [{ imports, start: code.tokens[first]?.start ?? 0, end }]
}

/** `import a = require('m')`, of TypeScript. */
function readImportEquals(code: Code, first: number): readonly ImportStatement[] {
  const module = stringValue(code.tokens[first + 5])
  const end = statementEnd(code, first + 6)
  if (textAt(code, first + 3) !== 'require' || module === undefined || end === undefined) return []
  const imports = [{ module, imported: 'default', local: textAt(code, first + 1) }]
  return [{ imports, start: code.tokens[first]?.start ?? 0, end }]
}

/** `a, { b, c as d }`, `* as e`; types are left out. */
function readNames(code: Code, from: number, to: number, module: string): readonly Import[] {
  const names: Import[] = []
  let inside = false
  for (let at = from; at < to; at += 1) {
    const text = textAt(code, at)
    if (text === '{') inside = true
    else if (text === '}') inside = false
    else if (text === '*') names.push({ module, imported: '*', local: textAt(code, (at += 2)) })
    else if (text === 'type' && inside && code.tokens[at + 1]?.kind === 'word')
      at = pastName(code, at + 1)
    else if (code.tokens[at]?.kind === 'word') {
      const renamed = textAt(code, at + 1) === 'as'
      const local = textAt(code, renamed ? at + 2 : at)
      names.push({ module, imported: inside ? text : 'default', local })
      if (renamed) at += 2
    }
  }
  return names
}

function pastName(code: Code, at: number): number {
  return textAt(code, at + 1) === 'as' ? at + 2 : at
}

/** `const a = require('m')`, `const { b, c: d } = require('m')`. */
function readRequire(code: Code, first: number): readonly ImportStatement[] {
  const isPattern = textAt(code, first + 1) === '{'
  const nameEnd = isPattern ? closingOf(code, first + 1) : first + 1
  if (nameEnd === undefined || textAt(code, nameEnd + 1) !== '=') return []
  if (textAt(code, nameEnd + 2) !== 'require' || textAt(code, nameEnd + 3) !== '(') return []
  const module = stringValue(code.tokens[nameEnd + 4])
  const end = statementEnd(code, nameEnd + 5)
  if (module === undefined || end === undefined) return []
  const imports = isPattern
    ? readPattern(code, first + 2, nameEnd, module)
    : ['default', '*'].map((imported) => ({ module, imported, local: textAt(code, first + 1) }))
  return [{ imports, start: code.tokens[first]?.start ?? 0, end }]
}

function readPattern(code: Code, from: number, to: number, module: string): readonly Import[] {
  const names: Import[] = []
  for (let at = from; at < to; at += 1) {
    if (code.tokens[at]?.kind !== 'word') continue
    const imported = textAt(code, at)
    const renamed = textAt(code, at + 1) === ':'
    names.push({ module, imported, local: textAt(code, renamed ? at + 2 : at) })
    if (renamed) at += 2
  }
  return names
}

/**
 * Dependencies more in a `package.json`, with all else in it as it is.
 */
import { closingOf, readCode, stringValue, textAt, type Code } from './code.ts'
import { applyEdits, type Edit } from './edit.ts'

/** `text` with what `wanted` names and no list of the manifest has. */
export function withDependencies(
  text: string,
  section: 'dependencies' | 'devDependencies',
  wanted: Readonly<{ [name: string]: string }>,
): string {
  const code = readCode(text)
  const root = code?.tokens.findIndex((token) => token.text === '{') ?? -1
  if (code === undefined || root < 0) return text
  let result = text
  for (const [name, range] of Object.entries(wanted)) {
    const now = readCode(result)
    if (now !== undefined) result = applyEdits(result, insertion(now, root, section, name, range))
  }
  return result
}

/** In the order of the alphabet, as npm keeps them. */
function insertion(
  code: Code,
  root: number,
  section: string,
  name: string,
  range: string,
): readonly Edit[] {
  const entry = `"${name}": "${range}"`
  const open = memberOf(code, root, section)
  if (open === undefined) {
    const pad = indentOf(code, root)
    return appendTo(code, root, `"${section}": {\n${pad}${pad}${entry}\n${pad}}`, pad)
  }
  const names = namesOf(code, open)
  const after = names.find((at) => (stringValue(code.tokens[at]) ?? '') > name)
  const pad = indentOf(code, root).repeat(2)
  if (after === undefined) return appendTo(code, open, entry, pad)
  const start = code.tokens[after]?.start ?? 0
  return [{ start, end: start, text: `${entry},\n${pad}` }]
}

/** The brace of the object that a member of `root` is. */
function memberOf(code: Code, root: number, name: string): number | undefined {
  const at = namesOf(code, root).find((one) => stringValue(code.tokens[one]) === name)
  return at !== undefined && textAt(code, at + 2) === '{' ? at + 2 : undefined
}

function namesOf(code: Code, open: number): readonly number[] {
  const close = closingOf(code, open) ?? open
  const names: number[] = []
  for (let at = open + 1; at < close; at += 1) {
    if (/^[{[]$/.test(textAt(code, at))) at = closingOf(code, at) ?? at
    else if (code.tokens[at]?.kind === 'string' && textAt(code, at + 1) === ':') names.push(at)
  }
  return names
}

function appendTo(code: Code, open: number, entry: string, pad: string): readonly Edit[] {
  const close = closingOf(code, open)
  if (close === undefined) return []
  const last = code.tokens[close - 1]
  const isEmpty = close === open + 1
  const start = last?.end ?? 0
  // Of an empty object nothing stays between the braces.
  const end = isEmpty ? (code.tokens[close]?.start ?? start) : start
  const tail = isEmpty ? `\n${pad.slice(0, pad.length / 2)}` : ''
  return [{ start, end, text: `${isEmpty ? '' : ','}\n${pad}${entry}${tail}` }]
}

function indentOf(code: Code, root: number): string {
  const [first] = namesOf(code, root)
  const [, pad = '  '] =
    /\n([ \t]+)$/.exec(code.text.slice(0, code.tokens[first ?? 0]?.start ?? 0)) ?? []
  return pad
}

/**
 * How a project writes its code: semicolons, quotes, indentation. What is put into it is written likewise.
 */
import type { Code } from './code.ts'

export interface Style {
  readonly semicolons: boolean
  readonly quote: "'" | '"'
  readonly indent: string
}

const HOUSE: Style = { semicolons: true, quote: "'", indent: '  ' }

export function styleOf(code: Code | undefined): Style {
  if (code === undefined || code.tokens.length === 0) return HOUSE
  const count = (kind: string, first: string) =>
    code.tokens.filter((token) => token.kind === kind && token.text.startsWith(first)).length
  const [, indent = '  '] = /\n([ \t]+)\S/.exec(code.text) ?? []
  return {
    semicolons: count('sign', ';') > 0,
    quote: count('string', '"') > count('string', "'") ? '"' : "'",
    indent: indent.startsWith('\t') ? '\t' : indent.length >= 4 ? '    ' : '  ',
  }
}

/**
 * `text` in that style. It is written with semicolons, single quotes and two spaces, and has no quote
 * inside a string, no semicolon at the end of a line but those of statements.
 */
export function inStyle(text: string, { semicolons, quote, indent }: Style): string {
  return text
    .split('\n')
    .map((line) => {
      const isProse = /^\s*(?:\/?\*|\/\/)/.test(line)
      const parted = semicolons || isProse ? line : line.replace(/;$/, '')
      const quoted = quote === "'" || isProse ? parted : parted.replaceAll("'", '"')
      return quoted.replace(/^(?: {2})+/, (spaces) => indent.repeat(spaces.length / 2))
    })
    .join('\n')
}

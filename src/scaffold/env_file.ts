/**
 * Environment files: what names they have, and lines more of them. What is there stays.
 */
import { findCalls, split, stringValue, textAt, type Code } from './code.ts'
import { lineEndOf } from './edit.ts'
import type { Variable } from './part.ts'

/** The names that an environment file gives a value to, if only an empty one. */
export function namesIn(text: string): ReadonlySet<string> {
  const found = text.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/gm)
  return new Set([...found].map(([, name = '']) => name))
}

/**
 * `text` with the variables that it lacks. `values` are those to begin with, where a name has an empty value, too;
 * `comments` are for a file that people read before they have one of their own.
 */
export function withVariables(
  text: string,
  variables: readonly Variable[],
  values: Readonly<{ [name: string]: string }>,
  comments: boolean,
): string {
  const names = namesIn(text)
  const missing = variables.filter(({ name }) => !names.has(name))
  const filled = withValues(text, values)
  if (missing.length === 0) return filled
  const eol = lineEndOf(text)
  const lines = missing.flatMap(({ name, about, example }) => [
    ...(comments ? [`# ${about}`] : []),
    `${name}=${values[name] ?? example}`,
  ])
  const ahead = filled === '' || filled.endsWith('\n') ? filled : `${filled}${eol}`
  const gap = ahead === '' || !comments ? '' : eol
  return `${ahead}${gap}${lines.join(eol)}${eol}`
}

/** A copy of the example has the name, and nothing behind it. */
function withValues(text: string, values: Readonly<{ [name: string]: string }>): string {
  let filled = text
  for (const [name, value] of Object.entries(values)) {
    const empty = new RegExp(
      `^([ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=)[ \\t]*(?:""|'')?[ \\t]*(?=\\r?$)`,
      'm',
    )
    filled = filled.replace(empty, (_, head: string) => `${head}${value}`)
  }
  return filled
}

/** What a module that is there already reads of the environment. */
export function namesReadBy(code: Code): readonly string[] {
  const found = code.tokens.flatMap(({ text }, at) => {
    if (text !== 'env' || textAt(code, at - 2) !== 'process') return []
    return [...takenApart(code, at - 2), ...direct(code, at)]
  })
  const upstash = findCalls(code, 'upstashFromEnvironment').length > 0 ? UPSTASH : []
  return [...new Set([...found, ...upstash])].filter(
    (name) => !/^(?:NODE_ENV|PORT|HOST)$/.test(name),
  )
}

const UPSTASH = ['KV_REST_API_URL', 'KV_REST_API_TOKEN']

/** `process.env.NAME` and `process.env['NAME']`. */
function direct(code: Code, at: number): readonly string[] {
  const [next, name] = [textAt(code, at + 1), code.tokens[at + 2]]
  if (name === undefined || !/^[.[]$/.test(next)) return []
  return onlyNames([next === '.' ? name.text : (stringValue(name) ?? '')])
}

/** `const { NAME: local = '' } = process.env`. */
function takenApart(code: Code, process: number): readonly string[] {
  if (textAt(code, process - 1) !== '=' || textAt(code, process - 2) !== '}') return []
  const [open] = [...code.closing].find(([, close]) => close === process - 2) ?? []
  if (open === undefined) return []
  return onlyNames(split(code, open, process - 2).map(({ first }) => textAt(code, first)))
}

function onlyNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => /^[A-Z][A-Z0-9_]*$/.test(name))
}

/**
 * Environment files: what names they have, and lines more of them. What is there stays.
 */
import { lineEndOf } from './edit.ts'
import type { Variable } from './part.ts'

/** The names that an environment file gives a value to, if only an empty one. */
export function namesIn(text: string): ReadonlySet<string> {
  const found = text.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/gm)
  return new Set([...found].map(([, name = '']) => name))
}

/**
 * `text` with the variables that it lacks. `values` are those to begin with; `comments` are for a file that
 * people read before they have one of their own.
 */
export function withVariables(
  text: string,
  variables: readonly Variable[],
  values: Readonly<{ [name: string]: string }>,
  comments: boolean,
): string {
  const names = namesIn(text)
  const missing = variables.filter(({ name }) => !names.has(name))
  if (missing.length === 0) return text
  const eol = lineEndOf(text)
  const lines = missing.flatMap(({ name, about, example }) => [
    ...(comments ? [`# ${about}`] : []),
    `${name}=${values[name] ?? example}`,
  ])
  const ahead = text === '' || text.endsWith('\n') ? text : `${text}${eol}`
  const gap = ahead === '' || !comments ? '' : eol
  return `${ahead}${gap}${lines.join(eol)}${eol}`
}

/** What a module that is there already reads of the environment. */
export function namesReadBy(module: string): readonly string[] {
  const plain = module.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')
  const [, pattern = ''] = /\{([^{}]*)\}\s*=\s*process\.env/.exec(plain) ?? []
  const destructured = [...pattern.matchAll(/\b([A-Z][A-Z0-9_]+)\b/g)]
  const direct = [...plain.matchAll(/process\.env(?:\.|\[['"])([A-Z][A-Z0-9_]+)/g)]
  const names = [...destructured, ...direct].map(([, name = '']) => name)
  const upstash = /\bupstashFromEnvironment\b/.test(plain)
    ? ['KV_REST_API_URL', 'KV_REST_API_TOKEN']
    : []
  return [...new Set([...names, ...upstash])].filter(
    (name) => !/^(?:NODE_ENV|PORT|HOST)$/.test(name),
  )
}

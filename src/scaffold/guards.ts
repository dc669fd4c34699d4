/**
 * The guards that an app has already: what they are called, where they stand, and which paths they cover.
 */
import {
  closingOf,
  declarationOf,
  findCalls,
  split,
  stringOf,
  textAt,
  type Call,
  type Code,
  type Range,
} from './code.ts'
import type { MiddlewareFramework } from './frameworks.ts'

/** A call of the app that puts the guard before what comes behind it. */
export interface Guard {
  readonly from: number
  /** Undefined where it cannot be read. */
  readonly paths: readonly string[] | undefined
  /** Whether it lets pass what is below the paths. */
  readonly exact: boolean
  /** Whether nothing answers in the same call. */
  readonly alone: boolean
}

/** What makes a guard in this file, and what is one. */
export function guardWords(code: Code, { guard }: MiddlewareFramework): ReadonlySet<string> {
  const made = findCalls(code, guard).flatMap((call) => declarationOf(code, call) ?? [])
  return new Set([guard, 'protectFastify', ...made.map(({ name }) => name)])
}

/** Whether one of the arguments is a guard, and not only has one somewhere in it. */
export function hasGuard(code: Code, args: readonly Range[], words: ReadonlySet<string>): boolean {
  return args.some(({ first }) => isGuard(code, first, words))
}

function isGuard(code: Code, at: number, words: ReadonlySet<string>): boolean {
  return code.tokens[at]?.kind === 'word' && words.has(textAt(code, at))
}

export function findGuards(
  code: Code,
  app: string,
  framework: MiddlewareFramework,
): readonly Guard[] {
  const words = guardWords(code, framework)
  return ['use', 'all', 'register'].flatMap((method) =>
    findCalls(code, method, app)
      .filter(({ args }) => hasGuard(code, args, words))
      .map((call) => ({
        from: call.from,
        paths: pathsOf(code, call, framework),
        exact: method === 'all' || framework.name === 'hono',
        alone: hasGuard(code, call.args.slice(-1), words),
      })),
  )
}

/** `''` is every path. */
function pathsOf(
  code: Code,
  { args: [first] }: Call,
  framework: MiddlewareFramework,
): readonly string[] | undefined {
  if (first === undefined) return undefined
  const range = framework.name === 'fastify' ? pathOfPlugin(code, first, framework) : first
  if (range === undefined) return undefined
  if (textAt(code, range.first) === '[') {
    const values = split(code, range.first, range.last).map((one) => stringOf(code, one))
    return values.every((value) => value !== undefined) ? values : undefined
  }
  const value = stringOf(code, range)
  if (value !== undefined) return [value]
  const isName =
    range.first === range.last && !guardWords(code, framework).has(textAt(code, range.first))
  return isName || code.tokens[range.first]?.kind !== 'word' ? undefined : ['']
}

/** Of `protectFastifyRoute(auth, '/mcp')`, which may have a name. */
function pathOfPlugin(
  code: Code,
  { first }: Range,
  { guard }: MiddlewareFramework,
): Range | undefined {
  const call = findCalls(code, guard).find(
    (one) => one.from === first || declarationOf(code, one)?.name === textAt(code, first),
  )
  return call?.args[1]
}

export function covers({ paths = [], exact }: Guard, path: string): boolean {
  return paths.some((one) => {
    const base = one.replace(/\/?\*?$/, '')
    const below = !exact || one === '' || one.endsWith('*')
    return path === one || path === base || (below && path.startsWith(`${base}/`))
  })
}

/** `app.route('/mcp').get(…).post(…)`: the calls behind the first. */
export function chainOf(code: Code, { close }: Call): readonly Call[] {
  const open = close + 3
  if (textAt(code, close + 1) !== '.' || textAt(code, open) !== '(') return []
  const end = closingOf(code, open)
  if (end === undefined) return []
  const call = { from: close + 2, open, close: end, args: split(code, open, end) }
  return [call, ...chainOf(code, call)]
}

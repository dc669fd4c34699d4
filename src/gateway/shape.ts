/**
 * Shapes: what a value in the config file must look like, told in words when it does not.
 *
 * A fault names the key and never the value, which may be a secret.
 */
import { isGroup } from './draft.ts'
import { suggest } from '../server/config/suggest.ts'

export type Shape =
  | { readonly is: 'value'; readonly words: string; test(value: unknown): boolean }
  | { readonly is: 'list'; readonly of: Shape }
  | { readonly is: 'record'; readonly of: Shape }
  | { readonly is: 'group'; readonly members: Members; readonly required: readonly string[] }
  | { readonly is: 'either'; readonly shapes: readonly Shape[] }

export type Members = Readonly<{ [name: string]: Shape }>

export const text: Shape = value('a text', (found) => typeof found === 'string')
export const flag: Shape = value('true or false', (found) => typeof found === 'boolean')
export const code: Shape = value('a function', (found) => typeof found === 'function')
export const number: Shape = value(
  'a number, 0 or more',
  (found) => typeof found === 'number' && Number.isFinite(found) && found >= 0,
)

/** An object that has these methods or members, built by code. */
export function built(words: string, ...members: readonly string[]): Shape {
  return value(words, (found) => {
    return typeof found === 'object' && found !== null && members.every((name) => name in found)
  })
}

export function value(words: string, test: (found: unknown) => boolean): Shape {
  return { is: 'value', words, test }
}

export function listOf(of: Shape): Shape {
  return { is: 'list', of }
}

export function recordOf(of: Shape): Shape {
  return { is: 'record', of }
}

export function group(members: Members, ...required: readonly string[]): Shape {
  return { is: 'group', members, required }
}

export function either(...shapes: readonly Shape[]): Shape {
  return { is: 'either', shapes }
}

/** Every fault of `found`, each beginning with its key; `at` is the key of `found` itself. */
export function judgeShape(found: unknown, shape: Shape, at: string): readonly string[] {
  switch (shape.is) {
    case 'value':
      return shape.test(found) ? [] : [`${at} must be ${shape.words}`]
    case 'list':
      if (!Array.isArray(found)) return [`${at} must be a list`]
      return found.flatMap((item, index) => judgeShape(item, shape.of, `${at}[${index}]`))
    case 'record':
      if (!isGroup(found)) return [`${at} must be an object`]
      return Object.entries(found).flatMap(([name, item]) =>
        judgeShape(item, shape.of, join(at, name)),
      )
    case 'group':
      if (!isGroup(found)) return [`${at === '' ? 'the config file' : at} must be an object`]
      return [
        ...judgeMembers(found, shape.members, at),
        ...shape.required
          .filter((name) => found[name] === undefined)
          .map((name) => `${join(at, name)} is missing`),
      ]
    case 'either':
      return judgeEither(found, shape.shapes, at)
  }
}

function judgeMembers(
  found: Readonly<{ [name: string]: unknown }>,
  members: Members,
  at: string,
): readonly string[] {
  return Object.entries(found).flatMap(([name, item]) => {
    const shape = Object.hasOwn(members, name) ? members[name] : undefined
    if (shape === undefined) {
      return [`${join(at, name)} is not known${suggest(name, Object.keys(members))}`]
    }
    return item === undefined ? [] : judgeShape(item, shape, join(at, name))
  })
}

/** The faults of the shape that it resembles, for they say more than that none fits. */
function judgeEither(found: unknown, shapes: readonly Shape[], at: string): readonly string[] {
  const judged = shapes.map((shape) => judgeShape(found, shape, at))
  if (judged.some((faults) => faults.length === 0)) return []
  const alike = shapes.findIndex((shape) => resembles(found, shape))
  return judged[alike] ?? [`${at} must be ${shapes.map(words).join(' or ')}`]
}

function resembles(found: unknown, shape: Shape): boolean {
  if (shape.is === 'list') return Array.isArray(found)
  return (shape.is === 'group' || shape.is === 'record') && isGroup(found)
}

function words(shape: Shape): string {
  if (shape.is === 'value') return shape.words
  if (shape.is === 'either') return shape.shapes.map(words).join(' or ')
  return shape.is === 'list' ? 'a list' : 'an object'
}

function join(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`
}

/**
 * Settings on their way to being judged: the tree of the config file, whatever it was written in.
 *
 * Flags and environment variables become the same tree, and the three are laid over each other.
 */
import type { Flag } from './flags.ts'

/** A tree of settings, nothing of it judged. */
export interface Draft {
  [key: string]: unknown
}

/** What was read and what could not be: faults are whole sentences that name the setting. */
export interface Reading {
  readonly draft: Draft
  readonly faults: readonly string[]
  readonly warnings?: readonly string[]
}

/** `upper` over `lower`: groups are merged, everything else is replaced. */
export function layOver(upper: Draft, lower: Draft): Draft {
  const merged: Draft = { ...lower }
  for (const [key, value] of Object.entries(upper)) {
    const below = merged[key]
    merged[key] = isGroup(value) && isGroup(below) ? layOver(value, below) : value
  }
  return merged
}

/** A plain object, and no instance that somebody built. */
export function isGroup(value: unknown): value is Draft {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * Puts what was given for `flag` into the tree.
 * @returns the fault, as what follows the name of the flag or variable; undefined when there is none.
 */
export function setFlag(draft: Draft, flag: Flag, given: readonly string[]): string | undefined {
  const read = readValue(flag, given)
  if ('fault' in read) return read.fault
  const [group, member] = flag.key ?? [flag.name]
  if (member === undefined) {
    draft[group] = read.value
    return undefined
  }
  const known = draft[group]
  draft[group] = { ...(isGroup(known) ? known : {}), [member]: read.value }
  return undefined
}

function readValue(flag: Flag, given: readonly string[]): { value: unknown } | { fault: string } {
  const last = given.at(-1) ?? ''
  switch (flag.kind) {
    case 'text':
      return last === '' ? { fault: 'has no value' } : { value: last }
    case 'number':
      return /^\d+$/.test(last) ? { value: Number(last) } : { fault: 'is not a whole number' }
    case 'switch':
      return { value: flag.sets ?? true }
    case 'list':
      return { value: given }
    case 'pairs':
    case 'list_pairs':
      return readPairs(given, flag.kind === 'list_pairs')
  }
}

function readPairs(given: readonly string[], lists: boolean): { value: Draft } | { fault: string } {
  const pairs: [string, unknown][] = []
  for (const text of given) {
    const at = text.indexOf('=')
    const [name, words] = [text.slice(0, at).trim(), text.slice(at + 1).trim()]
    if (at < 1 || name === '' || words === '') return { fault: 'is not written name=value' }
    pairs.push([name, lists ? words.split(/\s+/) : words])
  }
  return { value: Object.fromEntries(pairs) }
}

/**
 * Whether a keyring belongs to a store: the rules over the register of keys, and the words for an operator.
 */

/** The short names of the keys that seal in a store, with the check value of each, or `LOST`. */
export type Register = ReadonlyMap<string, string>

export interface KeyFault {
  /** `clash`: another key of that name; `foreign`: no key of the store; `lacking`: not every one. */
  readonly type: 'clash' | 'foreign' | 'lacking'
  readonly reason: string
}

/** Stands where a check value stands, for a key that nobody has any more. */
export const LOST = 'lost'

/** Why a server with the keys `given` must not serve from this store; undefined when it may. Pure. */
export function judgeKeyring(register: Register, given: Register): KeyFault | undefined {
  const live = [...register].filter(([, check]) => check !== LOST)
  const clash = live.find(([kid, check]) => given.has(kid) && given.get(kid) !== check)
  if (clash !== undefined) {
    const reason = `the store knows another key with the short name ${clash[0]}; generate another one in place of the one given`
    return { type: 'clash', reason }
  }
  const lacking = live.map(([kid]) => kid).filter((kid) => !given.has(kid))
  if (lacking.length === 0) return undefined
  const [theirs, ours] = [lacking.join(', '), [...given.keys()].join(', ')]
  if (lacking.length === live.length) {
    const reason = `these keys (${ours}) are not of this store, where ${theirs} seals: give the keys of the store, or another store. ${mendOf(lacking)}`
    return { type: 'foreign', reason }
  }
  const reason = `the keys given (${ours}) lack ${theirs}, which seals in this store: add it behind the first. A new key goes second on every server before it goes first on any; an old one goes when \`mcp-oauth keys rotate\` has found nothing left under it. ${mendOf(lacking)}`
  return { type: 'lacking', reason }
}

function mendOf(lacking: readonly string[]): string {
  const command = `mcp-oauth keys rotate ${lacking.map((kid) => `--forget=${kid}`).join(' ')}`
  return `Where it is lost for good, run \`${command}\`: what it sealed will never open`
}

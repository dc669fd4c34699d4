/**
 * What two stores are compared by: a sum over the hashes of their records, whatever order they come in.
 */
import { sha256 } from '../crypto/hash.ts'

/** The JSON of a value with its members sorted and those that are undefined left out. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
}

/** How many records a store holds of a kind, and their checksum. */
export interface Tally {
  readonly count: number
  readonly checksum: string
}

/** Adds records up. One that comes twice counts once. */
export function createTally(): { add(record: { readonly id: string }): void; read(): Tally } {
  const seen = new Set<string>()
  let sum = 0n
  return {
    add(record) {
      if (seen.has(record.id)) return
      seen.add(record.id)
      const digest = Buffer.from(sha256(canonical(record)), 'base64url').toString('hex')
      sum = BigInt.asUintN(256, sum + BigInt(`0x${digest}`))
    },
    read: () => ({ count: seen.size, checksum: sum.toString(16).padStart(64, '0') }),
  }
}

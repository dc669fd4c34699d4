/**
 * What rows are found by. Kinds are small numbers, ids are texts, index entries are 48 bits of a hash.
 *
 * SQLite keeps text as UTF-8, which has no form for half a surrogate pair: two such ids would meet in
 * one row. So they are escaped. Such an id cannot be read back from its key, nor can one with a NUL, where
 * some engines take a text to end; the record says those itself.
 */
import { sha256 } from '../crypto/hash.ts'
import type { Kind } from './records.ts'

const NUMBERS: { readonly [K in Kind]: number } = {
  client: 1,
  ticket: 2,
  grant: 3,
  connection: 4,
  claim: 5,
  event: 6,
}

/** A later release may know more. */
export const LAST_KIND = 6

const KINDS: ReadonlyMap<number, Kind> = new Map(
  Object.entries(NUMBERS).map(([kind, number]) => [number, kind as Kind]),
)

/** @throws TypeError for a kind of a later release. */
export function kindNumber(kind: Kind): number {
  const number: number | undefined = NUMBERS[kind]
  if (number === undefined) throw new TypeError(`there is no kind ${JSON.stringify(kind)}`)
  return number
}

/** @throws TypeError for a kind of a later release. */
export function kindOf(number: number | bigint): Kind {
  const kind = KINDS.get(Number(number))
  if (kind === undefined) throw new TypeError(`there is no kind ${number}`)
  return kind
}

/** A text without UTF-8 form is escaped behind U+FFFE; so is what starts with that, to stay distinct. */
export function keyText(id: string): string {
  return /^\ufffe|\p{Surrogate}/u.test(id) ? `\ufffe${JSON.stringify(id)}` : id
}

/** Whether `key` is the id that it was made from, and comes back as it is. */
export function isReadable(key: string): boolean {
  return !key.startsWith('\ufffe') && !key.includes('\0')
}

/** The index entry of a value: two values may share one. */
export function entryOf(kind: Kind, name: string, value: string): number {
  return Buffer.from(sha256(`${kind} ${name} ${value}`), 'base64url').readUIntBE(0, 6)
}

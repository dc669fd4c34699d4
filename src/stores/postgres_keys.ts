/**
 * Ids and indexed values as PostgreSQL can hold and index them.
 *
 * Its text has no NUL and no half of a surrogate pair, and an index entry has less than 2.7 kB. What
 * does not fit is escaped, or hashed where it is long, behind U+FFFE; what starts with that is escaped
 * too, to stay distinct. Records say their own ids, so only a notification is ever read back.
 */
import { sha256 } from '../crypto/hash.ts'

const ESCAPED = '\ufffe"'
const HASHED = '\ufffe#'

/** Kind, value and id share one entry of an index. */
const MAX_BYTES = 1000

/** The key of `text`. */
export function keyOf(text: string): string {
  // A unit of UTF-16 is at most three bytes.
  if (text.length * 3 > MAX_BYTES && Buffer.byteLength(text) > MAX_BYTES) return hashed(text)
  if (!/^\ufffe|\0|\p{Surrogate}/u.test(text)) return text
  const escaped = `\ufffe${JSON.stringify(text)}`
  return Buffer.byteLength(escaped) > MAX_BYTES ? hashed(text) : escaped
}

/** The text of a key; undefined when it was hashed. */
export function textOf(key: string): string | undefined {
  if (key.startsWith(HASHED)) return undefined
  return key.startsWith(ESCAPED) ? (JSON.parse(key.slice(1)) as string) : key
}

function hashed(text: string): string {
  // As JSON, for halves of surrogate pairs would all be hashed alike.
  return HASHED + sha256(JSON.stringify(text))
}

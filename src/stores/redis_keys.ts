/**
 * Where everything is in Redis: one key for each record, one sorted set for each indexed value.
 *
 * A hint, the member of such a set, is `<id> NUL <mark>.<seconds>`, and all of one set have score 0, so
 * that they stand in the order of ids. The mark is of one write: whoever takes a hint away takes his
 * own and never one that another write of the same id has made.
 */
import type { Kind } from './records.ts'

/** The names of the keys below one prefix. */
export interface RedisKeys {
  record(kind: Kind, id: string): string
  index(kind: Kind, index: string, value: string): string
  /** The set of ids of a kind that expire, scored by when. */
  expiry(kind: Kind): string
  /** The pattern that SCAN finds every record of a kind with. */
  pattern(kind: Kind): string
  /** Where changed grants are told. */
  readonly channel: string
}

/** The keys below `prefix`. No command of ours ever names two of them, so the slot of each is free. */
export function createKeys(prefix: string): RedisKeys {
  return {
    record: (kind, id) => `${prefix}:${kind}:{${keyText(id)}}`,
    index: (kind, index, value) => `${prefix}:ix:${kind}:${index}:{${keyText(value)}}`,
    expiry: (kind) => `${prefix}:expiry:${kind}`,
    pattern: (kind) => `${prefix.replace(/[\\*?[\]^-]/g, String.raw`\$&`)}:${kind}:{*}`,
    channel: `${prefix}:changed`,
  }
}

// Above every byte that follows a NUL in a hint, so that an id with a NUL sorts behind one that ends there.
const NUL_INSIDE = '\0\u{10ffff}'

/** How the hints of `id` begin that one write has made. */
export function hintOf(id: string, mark: string): string {
  return `${keyText(id).replaceAll('\0', NUL_INSIDE)}\0${mark}.`
}

/** What lies behind every hint of `id`, and before those of the next. */
export function behindHints(id: string): string {
  return `(${keyText(id).replaceAll('\0', NUL_INSIDE)}\0~`
}

/** The id, as it stands in a record's key, and the mark of a hint. */
export function readHint(hint: string): { readonly keyed: string; readonly mark: string } {
  const at = hint.lastIndexOf('\0')
  return {
    keyed: hint.slice(0, at).replaceAll(NUL_INSIDE, '\0'),
    mark: hint.slice(at + 1, hint.lastIndexOf('.')),
  }
}

/** A text without UTF-8 form is escaped behind U+FFFE; so is what starts with that, to stay distinct. */
export function keyText(text: string): string {
  return /^\ufffe|\p{Surrogate}/u.test(text) ? `\ufffe${JSON.stringify(text)}` : text
}

/** What `keyText` made a text of. */
export function plainText(keyed: string): string {
  return keyed.startsWith('\ufffe') ? (JSON.parse(keyed.slice(1)) as string) : keyed
}

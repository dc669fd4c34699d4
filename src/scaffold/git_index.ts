/**
 * The paths that git tracks, from its index: https://git-scm.com/docs/index-format.
 *
 * Read here and not asked of `git`, which need not be there, and which runs what a repository's own
 * configuration names.
 */

const HEADER = 12
const FIXED = 62
const HASH = 20
const EXTENSION = 8
const EXTENDED = 0x4000

/** Undefined where it is not understood. */
export function readIndex(bytes: Uint8Array): ReadonlySet<string> | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length < HEADER || buffer.toString('latin1', 0, 4) !== 'DIRC') return undefined
  const [version, count] = [buffer.readUInt32BE(4), buffer.readUInt32BE(8)]
  if (version < 2 || version > 4) return undefined
  const paths = new Set<string>()
  let at = HEADER
  let path = ''
  for (let entry = 0; entry < count; entry += 1) {
    if (at + FIXED > buffer.length) return undefined
    const flags = buffer.readUInt16BE(at + FIXED - 2)
    let name = at + FIXED + ((flags & EXTENDED) === 0 ? 0 : 2)
    let kept = ''
    if (version === 4) {
      const [strip, next] = readOffset(buffer, name)
      kept = path.slice(0, Math.max(0, path.length - strip))
      name = next
    }
    const end = buffer.indexOf(0, name)
    if (end < 0) return undefined
    path = kept + buffer.toString('latin1', name, end)
    paths.add(Buffer.from(path, 'latin1').toString('utf8'))
    at = version === 4 ? end + 1 : at + padded(end - at)
  }
  return endsWell(buffer, at) ? paths : undefined
}

/**
 * Behind the entries stand extensions and a checksum. An extension in small letters must be understood: with
 * `link` most paths are in another file. Where this does not fit, hashes may be longer than those known here.
 */
function endsWell(buffer: Buffer, from: number): boolean {
  let at = from
  while (at + EXTENSION <= buffer.length - HASH) {
    if (!/^[A-Z]/.test(buffer.toString('latin1', at, at + 4))) return false
    at += EXTENSION + buffer.readUInt32BE(at + 4)
  }
  return at === buffer.length - HASH
}

/** Entries end with one to eight zeros, at a multiple of eight. */
function padded(length: number): number {
  return (length + 8) & ~7
}

/** The variable width number of OFS_DELTA pack entries. */
function readOffset(buffer: Buffer, from: number): readonly [value: number, next: number] {
  let at = from
  let byte = buffer[at] ?? 0
  let value = byte & 0x7f
  while ((byte & 0x80) !== 0 && at - from < 5) {
    at += 1
    byte = buffer[at] ?? 0
    value = ((value + 1) << 7) | (byte & 0x7f)
  }
  return [value, at + 1]
}

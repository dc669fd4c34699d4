/**
 * JSON that every parser reads alike: RFC 8259 with what it leaves open (§4, §8.1) closed.
 *
 * The guard decides by what it reads and passes on the very bytes, so another parser behind it must not
 * be able to read something else: no name twice in an object (first wins here, last wins there), no
 * byte order mark, no broken UTF-8, no nesting that overflows somebody's stack.
 */
import { RpcError } from './rpc_error.ts'

/** Some parsers refuse more than 64, most more than 128 or 1000. */
const MAX_DEPTH = 100
// The byte order mark is kept, so that JSON.parse refuses it.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The value in `bytes`. @throws RpcError */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  const { names, depth } = measure(text)
  if (depth > MAX_DEPTH) {
    throw new RpcError('invalid_request', `the body is nested deeper than ${MAX_DEPTH} levels`, {
      reason: 'ambiguous_json',
    })
  }
  const value = parse(text)
  // A name that stands twice is written twice and kept once, in whatever spelling.
  if (names !== countNames(value)) {
    throw new RpcError('invalid_request', 'a name stands twice in one object of the body', {
      reason: 'ambiguous_json',
    })
  }
  return value
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new RpcError('parse_error', 'the body is not UTF-8', { reason: 'not_json' })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new RpcError('parse_error', 'the body is not one JSON text', { reason: 'not_json' })
  }
}

/** How many names a JSON text writes and how deep it is; of a text that is no JSON, any two numbers. */
function measure(text: string): { names: number; depth: number } {
  let names = 0
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at)
        break
      case 0x3a: // : stands behind each name, and nowhere else outside of strings
        names += 1
        break
      case 0x5b: // [
      case 0x7b: // {
        depth += 1
        if (depth > deepest) deepest = depth
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1
    }
  }
  return { names, depth: deepest }
}

/** Where the string that begins at `start` ends: at a quote behind an even number of backslashes. */
function endOfString(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end === -1) return text.length
    let before = end - 1
    while (text.charCodeAt(before) === 0x5c) before -= 1
    if ((end - before) % 2 === 1) return end
  }
}

/** How many names the objects in `value` have. */
function countNames(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const member of value) count += countNames(member)
    return count
  }
  for (const member of Object.values(value)) count += 1 + countNames(member)
  return count
}

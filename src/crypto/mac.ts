/**
 * Message authentication: HMAC-SHA-256 (RFC 2104) under a key of the ring, each purpose under its own.
 *
 * Written out as the two hashes of RFC 2104 §2, since an object of `createHmac` for each MAC costs more than
 * the hashes, and every request makes one to three.
 */
import { hash } from 'node:crypto'
import { keyObject } from './key_object.ts'
import type { Key, Purpose } from './keyring.ts'

/** Bytes: the block of SHA-256, and what it gives. */
const BLOCK = 64
const DIGEST = 32

/** `K XOR ipad` and `K XOR opad` of RFC 2104 §2, each with room behind it for what is hashed with it. */
interface Pads {
  inner: Buffer
  readonly outer: Buffer
}

const padsOfKeys = new WeakMap<object, Pads>()

/** The MAC of `text` in base64url, 43 characters. */
export function mac(key: Key, purpose: Purpose, text: string): string {
  const pads = padsOf(key, purpose)
  const most = BLOCK + 3 * text.length
  if (most > pads.inner.length) pads.inner = grown(pads.inner, most)
  const end = BLOCK + pads.inner.write(text, BLOCK)
  // As text, one byte a character: a Buffer of its own for each digest is what would cost most here.
  const digest = hash('sha256', pads.inner.subarray(0, end), 'binary')
  pads.outer.write(digest, BLOCK, 'binary')
  return hash('sha256', pads.outer, 'base64url')
}

function padsOf(key: Key, purpose: Purpose): Pads {
  const secret = keyObject(key, purpose)
  const known = padsOfKeys.get(secret)
  if (known !== undefined) return known
  // The derived key has 32 bytes: shorter than a block, so it is filled up with zeros and not hashed.
  const bytes = secret.export()
  const pads = {
    inner: padded(bytes, 0x36, BLOCK + 1024),
    outer: padded(bytes, 0x5c, BLOCK + DIGEST),
  }
  padsOfKeys.set(secret, pads)
  return pads
}

function padded(key: Buffer, pad: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < BLOCK; at += 1) bytes[at] = (key[at] ?? 0) ^ pad
  return bytes
}

function grown(inner: Buffer, length: number): Buffer {
  const larger = Buffer.alloc(length)
  inner.copy(larger, 0, 0, BLOCK)
  return larger
}

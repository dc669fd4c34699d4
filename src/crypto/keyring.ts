/**
 * The keyring: every secret this server holds comes from it.
 *
 * Keys are written newest first. The newest seals and signs, all of them open and verify, so a key can
 * be retired without a stop. No key is used as it is: each purpose has its own key derived by HKDF
 * (RFC 5869), so that a value made for one purpose means nothing for another.
 */
import { createSecretKey, hkdfSync } from 'node:crypto'
import { sha256 } from './hash.ts'
import { randomSecret } from './random.ts'

/** What a derived key may be used for. */
export type Purpose =
  | 'access_token'
  | 'refresh_token'
  | 'code'
  | 'seal'
  | 'cookie'
  | 'registration'
  | 'jwt'
  | 'key_check'

/**
 * A key for one purpose, which `keyObject` gives to node:crypto. The types of the doors reach this file, and
 * are read where the types of Node are not.
 */
export type DerivedKey = object & { readonly __brand: 'DerivedKey' }

/** One key of the ring. `kid` tells which key made a value, and nothing about the key. */
export interface Key {
  readonly kid: string
  /** The key for one purpose, derived once and kept. */
  derive(purpose: Purpose): DerivedKey
}

/** Keys in the order they were given. */
export interface Keyring {
  readonly newest: Key
  readonly all: readonly Key[]
  find(kid: string): Key | undefined
}

const KEY = /^mok_[A-Za-z0-9_-]{43}$/

/** A new key: `mok_` and 32 random bytes in base64url. */
export function generateKey(): string {
  return `mok_${randomSecret(32)}`
}

/** Why `keys` cannot be a keyring, one sentence a fault; empty when it can. */
export function judgeKeys(keys: readonly string[]): string[] {
  if (keys.length === 0) return ['no key is given; make one with `npx mcp-oauth keys generate`']
  const faults = keys.flatMap((key, index) =>
    judgeKey(key).map((fault) => `key ${index + 1} ${fault}`),
  )
  if (new Set(keys).size !== keys.length) faults.push('the same key is given twice')
  else if (new Set(keys.map(kidOf)).size !== keys.length) {
    // One pair in 2^36. The older of the two would open nothing any more.
    faults.push('two keys have the same short name; make another one')
  }
  return faults
}

function judgeKey(key: string): string[] {
  if (!KEY.test(key) || !isCanonical(key.slice(4))) {
    return [
      'is not `mok_` and 43 base64url characters; make one with `npx mcp-oauth keys generate`',
    ]
  }
  const distinct = new Set(Buffer.from(key.slice(4), 'base64url')).size
  // 32 random bytes with fewer than 12 distinct values do not happen; a typed-in pattern does.
  return distinct < 12
    ? ['is too regular to be random; make one with `npx mcp-oauth keys generate`']
    : []
}

/**
 * A keyring of `keys`, newest first.
 * @throws RangeError naming each fault that `judgeKeys` finds.
 */
export function createKeyring(keys: readonly string[]): Keyring {
  const faults = judgeKeys(keys)
  if (faults.length > 0) throw new RangeError(faults.join('; '))
  const byKid = new Map(keys.map((key) => createKey(key)).map((key) => [key.kid, key]))
  const all = [...byKid.values()]
  const newest = all[0]
  if (newest === undefined) throw new RangeError('no key is given')
  return { newest, all, find: (kid) => byKid.get(kid) }
}

/** The short name of a key. */
export function kidOf(text: string): string {
  return sha256(`kid ${text}`).slice(0, 6)
}

/** The last of 43 characters has two spare bits; a key must have one spelling, as its kid is made of it. */
function isCanonical(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text
}

function createKey(text: string): Key {
  const secret = Buffer.from(text.slice(4), 'base64url')
  const derived = new Map<Purpose, DerivedKey>()
  return {
    kid: kidOf(text),
    derive(purpose) {
      const known = derived.get(purpose)
      if (known !== undefined) return known
      const bytes = Buffer.from(hkdfSync('sha256', secret, '', `mcp-oauth ${purpose}`, 32))
      const key = createSecretKey(bytes) as object as DerivedKey
      derived.set(purpose, key)
      return key
    },
  }
}

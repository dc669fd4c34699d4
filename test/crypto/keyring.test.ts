import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto/hash.ts'
import { keyObject } from '../../src/crypto/key_object.ts'
import {
  createKeyring,
  generateKey,
  judgeKeys,
  type Key,
  type Purpose,
} from '../../src/crypto/keyring.ts'

const PURPOSES: readonly Purpose[] = [
  'access_token',
  'refresh_token',
  'code',
  'seal',
  'cookie',
  'registration',
]

/** A key of these bytes. */
function keyOf(bytes: Uint8Array): string {
  return `mok_${Buffer.from(bytes).toString('base64url')}`
}

describe('the keyring', () => {
  it('ST-06 no key, or one that is no key, is refused with its place', () => {
    const good = generateKey()
    const wrong = [
      '',
      'secret',
      'mok_',
      good.slice(0, -1),
      `${good}A`,
      ` ${good}`,
      `${good}\n`,
      good.toUpperCase(),
      good.slice(4),
      `mok_${good}`,
      keyOf(new Uint8Array(8)),
      good.replace('mok_', 'mck_'),
      `mok_${'+'.repeat(43)}`,
      `mok_${'é'.repeat(43)}`,
    ]
    expect(judgeKeys([])).toHaveLength(1)
    expect(() => createKeyring([])).toThrow(RangeError)
    for (const key of wrong) {
      const [fault = '', ...more] = judgeKeys([good, key])
      expect(fault, key).toMatch(/^key 2 /)
      expect(more).toEqual([])
      if (key.length > 4) expect(fault).not.toContain(key)
      expect(() => createKeyring([key])).toThrow(RangeError)
    }
  })

  it('ST-06 a weak key is refused: zeros, one byte, patterns, words', () => {
    const patterns = ['\0', 'a', 'ab', 'password', 'changeme1', '0123456789']
    for (const pattern of patterns) {
      const key = keyOf(Buffer.alloc(32, pattern))
      expect(judgeKeys([key]), pattern).toEqual([expect.stringContaining('too regular')])
    }
  })

  it('ST-06 every fault is told at once', () => {
    const good = generateKey()
    const faults = judgeKeys(['x', good, keyOf(new Uint8Array(32)), good])
    expect(faults).toHaveLength(3)
    expect(faults.join()).toMatch(/key 1 .*key 3 .*twice/s)
  })

  it('generated keys are good, and all different', () => {
    const keys = Array.from({ length: 2000 }, generateKey)
    expect(judgeKeys(keys)).toEqual([])
    expect(new Set(keys).size).toBe(2000)
  })

  it('a key has one spelling: the spare bits of its last character are zero', () => {
    const key = generateKey()
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const bytes = Buffer.from(key.slice(4), 'base64url')
    const same = [...alphabet]
      .map((last) => key.slice(0, -1) + last)
      .filter((other) => Buffer.from(other.slice(4), 'base64url').equals(bytes))
    expect(same).toHaveLength(4)
    expect(same.filter((other) => judgeKeys([other]).length === 0)).toEqual([key])
  })

  it('each key has its own short name, and the newest is the first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), (count) => {
        const keys = Array.from({ length: count }, generateKey)
        const ring = createKeyring(keys)
        expect(ring.newest.kid).toBe(createKeyring(keys.slice(0, 1)).newest.kid)
        const kids = keys.map((key) => createKeyring([key]).newest.kid)
        expect(new Set(kids).size).toBe(count)
        for (const kid of kids) expect(ring.find(kid)?.kid).toBe(kid)
        expect(kids.every((kid) => /^[\w-]{6}$/.test(kid))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('two keys with one short name are refused, or the older would open nothing', () => {
    // Found by trying: there are 2^36 names, so some hundred thousand keys hold such a pair.
    const pair = ['83542', '450034'].map((seed) => `mok_${sha256(seed)}`)
    expect(new Set(pair.map((key) => createKeyring([key]).newest.kid)).size).toBe(1)
    expect(judgeKeys(pair)).toEqual([expect.stringContaining('short name')])
  })

  it('finds nothing under another name', () => {
    const ring = createKeyring([generateKey()])
    const kid = ring.newest.kid
    for (const other of [
      '',
      '__proto__',
      'secret',
      kid.toUpperCase() + 'x',
      ` ${kid}`,
      `${kid}.`,
    ]) {
      expect(ring.find(other)).toBeUndefined()
    }
  })

  it('a purpose has a key of its own, the same each time, and never the key itself', () => {
    const text = generateKey()
    const [ring, again] = [createKeyring([text]), createKeyring([generateKey(), text])]
    const derive = (key: Key) =>
      PURPOSES.map((purpose) => keyObject(key, purpose).export().toString('hex'))
    const derived = derive(ring.newest)
    expect(new Set(derived).size).toBe(PURPOSES.length)
    expect(derive(again.find(ring.newest.kid)!)).toEqual(derived)
    expect(derived).not.toContain(Buffer.from(text.slice(4), 'base64url').toString('hex'))
    expect(keyObject(ring.newest, 'seal')).toBe(keyObject(ring.newest, 'seal'))
    expect(keyObject(ring.newest, 'seal').symmetricKeySize).toBe(32)
  })

  it('RFC 5869 §2 the derivation is HKDF-SHA-256 without salt, for what is sealed today must open tomorrow', () => {
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
    const extracted = createHmac('sha256', Buffer.alloc(32)).update(bytes).digest()
    const expanded = createHmac('sha256', extracted).update('mcp-oauth seal\u0001').digest()
    const derived = keyObject(createKeyring([keyOf(bytes)]).newest, 'seal').export()
    expect(derived.equals(expanded)).toBe(true)
  })
})

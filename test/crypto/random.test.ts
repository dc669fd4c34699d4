import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equal, sha256 } from '../../src/crypto/hash.ts'
import { randomBytes, randomId, randomSecret } from '../../src/crypto/random.ts'

describe('random values', () => {
  it('have the length that was asked for, across the pool’s end too', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1024 }), { maxLength: 30 }), (lengths) => {
        expect(lengths.map((length) => randomBytes(length).length)).toEqual(lengths)
      }),
    )
    expect(() => randomBytes(1025)).toThrow(RangeError)
  })

  it('are fresh: no bytes are given out twice, and those given out do not change', () => {
    const given = Array.from({ length: 5000 }, () => randomBytes(16))
    const copies = given.map((bytes) => bytes.toString('hex'))
    for (let turn = 0; turn < 1000; turn += 1) randomBytes(1000)
    expect(given.map((bytes) => bytes.toString('hex'))).toEqual(copies)
    expect(new Set(copies).size).toBe(5000)
    expect(copies).not.toContain('0'.repeat(32))
  })

  it('have every byte about as often', () => {
    const counts = Array.from({ length: 256 }, () => 0)
    for (let turn = 0; turn < 500; turn += 1) {
      for (const byte of randomBytes(1024)) counts[byte] = (counts[byte] ?? 0) + 1
    }
    // 2000 of each, with a deviation of 45: eight of them happen once in 10^13.
    expect(Math.min(...counts)).toBeGreaterThan(1640)
    expect(Math.max(...counts)).toBeLessThan(2360)
  })

  it('a secret is base64url of so many bytes', () => {
    expect(randomSecret()).toMatch(/^[\w-]{43}$/)
    expect(randomSecret(16)).toMatch(/^[\w-]{22}$/)
  })

  it('ids of one second share their start and nothing else, later ones sort behind', () => {
    const now = 1_800_000_000
    const ids = Array.from({ length: 1000 }, () => randomId(now))
    expect(new Set(ids).size).toBe(1000)
    expect(new Set(ids.map((id) => id.slice(0, 7))).size).toBe(1)
    for (const id of ids) expect(id).toMatch(/^[\w-]{29}$/)
    fc.assert(
      fc.property(fc.nat(0x7fffffff), fc.integer({ min: 1, max: 0x7fffffff }), (start, more) => {
        expect(randomId(start) < randomId(start + more)).toBe(true)
      }),
    )
  })
})

describe('hashes', () => {
  it('FIPS 180-4 sha256 is what it says', () => {
    expect(sha256('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
    expect(sha256('')).toBe('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
  })

  it('texts are equal when they are the same, whatever their lengths', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        expect(equal(a, a)).toBe(true)
        expect(equal(a, b)).toBe(a === b)
        expect(equal(a, `${a}x`)).toBe(false)
      }),
    )
    expect(equal('é', 'e\u0301')).toBe(false)
  })

  it('are equal as long as a hash is, whatever is in them and was compared before', () => {
    const near = ['a', 'b', 'Q', 'ő', 'é', '€', '\ud800', '\0'].flatMap((odd) => [
      `${'a'.repeat(42)}${odd}`,
      `${odd}${'a'.repeat(42)}`,
      `${'a'.repeat(21)}${odd}${'a'.repeat(21)}`,
      `${'é'.repeat(42)}${odd}`,
    ])
    for (const one of near) {
      for (const other of near) {
        const same = Buffer.from(one).equals(Buffer.from(other))
        expect(equal(one, other), `${one} ${other}`).toBe(same)
      }
    }
    expect(equal('ab', 'é')).toBe(false)
  })
})

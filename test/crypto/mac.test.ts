import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyObject } from '../../src/crypto/key_object.ts'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { mac } from '../../src/crypto/mac.ts'

const { newest } = createKeyring([generateKey()])

function hmac(text: string): string {
  return createHmac('sha256', keyObject(newest, 'code')).update(text).digest('base64url')
}

describe('RFC 2104 §2 message authentication', () => {
  it('is HMAC-SHA-256, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(mac(newest, 'code', text)).toBe(hmac(text))
      }),
    )
  })

  it('of a short text after a long one nothing is left of the long one', () => {
    for (const length of [0, 1, 63, 64, 1023, 1024, 1025, 100_000, 2, 0]) {
      const text = 'é'.repeat(length)
      expect(mac(newest, 'code', text), String(length)).toBe(hmac(text))
    }
  })

  it('differs by purpose and by key', () => {
    const other = createKeyring([generateKey()]).newest
    const all = [mac(newest, 'code', 'x'), mac(newest, 'cookie', 'x'), mac(other, 'code', 'x')]
    expect(new Set(all).size).toBe(3)
  })
})

import { createCipheriv } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyObject } from '../../src/crypto/key_object.ts'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { open, seal, type Place, type Sealed } from '../../src/crypto/seal.ts'

const KEY = generateKey()
const RING = createKeyring([KEY])
const PLACE: Place = 'connection/a/refresh_token'
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const plain = fc.string({ unit: 'grapheme', maxLength: 80 })
const word = fc.stringMatching(/^[a-z_0-9:.|-]{1,12}$/)
const place = fc.tuple(word, word, word).map(([kind, id, field]): Place => `${kind}/${id}/${field}`)

function bytesOf(sealed: string): Buffer {
  return Buffer.from(sealed.split('.')[2] ?? '', 'base64url')
}

function withBytes(sealed: string, bytes: Uint8Array): Sealed {
  const [version, kid] = sealed.split('.')
  return `${version}.${kid}.${Buffer.from(bytes).toString('base64url')}` as Sealed
}

describe('sealed values', () => {
  it('open at their place, as they were', () => {
    fc.assert(
      fc.property(plain, place, (text, where) => {
        expect(open(RING, seal(RING, text, where), where)).toBe(text)
      }),
    )
  })

  it('ST-02 nothing of the text shows, and sealed twice it looks different', () => {
    const text = 'gho_16C7e42F292c6912E7710c838347Ae178B4a'
    const all = Array.from({ length: 1000 }, () => seal(RING, text, PLACE))
    expect(new Set(all).size).toBe(1000)
    expect(new Set(all.map((one) => bytesOf(one).subarray(0, 12).toString('hex'))).size).toBe(1000)
    for (const one of all) {
      expect(one).not.toContain(text)
      expect(bytesOf(one).toString('latin1')).not.toContain('gho_')
    }
    // Of random bytes each bit is set in about half of them.
    const ones = all.reduce(
      (sum, one) => sum + bytesOf(one).reduce((bits, byte) => bits + popcount(byte), 0),
      0,
    )
    expect(ones / (1000 * bytesOf(all[0] ?? '').length * 8)).toBeCloseTo(0.5, 1)
  })

  it('ST-03 moved to another kind, row or field they do not open', () => {
    fc.assert(
      fc.property(plain, place, place, (text, here, there) => {
        fc.pre(here !== there)
        expect(open(RING, seal(RING, text, here), there)).toBeUndefined()
      }),
    )
    const near: Place[] = ['connection/b/refresh_token', 'connection/a/access_token']
    near.push('grant/a/refresh_token', 'connection/a/refresh_token ', 'Connection/a/refresh_token')
    const sealed = seal(RING, 'x', PLACE)
    for (const other of near) expect(open(RING, sealed, other)).toBeUndefined()
  })

  it('ST-03 what one key sealed opens under no other key', () => {
    const other = createKeyring([generateKey()])
    const sealed = seal(RING, 'x', PLACE)
    expect(open(other, sealed, PLACE)).toBeUndefined()
    const renamed = sealed.replace(RING.newest.kid, other.newest.kid) as Sealed
    expect(open(other, renamed, PLACE)).toBeUndefined()
  })

  it('ST-04 with one bit of any byte flipped they do not open', () => {
    fc.assert(
      fc.property(plain, fc.nat(), fc.nat(7), (text, at, bit) => {
        const sealed = seal(RING, text, PLACE)
        const bytes = bytesOf(sealed)
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
        expect(open(RING, withBytes(sealed, bytes), PLACE)).toBeUndefined()
      }),
    )
  })

  it('ST-04 with any character changed, left out, put in or cut off they do not open', () => {
    for (const text of ['', 'a', 'ab', 'abc']) {
      const sealed = seal(RING, text, PLACE)
      for (let index = 0; index < sealed.length; index += 1) {
        const [before, after] = [sealed.slice(0, index), sealed.slice(index + 1)]
        const changed = [...`${ALPHABET}.+/= \0é`].map((character) => before + character + after)
        const inserted = ['.', '=', ' ', 'A', '\n', '+'].map(
          (c) => before + c + sealed.slice(index),
        )
        for (const wrong of [...changed, ...inserted, before, after, before + after]) {
          if (wrong !== sealed) expect(open(RING, wrong as Sealed, PLACE), wrong).toBeUndefined()
        }
      }
      for (const more of ['A', '=', '==', '.', '.A', '\n', ' ', 'AAAA']) {
        expect(open(RING, (sealed + more) as Sealed, PLACE), more).toBeUndefined()
      }
    }
  })

  it('ST-04 empty, another version, an unknown key id, too short: undefined and no error', () => {
    const sealed = seal(RING, 'x', PLACE)
    const body = sealed.split('.')[2] ?? ''
    const wrong = ['', '.', '..', '...', 's1', 's1.', 's1..', `s1..${body}`, `s1.__proto__.${body}`]
    wrong.push(
      sealed.replace('s1.', 's2.'),
      sealed.replace('s1.', 'S1.'),
      sealed.replace('s1.', '.'),
    )
    wrong.push(`s1.zzzzzz.${body}`, `s1.${RING.newest.kid}.`, 'null', '[object Object]')
    for (let length = 0; length <= 28; length += 1) {
      wrong.push(
        withBytes(sealed, Buffer.alloc(length)),
        withBytes(sealed, bytesOf(sealed).subarray(0, length)),
      )
    }
    for (const text of wrong) {
      expect(open(RING, text as Sealed, PLACE), text).toBeUndefined()
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (noise) => {
        expect(open(RING, noise as Sealed, PLACE)).toBeUndefined()
        expect(open(RING, `s1.${RING.newest.kid}.${noise}` as Sealed, PLACE)).toBeUndefined()
      }),
    )
  })

  it('NIST SP 800-38D §5.2.1.2 a shorter tag is no tag', () => {
    const nonce = Buffer.alloc(12)
    const cipher = createCipheriv('aes-256-gcm', keyObject(RING.newest, 'seal'), nonce)
    cipher.setAAD(Buffer.from(PLACE))
    const text = Buffer.concat([cipher.update('some text here'), cipher.final()])
    const tag = cipher.getAuthTag()
    const sealedWith = (length: number): Sealed =>
      withBytes(`s1.${RING.newest.kid}.`, Buffer.concat([nonce, text, tag.subarray(0, length)]))
    expect(open(RING, sealedWith(16), PLACE)).toBe('some text here')
    for (let length = 0; length < 16; length += 1) {
      expect(open(RING, sealedWith(length), PLACE)).toBeUndefined()
    }
  })

  it('ST-06 the newest key seals, the older ones still open, and a key that is gone opens nothing', () => {
    const newer = generateKey()
    const both = createKeyring([newer, KEY])
    const old = seal(RING, 'old', PLACE)
    const fresh = seal(both, 'fresh', PLACE)
    expect(open(both, old, PLACE)).toBe('old')
    expect(open(both, fresh, PLACE)).toBe('fresh')
    expect(open(RING, fresh, PLACE)).toBeUndefined()
    expect(open(createKeyring([newer]), old, PLACE)).toBeUndefined()
  })
})

function popcount(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length
}

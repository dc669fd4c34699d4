import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import {
  makeToken,
  MAX_TOKEN_LENGTH,
  readToken,
  tokenKind,
  type TokenKind,
} from '../../src/crypto/token.ts'

const RING = createKeyring([generateKey()])
const KINDS: readonly TokenKind[] = ['access_token', 'refresh_token', 'code', 'registration']
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const kind = fc.constantFrom(...KINDS)
const claims = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean()), {
  maxLength: 8,
})

describe('tokens', () => {
  it('give back their claims, under their kind only', () => {
    fc.assert(
      fc.property(kind, claims, (made, given) => {
        const token = makeToken(RING, made, given)
        for (const read of KINDS) {
          expect(readToken(RING, read, token)).toEqual(read === made ? given : undefined)
        }
        expect(tokenKind(token)).toBe(made)
        expect(token).toMatch(/^mcp_(at|rt|ac|rg)_[\w-]{6}\.[\w-]+\.[\w-]{43}$/)
      }),
    )
  })

  it('RF-08 a token dressed as another kind is none', () => {
    const prefixes = ['mcp_at_', 'mcp_rt_', 'mcp_ac_', 'mcp_rg_']
    for (const made of KINDS) {
      const token = makeToken(RING, made, ['grant', 1])
      for (const prefix of prefixes) {
        const dressed = prefix + token.slice(7)
        if (dressed === token) continue
        for (const read of KINDS) expect(readToken(RING, read, dressed)).toBeUndefined()
      }
    }
  })

  it('GD-07 with any character changed a token is none: first, middle, last, each', () => {
    const token = makeToken(RING, 'access_token', ['g', 'ä', 5])
    for (let index = 0; index < token.length; index += 1) {
      for (const character of [...ALPHABET, '.', '=', '+', '/', ' ', '\0', 'é', '％']) {
        const changed = token.slice(0, index) + character + token.slice(index + 1)
        if (changed === token) continue
        expect(readToken(RING, 'access_token', changed), changed).toBeUndefined()
      }
    }
  })

  it('GD-07 extended, cut, reversed, in another case or spelling a token is none', () => {
    const token = makeToken(RING, 'access_token', ['g', 'secret', 5])
    const [head = '', body = '', mac = ''] = token.split('.')
    const wrong = ['A', '=', '.', '.A', '\0', '%00', ' ', '\n', token].map((more) => token + more)
    wrong.push(...['A', ' ', '\ufeff', '.', 'Bearer '].map((more) => more + token))
    wrong.push(...Array.from({ length: token.length }, (_, length) => token.slice(0, length)))
    wrong.push(...Array.from({ length: token.length - 1 }, (_, start) => token.slice(start + 1)))
    wrong.push([...token].reverse().join(''), token.toUpperCase(), token.toLowerCase())
    wrong.push(`${head}.${mac}.${body}`, `${head}..${body}.${mac}`, `${head}.${body}..${mac}`)
    wrong.push(
      `${head}.${body}.`,
      `${head}.${body}`,
      `${head}..`,
      `mcp_at_..`,
      `mcp_at_.${body}.${mac}`,
    )
    wrong.push(`${head}.${body}.${body}.${mac}`, encodeURIComponent(token).replaceAll('.', '%2E'))
    wrong.push(`${head}.${body}.${Buffer.from(mac, 'base64url').toString('hex')}`)
    for (const text of wrong) {
      expect(readToken(RING, 'access_token', text), text).toBeUndefined()
    }
    expect(readToken(RING, 'access_token', token)).toEqual(['g', 'secret', 5])
  })

  it('GD-07 the spare bits of the last character are no second spelling', () => {
    const token = makeToken(RING, 'code', ['g'])
    const mac = Buffer.from(token.slice(-43), 'base64url')
    const same = [...ALPHABET]
      .map((last) => token.slice(0, -1) + last)
      .filter((text) => Buffer.from(text.slice(-43), 'base64url').equals(mac))
    expect(same).toHaveLength(4)
    expect(same.filter((text) => readToken(RING, 'code', text) !== undefined)).toEqual([token])
  })

  it('GD-07 claims cannot be exchanged between two tokens', () => {
    fc.assert(
      fc.property(claims, claims, (ours, theirs) => {
        const [a, b] = [
          makeToken(RING, 'access_token', ours),
          makeToken(RING, 'access_token', theirs),
        ]
        fc.pre(a !== b)
        const [head, , mac] = a.split('.')
        expect(readToken(RING, 'access_token', `${head}.${b.split('.')[1]}.${mac}`)).toBeUndefined()
      }),
    )
  })

  it('a token of a key that is not in the ring is none, of an older key it is', () => {
    const [older, newer] = [generateKey(), generateKey()]
    const token = makeToken(createKeyring([older]), 'refresh_token', ['g'])
    expect(readToken(createKeyring([newer, older]), 'refresh_token', token)).toEqual(['g'])
    const other = createKeyring([newer])
    expect(readToken(other, 'refresh_token', token)).toBeUndefined()
    const renamed = token.replace(/_rt_[\w-]{6}/, `_rt_${other.newest.kid}`)
    expect(readToken(other, 'refresh_token', renamed)).toBeUndefined()
  })

  it('whatever text comes, it is no token and no error', () => {
    const noise = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.string())
    const start = fc.constantFrom('', 'mcp_at_', `mcp_at_${RING.newest.kid}.`, 'mcp_at_x.')
    fc.assert(
      fc.property(start, noise, fc.constantFrom('', '.', '..', '.a.b'), (before, text, after) => {
        expect(readToken(RING, 'access_token', before + text + after)).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
    expect(tokenKind('mcp_xx_a')).toBeUndefined()
    expect(tokenKind('')).toBeUndefined()
  })

  it('none is made that would be too long to be read, and none that is longer is looked at', () => {
    const longest = makeToken(RING, 'code', ['x'.repeat(1400)])
    expect(readToken(RING, 'code', longest)).toBeDefined()
    expect(() => makeToken(RING, 'code', ['x'.repeat(MAX_TOKEN_LENGTH)])).toThrow(RangeError)
    expect(readToken(RING, 'code', `mcp_ac_${'.'.repeat(10_000_000)}`)).toBeUndefined()
  })
})

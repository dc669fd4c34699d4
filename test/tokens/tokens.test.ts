/** Codes, access tokens and refresh tokens: what is read is what was made, and nothing else is read. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyring, generateKey, type Keyring } from '../../src/crypto/keyring.ts'
import { makeToken } from '../../src/crypto/token.ts'
import { makeAccessToken, readAccessToken } from '../../src/server/tokens/access_token.ts'
import { makeCode, readCode } from '../../src/server/tokens/code.ts'
import { makeRefreshToken, readRefreshToken } from '../../src/server/tokens/refresh_token.ts'

const keys = createKeyring([generateKey()])
const others = createKeyring([generateKey()])
const CLAIMS = { grantId: 'grant-1', exp: 2000, resource: 'https://h.example/mcp', scope: 'a b' }

const made = {
  access: makeAccessToken(keys, CLAIMS),
  refresh: makeRefreshToken(keys, 'grant-1', 1, 'j'),
  code: makeCode(keys, 'grant-1'),
}

function readAny(ring: Keyring, token: string): readonly unknown[] {
  return [readAccessToken(ring, token), readRefreshToken(ring, token), readCode(ring, token)]
}

describe('tokens', () => {
  it('an access token says what it was made of, and has an id of its own', () => {
    const claims = readAccessToken(keys, made.access)
    expect(claims).toEqual({ ...CLAIMS, jti: claims?.jti })
    expect(claims?.jti.length).toBe(22)
    expect(makeAccessToken(keys, CLAIMS)).not.toBe(made.access)
    expect(makeAccessToken(keys, { ...CLAIMS, jti: claims?.jti ?? '' })).toBe(made.access)
  })

  it('any claims come back', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.nat(),
        fc.webUrl(),
        fc.string({ maxLength: 40 }),
        (grantId, exp, resource, scope) => {
          const token = makeAccessToken(keys, { grantId, exp, resource, scope, jti: 'j' })
          expect(readAccessToken(keys, token)).toEqual({ grantId, exp, resource, scope, jti: 'j' })
        },
      ),
    )
  })

  it('a refresh token and a code say whose they are, and each has a MAC of its own', () => {
    const token = makeRefreshToken(keys, 'grant-1', 7, 'x')
    expect(readRefreshToken(keys, token)).toEqual({ grantId: 'grant-1', generation: 7, jti: 'x' })
    expect(makeRefreshToken(keys, 'grant-1', 7, 'x')).toBe(token)
    for (const other of [
      makeRefreshToken(keys, 'grant-1', 7, 'y'),
      makeRefreshToken(keys, 'grant-1', 8, 'x'),
      makeRefreshToken(keys, 'grant-2', 7, 'x'),
      makeRefreshToken(createKeyring([generateKey()]), 'grant-1', 7, 'x'),
    ]) {
      expect(other.split('.')[2]).not.toBe(token.split('.')[2])
    }
    const code = makeCode(keys, 'grant-1')
    expect(readCode(keys, code)).toBe('grant-1')
    for (const other of [makeCode(keys, 'grant-2'), makeCode(others, 'grant-1')]) {
      expect(other.split('.')[2]).not.toBe(code.split('.')[2])
    }
  })

  it('RF-08 GD-06 none passes for another', () => {
    expect(readAny(keys, made.access).map((one) => one !== undefined)).toEqual([true, false, false])
    expect(readAny(keys, made.refresh).map((one) => one !== undefined)).toEqual([
      false,
      true,
      false,
    ])
    expect(readAny(keys, made.code).map((one) => one !== undefined)).toEqual([false, false, true])
  })

  it('RF-08 GD-06 not even behind the prefix of another', () => {
    for (const from of Object.values(made)) {
      for (const prefix of ['mcp_at_', 'mcp_rt_', 'mcp_ac_', 'mcp_rg_']) {
        const bent = prefix + from.slice(7)
        if (bent === from) continue
        expect(readAny(keys, bent)).toEqual([undefined, undefined, undefined])
      }
    }
  })

  it('GD-07 one changed, added or missing character makes it nothing', () => {
    const chars = fc.constantFrom(
      ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0é',
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(made)),
        fc.nat(),
        fc.nat(1),
        fc.oneof(chars, fc.constant('')),
        (token, where, cut, put) => {
          const at = where % (token.length + 1)
          const bent = token.slice(0, at) + put + token.slice(at + cut)
          fc.pre(bent !== token)
          expect(readAny(keys, bent)).toEqual([undefined, undefined, undefined])
        },
      ),
      { numRuns: 5000 },
    )
  })

  it('GD-07 GD-38 another key, another server, or no key at all reads nothing', () => {
    for (const token of Object.values(made)) {
      expect(readAny(others, token)).toEqual([undefined, undefined, undefined])
    }
  })

  it('any text at all is read as nothing, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        for (const prefix of ['', 'mcp_at_', `mcp_at_${keys.newest.kid}.`, 'mcp_rt_', 'mcp_ac_']) {
          expect(readAny(keys, prefix + text)).toEqual([undefined, undefined, undefined])
        }
      }),
    )
  })

  it('GD-25 authentic claims of another shape are nothing either', () => {
    const shapes: readonly (readonly unknown[])[] = [
      [],
      ['g', 'j', '2000', 'r', 's'],
      ['g', 'j', null, 'r', 's'],
      ['g', 'j', undefined, 'r', 's'],
      [1, 'j', 2000, 'r', 's'],
      ['g', 'j', 2000, 'r'],
      ['g', 'j', 2000, 'r', null],
      ['g', { length: 1 }, 2000, 'r', 's'],
    ]
    for (const shape of shapes) {
      expect(readAccessToken(keys, makeToken(keys, 'access_token', shape))).toBeUndefined()
    }
    expect(
      readRefreshToken(keys, makeToken(keys, 'refresh_token', ['g', '1', 's'])),
    ).toBeUndefined()
    expect(readRefreshToken(keys, makeToken(keys, 'refresh_token', [1, 1, 's']))).toBeUndefined()
    expect(readCode(keys, makeToken(keys, 'code', []))).toBeUndefined()
  })
})

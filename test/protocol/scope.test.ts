/** Scopes: their grammar, their wire form, and what covers what. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/protocol/errors.ts'
import {
  coversScope,
  expandScope,
  formatScope,
  isScopeToken,
  parseScope,
  trimScope,
} from '../../src/protocol/scope.ts'

// RFC 6749 appendix A.4, written out: every printable ASCII character but blank, quote and backslash.
const ALLOWED = Array.from({ length: 0x7e - 0x21 + 1 }, (_, at) =>
  String.fromCharCode(0x21 + at),
).filter((char) => char !== '"' && char !== '\\')
const tokens = fc.string({ unit: fc.constantFrom(...ALLOWED), minLength: 1, maxLength: 12 })
const scopes = fc.uniqueArray(tokens, { maxLength: 12 })

function refusal(text: string): string | undefined {
  try {
    parseScope(text)
    return undefined
  } catch (error) {
    return error instanceof OAuthError ? error.code : 'another error'
  }
}

describe('RFC 6749 §3.3 scope', () => {
  it('appendix A.4 a token is made of these characters and of no others', () => {
    for (let code = 0; code < 0x250; code += 1) {
      const char = String.fromCharCode(code)
      expect(isScopeToken(char), `character ${code}`).toBe(ALLOWED.includes(char))
      expect(isScopeToken(`a${char}`), `character ${code}`).toBe(ALLOWED.includes(char))
    }
    expect(isScopeToken('')).toBe(false)
  })

  it('what is written is read again', () => {
    fc.assert(
      fc.property(scopes, (scope) => {
        expect(parseScope(formatScope(scope))).toEqual(scope)
      }),
    )
  })

  it('repetition and blanks change nothing, order is kept', () => {
    fc.assert(
      fc.property(scopes, fc.array(fc.constantFrom('', ' ', '  ')), (scope, blanks) => {
        const text = [...scope, ...scope].map((token, at) => token + (blanks[at] ?? '')).join(' ')
        expect(parseScope(text)).toEqual(scope)
      }),
    )
  })

  it('an absent scope stays absent, and one of blanks has no member', () => {
    expect(parseScope(undefined)).toBeUndefined()
    expect(parseScope('')).toEqual([])
    expect(parseScope('   ')).toEqual([])
  })

  it('names of Object.prototype are scopes like others', () => {
    expect(parseScope('__proto__ constructor toString')).toEqual([
      '__proto__',
      'constructor',
      'toString',
    ])
    expect(coversScope([], ['constructor'], new Map())).toBe(false)
    expect(coversScope(['a'], ['toString'], new Map([['a', ['b']]]))).toBe(false)
  })

  it.each([
    ['a quote', 'a"b'],
    ['a backslash', 'a\\b'],
    ['a newline', 'a\nb'],
    ['a tab', 'a\tb'],
    ['NUL', 'a\0b'],
    ['é', 'é'],
    ['a no-break blank', 'a\u00a0b'],
    ['half a surrogate pair', '\ud800'],
    ['20,000 characters', 'a'.repeat(20_000)],
    ['3,000 values', Array.from({ length: 3000 }, (_, at) => at).join(' ')],
    ['201 values', Array.from({ length: 201 }, (_, at) => at).join(' ')],
    ['3,000 times the same', 'a '.repeat(2000)],
  ])('AZ-29 what the grammar does not allow is invalid_scope: %s', (_what, text) => {
    expect(refusal(text)).toBe('invalid_scope')
  })

  it('AZ-29 any text is read or refused, and never anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect([undefined, 'invalid_scope']).toContain(refusal(text))
      }),
    )
  })

  it('AZ-28 what is unknown is trimmed, in the order asked', () => {
    fc.assert(
      fc.property(scopes, scopes, (asked, allowed) => {
        const trimmed = trimScope(asked, allowed)
        expect(trimmed).toEqual(asked.filter((token) => new Set(allowed).has(token)))
      }),
    )
  })
})

describe('RFC 6750 §3.1 what a granted scope covers', () => {
  const hierarchy = new Map([
    ['admin', ['write', 'read']],
    ['write', ['read']],
  ])

  it('a broader scope covers the narrower, and never the other way about', () => {
    expect(coversScope(['admin'], ['read', 'write', 'admin'], hierarchy)).toBe(true)
    expect(coversScope(['write'], ['read'], hierarchy)).toBe(true)
    expect(coversScope(['read'], ['write'], hierarchy)).toBe(false)
    expect(coversScope(['write'], ['admin'], hierarchy)).toBe(false)
    expect(coversScope([], [], hierarchy)).toBe(true)
    expect(coversScope([], ['read'], hierarchy)).toBe(false)
  })

  it('capitals and parts of a name cover nothing', () => {
    expect(coversScope(['READ', 'rea', 'read:all', ' read'], ['read'], hierarchy)).toBe(false)
  })

  it('without a hierarchy, covering is being a subset', () => {
    fc.assert(
      fc.property(scopes, scopes, (granted, needed) => {
        expect(coversScope(granted, needed, new Map())).toBe(
          needed.every((token) => granted.indexOf(token) >= 0),
        )
      }),
    )
  })

  it('more granted never covers less, and what is covered is granted or implied', () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const some = fc.uniqueArray(fc.constantFrom(...names))
    const maps = fc
      .dictionary(fc.constantFrom(...names), some)
      .map((one) => new Map(Object.entries(one)))
    fc.assert(
      fc.property(some, some, some, maps, (granted, more, needed, implied) => {
        const covers = coversScope(granted, needed, implied)
        const reach = new Set([...granted, ...granted.flatMap((token) => implied.get(token) ?? [])])
        expect(covers).toBe(needed.every((token) => reach.has(token)))
        if (covers) expect(coversScope([...granted, ...more], needed, implied)).toBe(true)
        expect(new Set(expandScope(granted, implied))).toEqual(reach)
        expect(expandScope(granted, implied).length).toBe(reach.size)
      }),
    )
  })
})

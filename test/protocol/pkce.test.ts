/** Proof Key for Code Exchange, S256 only. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/protocol/errors.ts'
import { checkCodeChallenge, verifiesChallenge } from '../../src/protocol/pkce.ts'

// RFC 7636 appendix B.
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const UNRESERVED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'
const verifiers = fc.string({
  unit: fc.constantFrom(...UNRESERVED),
  minLength: 43,
  maxLength: 128,
})

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

function refusal(challenge: string | undefined, method: string | undefined): string | undefined {
  try {
    checkCodeChallenge(challenge, method)
    return undefined
  } catch (error) {
    return error instanceof OAuthError ? error.code : 'another error'
  }
}

describe('RFC 7636 PKCE', () => {
  it('appendix B: the example holds', () => {
    expect(checkCodeChallenge(CHALLENGE, 'S256')).toBe(CHALLENGE)
    expect(verifiesChallenge(VERIFIER, CHALLENGE)).toBe(true)
  })

  it('§4.6 every verifier holds for its own challenge, and for no other', () => {
    fc.assert(
      fc.property(verifiers, verifiers, (mine, other) => {
        expect(verifiesChallenge(mine, checkCodeChallenge(challengeOf(mine), 'S256'))).toBe(true)
        expect(verifiesChallenge(other, challengeOf(mine))).toBe(other === mine)
      }),
    )
  })

  it('TK-04 one changed character is refused', () => {
    fc.assert(
      fc.property(verifiers, fc.nat(), fc.constantFrom(...UNRESERVED), (verifier, at, put) => {
        const index = at % verifier.length
        const changed = verifier.slice(0, index) + put + verifier.slice(index + 1)
        fc.pre(changed !== verifier)
        expect(verifiesChallenge(changed, challengeOf(verifier))).toBe(false)
      }),
    )
  })

  it('TK-06 the challenge itself is no verifier', () => {
    expect(verifiesChallenge(CHALLENGE, CHALLENGE)).toBe(false)
  })

  it.each([
    ['empty', ''],
    ['5 characters', 'abcde'],
    ['42 characters', 'a'.repeat(42)],
    ['129 characters', 'a'.repeat(129)],
    ['100,000 characters', 'a'.repeat(100_000)],
    ['é', `${'a'.repeat(42)}é`],
    ['NUL', `${'a'.repeat(42)}\0`],
    ['a plus', `${'a'.repeat(42)}+`],
    ['a newline at the end', `${'a'.repeat(43)}\n`],
    ['a blank', ` ${'a'.repeat(43)}`],
  ])(
    'TK-07 §4.1 a malformed verifier is refused, even for its own digest: %s',
    (_what, verifier) => {
      expect(verifiesChallenge(verifier, challengeOf(verifier))).toBe(false)
    },
  )

  it('AZ-19 OAuth 2.1 §4.1.1 a missing challenge is invalid_request', () => {
    expect(refusal(undefined, 'S256')).toBe('invalid_request')
    expect(refusal(undefined, undefined)).toBe('invalid_request')
  })

  it.each([undefined, '', 'plain', 'S512', 's256', 'none', 'S256 ', '__proto__'])(
    'AZ-20 §4.3 any method but S256 is invalid_request: %s',
    (method) => expect(refusal(CHALLENGE, method)).toBe('invalid_request'),
  )

  it.each([
    ['5 characters', 'abcde'],
    ['42 characters', CHALLENGE.slice(1)],
    ['44 characters', `${CHALLENGE}a`],
    ['129 characters', 'a'.repeat(129)],
    ['padding', `${CHALLENGE.slice(1)}=`],
    ['padding beyond', `${CHALLENGE}=`],
    ['!', `${CHALLENGE.slice(1)}!`],
    ['a plus', `${CHALLENGE.slice(1)}+`],
    ['a tilde', `${CHALLENGE.slice(1)}~`],
    ['é', `${CHALLENGE.slice(1)}é`],
    ['a newline', `${CHALLENGE}\n`],
    ['nothing', ''],
  ])('AZ-21 §4.2 a malformed challenge is invalid_request: %s', (_what, challenge) => {
    expect(refusal(challenge, 'S256')).toBe('invalid_request')
  })
})

import { describe, expect, it } from 'vitest'
import { MAX_TOKEN_LENGTH } from '../../src/crypto/token.ts'
import { createKnownTokens, type KnownToken } from '../../src/server/tokens/known_tokens.ts'

const END = 'e'.repeat(40)

function known(token: string): KnownToken {
  const resource = 'https://h.example/mcp'
  const url = new URL(resource)
  return { token, grantId: token, jti: 'j', exp: 1, resource, url, href: url.href, scopes: [] }
}

function numbered(at: number): KnownToken {
  return known(`mcp_at_k.claims.${END}${String(at).padStart(3, '0')}`)
}

describe('the tokens that are known', () => {
  it('are found by their whole text, and by nothing that only ends like it', () => {
    const tokens = createKnownTokens()
    const one = numbered(1)
    tokens.keep(one)
    expect(tokens.find(one.token)).toBe(one)
    for (const other of [
      one.token.slice(-43),
      one.token.slice(1),
      ` ${one.token}`,
      one.token.replace('claims', 'Claims'),
      one.token.padStart(MAX_TOKEN_LENGTH + 1, 'a'),
      '',
    ]) {
      expect(tokens.find(other), other).toBeUndefined()
    }
  })

  it('are bounded: the oldest goes first, however often it was asked for', () => {
    const tokens = createKnownTokens(3)
    for (let at = 0; at < 10; at += 1) {
      tokens.keep(numbered(at))
      tokens.find(numbered(0).token)
      const held = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter(
        (each) => tokens.find(numbered(each).token) !== undefined,
      )
      expect(held).toEqual([at - 2, at - 1, at].filter((each) => each >= 0))
    }
  })

  it('stay bounded where some are forgotten and kept again', () => {
    const tokens = createKnownTokens(3)
    for (let at = 0; at < 100; at += 1) {
      const one = numbered(at % 5)
      if (at % 3 === 0) tokens.forget(one.token)
      if (tokens.find(one.token) === undefined) tokens.keep(one)
      const held = [0, 1, 2, 3, 4].filter((each) => tokens.find(numbered(each).token) !== undefined)
      expect(held.length).toBeLessThanOrEqual(3)
      expect(held).toContain(at % 5)
    }
  })
})

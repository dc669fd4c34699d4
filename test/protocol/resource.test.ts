/** Resource indicators and their one canonical spelling. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/protocol/errors.ts'
import { canonicalResource, matchResource } from '../../src/protocol/resource.ts'

const ONE = ['https://mcp.example.com/mcp']
const TWO = ['https://mcp.example.com/a/mcp', 'https://mcp.example.com/b/mcp']

function answer(asked: readonly string[], resources: readonly string[]): string | undefined {
  try {
    return matchResource(asked, resources)
  } catch (error) {
    return error instanceof OAuthError ? error.code : 'another error'
  }
}

describe('RFC 8707 §2 the spelling of a resource', () => {
  it.each([
    ['https://h.example/mcp', 'https://h.example/mcp'],
    ['https://H.EXAMPLE/mcp', 'https://h.example/mcp'],
    ['HTTPS://h.example/mcp', 'https://h.example/mcp'],
    ['https://h.example:443/mcp', 'https://h.example/mcp'],
    ['https://h.example:8443/mcp', 'https://h.example:8443/mcp'],
    ['http://localhost:80/mcp', 'http://localhost/mcp'],
    ['http://localhost:8787/mcp', 'http://localhost:8787/mcp'],
    ['https://h.example', 'https://h.example'],
    ['https://h.example/', 'https://h.example'],
    ['https://h.example/mcp/', 'https://h.example/mcp/'],
    ['https://h.example/MCP', 'https://h.example/MCP'],
    ['https://h.example/%6dcp', 'https://h.example/%6dcp'],
    ['https://h.example/@user/repo/mcp', 'https://h.example/@user/repo/mcp'],
    ['https://h.example/mcp?tenant=1', 'https://h.example/mcp?tenant=1'],
    ['https://h.example?tenant=1', 'https://h.example/?tenant=1'],
    ['https://[2001:db8::1]/mcp', 'https://[2001:db8::1]/mcp'],
    ['http://127.0.0.1:3000/mcp', 'http://127.0.0.1:3000/mcp'],
  ])('AZ-51 %s is %s', (text, canonical) => {
    expect(canonicalResource(text)).toBe(canonical)
  })

  it.each([
    '',
    'mcp',
    '/mcp',
    '//h.example/mcp',
    'h.example/mcp',
    'https:',
    'https://',
    'https:///mcp',
    'https:/h.example/mcp',
    'https:h.example/mcp',
    'https://h.example/mcp#x',
    'https://h.example/mcp#',
    'https://h.example#',
    'https://h.example?',
    'https://h.example/?',
    'https://h.example/mcp?',
    'https://user@h.example/mcp',
    'https://user:pass@h.example/mcp',
    'https://@h.example/mcp',
    'https://h.example\\mcp',
    'https://h.example/m cp',
    ' https://h.example/mcp',
    'https://h.example/mcp ',
    'https://h.example/mcp\n',
    'https://h.exa\tmple/mcp',
    'https://h.example/mcp\0',
    'https://h.example/mcp%',
    'https://h.example/mcp%zz',
    'https://h.example:99999/mcp',
    'https://h.example:-1/mcp',
    'https://h.example:/mcp',
    'https://h%2eexample/mcp',
    'https://ｈ.example/mcp',
    'https://hé.example/mcp',
    'https://127.1/mcp',
    'https://0x7f.0.0.1/mcp',
    'https://[0:0::1]/mcp',
    'https://[::1/mcp',
    'https://h.example/a/../mcp',
    'https://h.example/./mcp',
    'https://h.example/%2e%2e/mcp',
    'https://h.example/"mcp"',
    'https://h.example/{mcp}',
    'javascript:alert(1)',
    'urn:mcp',
    'ws://h.example/mcp',
    'ftp://h.example/mcp',
    `https://h.example/${'a'.repeat(60_000)}`,
  ])('AZ-26 this names no resource: %j', (text) => {
    expect(canonicalResource(text)).toBeUndefined()
    expect(answer([text], ONE)).toBe('invalid_target')
  })

  it('a canonical spelling is its own, and any text has one or none', () => {
    const parts = fc.constantFrom(
      ...[
        'https://',
        'http://',
        'HTTPS://',
        'h.example',
        'H',
        '[::1]',
        ':443',
        ':80',
        ':',
        '/',
        '/mcp',
      ],
      ...['?', '?a=1', '#', '@', '%41', '%', '..', '.', '\\', ' ', 'é', '127.1', "'", '~'],
    )
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 7 }), (list) => {
        const canonical = canonicalResource(list.join(''))
        if (canonical === undefined) return
        expect(canonicalResource(canonical)).toBe(canonical)
        const url = new URL(canonical)
        expect([url.hash, url.username, url.password]).toEqual(['', '', ''])
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('RFC 8707 §2.2 which resource is asked for', () => {
  it('none, where the parameter is absent', () => {
    expect(answer([], ONE)).toBeUndefined()
  })

  it('AZ-51 every safe spelling of the resource gives the canonical one', () => {
    for (const text of ['https://mcp.example.com/mcp', 'https://MCP.example.com:443/mcp'])
      expect(answer([text], ONE)).toBe(ONE[0])
    for (const text of ['https://mcp.example.com/mcp/', 'https://mcp.example.com/%6dcp'])
      expect(answer([text], ONE)).toBe('invalid_target')
  })

  it('the bare origin, with or without its slash, is the one resource there', () => {
    expect(answer(['https://mcp.example.com'], ONE)).toBe(ONE[0])
    expect(answer(['https://mcp.example.com/'], ONE)).toBe(ONE[0])
    expect(answer(['https://mcp.example.com'], ['https://mcp.example.com'])).toBe(
      'https://mcp.example.com',
    )
  })

  it('with two resources there the bare origin is neither', () => {
    expect(answer(['https://mcp.example.com'], TWO)).toBe('invalid_target')
  })

  it('AZ-25 a foreign resource is invalid_target', () => {
    for (const text of [
      'https://evil.example/mcp',
      'https://mcp.example.com.evil.example/mcp',
      'https://mcp.example.com:8443/mcp',
      'http://mcp.example.com/mcp',
      'https://mcp.example.com/mcp/admin',
      'https://mcp.example.com/mc',
      'https://mcp.example.com./mcp',
    ])
      expect(answer([text], ONE), text).toBe('invalid_target')
  })

  it('AZ-27 TK-34 two resources are invalid_target, the same one twice is one', () => {
    expect(answer(TWO, TWO)).toBe('invalid_target')
    expect(answer([ONE[0] ?? '', 'https://evil.example/mcp'], ONE)).toBe('invalid_target')
    expect(answer([ONE[0] ?? '', 'https://MCP.example.com/mcp'], ONE)).toBe(ONE[0])
  })
})

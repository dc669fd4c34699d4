import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OAuthErrorCode } from '../../src/protocol/errors.ts'
import { bearerChallenge } from '../../src/protocol/www_authenticate.ts'

/** RFC 9110 §11.6.1 read by its grammar, with quoted-pairs: every challenge with its parameters. */
function parse(value: string): { scheme: string; params: [string, string][] }[] {
  const challenges: { scheme: string; params: [string, string][] }[] = []
  let rest = value
  function take(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(rest)
    if (match === null) return undefined
    rest = rest.slice(match[0].length)
    return match
  }
  while (rest !== '') {
    const param = take(/^([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/)
    if (param === undefined) {
      const scheme = take(/^([\w!#$%&'*+.^`|~-]+)(?: +|$)/)?.[1]
      if (scheme === undefined) throw new Error(`no challenge: ${rest}`)
      challenges.push({ scheme, params: [] })
      continue
    }
    const text = param[2]?.replace(/\\(.)/g, '$1') ?? param[3] ?? ''
    challenges.at(-1)?.params.push([param[1] ?? '', text])
    if (rest !== '' && take(/^[ \t]*,[ \t]*/) === undefined) throw new Error(`no comma: ${rest}`)
  }
  return challenges
}

const fit = (text: string) => /^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/.test(text)
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', ',', '=', '\r', '\n', ' ', 'a', '\0', '\u2028') }),
  fc.constantFrom(
    'x"\r\nSet-Cookie: a=b',
    'a", error="invalid_token',
    '\\',
    'a\\"',
    'Basic realm="x"',
  ),
)
const challenge = fc.record(
  {
    error: anyText as fc.Arbitrary<OAuthErrorCode>,
    error_description: anyText,
    scope: fc.array(anyText, { maxLength: 4 }),
    resource_metadata: anyText,
  },
  { requiredKeys: [] },
)

describe('RFC 6750 §3 the Bearer challenge', () => {
  it('§3 is the scheme alone when nothing is said', () => {
    expect(bearerChallenge({})).toBe('Bearer')
    expect(bearerChallenge({ scope: [], error_description: '' })).toBe('Bearer')
  })

  it('§3 quotes every value, in the form that simple readers find too', () => {
    const value = bearerChallenge({
      error: 'insufficient_scope',
      error_description: 'write is needed',
      scope: ['notes:read', 'notes:write'],
      resource_metadata: 'https://mcp.test/.well-known/oauth-protected-resource/mcp',
    })
    expect(value).toBe(
      'Bearer error="insufficient_scope", scope="notes:read notes:write", ' +
        'resource_metadata="https://mcp.test/.well-known/oauth-protected-resource/mcp", ' +
        'error_description="write is needed"',
    )
    expect(/resource_metadata="([^"]*)"/.exec(value)?.[1]).toContain('/mcp')
  })

  it('§3 whatever the values are, a parser finds one Bearer challenge with just these parameters', () => {
    fc.assert(
      fc.property(challenge, (params) => {
        const value = bearerChallenge(params)
        expect(value).toMatch(/^[\x20-\x7E]*$/)
        expect(value).not.toContain('\\')
        const [read, ...more] = parse(value)
        expect(more).toEqual([])
        expect(read?.scheme).toBe('Bearer')
        const names = read?.params.map(([name]) => name) ?? []
        expect(new Set(names).size).toBe(names.length)
        for (const name of names) expect(params).toHaveProperty(name)
      }),
      { numRuns: 2000 },
    )
  })

  it('§3 a parser reads back what was said, where it can be said', () => {
    fc.assert(
      fc.property(challenge, (params) => {
        const read = new Map(parse(bearerChallenge(params))[0]?.params)
        for (const name of ['error', 'error_description', 'resource_metadata'] as const) {
          const said = params[name]
          if (said !== undefined && fit(said)) expect(read.get(name) ?? '').toBe(said)
        }
        const scope = (params.scope ?? []).filter((token) => /^[!#-[\]-~]+$/.test(token))
        expect(read.get('scope') ?? '').toBe(scope.join(' '))
      }),
      { numRuns: 2000 },
    )
  })

  it('§3 a value that is not ASCII is replaced, not dropped in silence', () => {
    expect(bearerChallenge({ error_description: 'né "x" \u{1F600}' })).toBe(
      'Bearer error_description="n? ?x? ?"',
    )
  })
})

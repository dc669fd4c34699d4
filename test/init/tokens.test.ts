import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokenize } from '../../src/scaffold/tokens.ts'

const texts = (source: string) => tokenize(source)?.map(({ text }) => text)

describe('the tokens of a source file', () => {
  it.each([
    ['a = b / c / d', ['a', '=', 'b', '/', 'c', '/', 'd']],
    ['a = /b"c/g.test(d)', ['a', '=', '/b"c/g', '.', 'test', '(', 'd', ')']],
    ['/a"/.test(b)', ['/a"/', '.', 'test', '(', 'b', ')']],
    ['return /[/"]/', ['return', '/[/"]/']],
    ['f(a) / 2 / g', ['f', '(', 'a', ')', '/', '2', '/', 'g']],
    ['\'it\\\'s\' + "a\\"b"', ["'it\\'s'", '+', '"a\\"b"']],
    ['`a${`b${c}`}d` + e', ['`a${`b${c}`}d`', '+', 'e']],
    ['`${"}"}` f', ['`${"}"}`', 'f']],
    ['`${/* } */ a}`', ['`${/* } */ a}`']],
    ['a // app.post("/mcp")\nb', ['a', 'b']],
    ['a /* app.post("/mcp") */ b', ['a', 'b']],
    ['#!/usr/bin/env node\na', ['a']],
    ['\uFEFFa', ['a']],
    ['x?.y ?.5 : 1', ['x', '?.', 'y', '?', '.5', ':', '1']],
    ['(a) => ({ ...b })', ['(', 'a', ')', '=>', '(', '{', '...', 'b', '}', ')']],
    ['1_000 0xff 1e-3 .5', ['1_000', '0xff', '1e-3', '.5']],
    ['größe = 名前', ['größe', '=', '名前']],
    ["'a\\\r\nb'", ["'a\\\r\nb'"]],
  ])('%j', (source, expected) => {
    expect(texts(source)).toEqual(expected)
  })

  it.each(["'abc", '"abc\n"', '`abc', '`${', '/* abc', '`${a', '`${`'.repeat(200)])(
    'gives up where the text breaks off: %j',
    (source) => {
      expect(tokenize(source)).toBeUndefined()
    },
  )

  it('never throws, and its tokens stand in the text in order', () => {
    const piece = fc.constantFrom(
      ...'abc \n\r\t\'"`/*\\${}()[]<>=!.,;:#0123'.split(''),
      '//',
      '/*',
      '*/',
    )
    const source = fc.oneof(
      fc.string(),
      fc.array(piece).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(source, (text) => {
        let at = 0
        for (const token of tokenize(text) ?? []) {
          expect(token.start).toBeGreaterThanOrEqual(at)
          expect(text.slice(token.start, token.end)).toBe(token.text)
          expect(token.end).toBeGreaterThan(token.start)
          at = token.end
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('takes time that grows with the text, not with its square', () => {
    const started = process.hrtime.bigint()
    for (const unit of ['`${', "'a' ", '/a/ ', '/* */', 'a.b(', '"\\', '`', '/[', '\n//']) {
      tokenize(unit.repeat(50_000))
    }
    expect(Number(process.hrtime.bigint() - started) / 1e9).toBeLessThan(10)
  })
})

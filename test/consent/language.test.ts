import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseLanguage } from '../../src/server/consent/language.ts'

describe('RFC 9110 §12.5.4 the language of a page', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['zh', 'zh'],
    ['zh-CN', 'zh'],
    ['zh-Hans-CN', 'zh'],
    ['zh-TW', 'zh'],
    ['ZH-cn;Q=0.9', 'zh'],
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
    ['en-US,en;q=0.9,zh-CN;q=0.8', 'en'],
    ['en;q=0.5, zh;q=0.7', 'zh'],
    ['fr, zh;q=0.5', 'zh'],
    ['fr, *;q=0.8, zh;q=0.5', 'en'],
    ['de', 'en'],
    ['*', 'en'],
    ['zh;q=0', 'en'],
    ['zh;q=0.8,en;q=0.8', 'zh'],
    ['en;q=0.8,zh;q=0.8', 'en'],
    ['zh;q=7', 'en'],
    ['zh;q=-1,en;q=nonsense', 'en'],
    ['zhx', 'en'],
    [`${' '.repeat(2000)}zh`, 'en'],
  ])('%j is answered in %s', (header, language) => {
    expect(chooseLanguage(header)).toBe(language)
  })

  it('answers anything in one of the two, at once', () => {
    const ranges = fc.string({
      unit: fc.constantFrom('z', 'h', 'e', 'n', '-', ',', ';', 'q', '=', '0', '.', ' '),
    })
    fc.assert(fc.property(ranges, (header) => ['en', 'zh'].includes(chooseLanguage(header))))
    const begun = performance.now()
    chooseLanguage('zh-'.repeat(1_000_000))
    chooseLanguage(`zh${' '.repeat(1_000_000)};q=0.1`)
    expect(performance.now() - begun).toBeLessThan(200)
  })
})

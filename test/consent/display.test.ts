/** Names as they are shown: nothing hidden, nothing disguised, and what is plain as it is. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanName } from '../../src/server/consent/display.ts'

const visible = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCodePoint(code)),
  minLength: 1,
  maxLength: 12,
})
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(' ', '  ', '\t', '\n', '\u00a0', '\u2028', '\u200b', '\u202e', '\u2066'),
    fc.constantFrom(
      '\u0301',
      '\u115f',
      '\u2800',
      '\u0000',
      '\u007f',
      '\ufe0f',
      '\ud800',
      '\u{e0041}',
    ),
    fc.constantFrom('a', 'Z', '<', '&', 'é', '名', '🙂'),
  ),
  maxLength: 200,
})

describe('a name as it is shown', () => {
  it('CO-07 is unchanged where it is words of visible ASCII', () => {
    fc.assert(
      fc.property(fc.array(visible, { minLength: 1, maxLength: 5 }), (words) => {
        expect(cleanName(words.join(' '))).toBe(words.join(' '))
      }),
    )
  })

  it('CO-07 is one line of at most 80 characters without anything unseen, and stays so', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), (name) => {
        const clean = cleanName(name)
        expect([...clean].length).toBeLessThanOrEqual(80)
        expect(clean).not.toMatch(/[\p{C}\p{Default_Ignorable_Code_Point}\u2800]|^\s|\s$|\s\s/u)
        expect(clean).not.toMatch(/[^\S ]|\p{M}{4}/u)
      }),
    )
  })

  it.each([
    ['  Claude   Code ', 'Claude Code'],
    [' Claude', 'Claude'],
    ['Claude ', 'Claude'],
    ['Claude\nCode', 'Claude Code'],
    ['Claude\tCode', 'Claude Code'],
    ['Claude\u0000Code', 'ClaudeCode'],
    ['Claude\u007f', 'Claude'],
    ['\u202eedualC', 'edualC'],
    ['x'.repeat(80), 'x'.repeat(80)],
    ['x'.repeat(81), `${'x'.repeat(79)}…`],
    ['', ''],
  ])('CO-07 %j is shown as %j', (name, shown) => {
    expect(cleanName(name)).toBe(shown)
  })
})

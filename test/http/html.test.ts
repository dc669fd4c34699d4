import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { html, render } from '../../src/http/html.ts'

const PAYLOADS = [
  '<img src=x onerror=alert(1)>',
  '" onmouseover="alert(1)',
  "' onfocus='alert(1)",
  '</title><script>alert(1)</script>',
  '&lt;script&gt;',
  '{{constructor.constructor("alert(1)")()}}',
  '<!--',
  ']]>',
  '`${alert(1)}`',
]

function unescape(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

/** Texts full of what matters to an HTML parser. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '=', ' ', 'a', '`', '!', '-') }),
  fc.constantFrom(...PAYLOADS),
)

describe('the html template', () => {
  it('CO-05 no text opens a tag, leaves an attribute or is lost', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const inText = render(html`<p>${text}</p>`).slice('<p>'.length, -'</p>'.length)
        const inAttribute = render(html`<p title="${text}"></p>`)
          .slice('<p title="'.length)
          .slice(0, -'"></p>'.length)
        for (const put of [inText, inAttribute]) {
          expect(put).not.toMatch(/[<>"']/)
          expect(put).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/)
          expect(unescape(put)).toBe(text)
        }
      }),
    )
  })

  it('keeps nested markup, joins lists and leaves nothing for undefined and false', () => {
    const items = ['a', '<b>'].map((item) => html`<i>${item}</i>`)
    const list = html`<p>${items}${undefined}${false}${[[0, 'x']]}</p>`
    expect(render(list)).toBe('<p><i>a</i><i>&lt;b&gt;</i>0x</p>')
  })

  it('CO-05 markup cannot come out of parsed JSON', () => {
    const forged = JSON.parse('{"markup":"<script>","__brand":"Html"}')
    expect(render(html`<p>${forged}</p>`)).not.toContain('script')
  })

  it('CO-05 refuses a value in an attribute without quotes, each time', () => {
    const unquoted = (value: string) => html`<p title=${value}></p>`
    const second = (value: string) => html`<p title="${value}" lang=${value}></p>`
    for (const value of ['x', 'y', 'x']) {
      expect(() => unquoted(value)).toThrow(TypeError)
      expect(() => second(value)).toThrow(TypeError)
    }
  })

  it('a template takes other values each time', () => {
    const greeting = (name: string, again?: string) => html`<p>${name}, ${again}</p>`
    expect(render(greeting('a', 'b'))).toBe('<p>a, b</p>')
    expect(render(greeting('<'))).toBe('<p>&lt;, </p>')
  })
})

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { html } from '../../src/http/html.ts'
import { page } from '../../src/http/page.ts'

const options = { lang: 'en', title: 'T', body: html`<main>B</main>`, status: 200, secure: true }
const shown = page(options)
const policy = String(shown.headers['content-security-policy'])
const directives = new Map(
  policy.split('; ').map((text) => [text.split(' ')[0], text.split(' ').slice(1)] as const),
)

describe('the frame of a page', () => {
  it('CO-02 cannot be framed', () => {
    expect(directives.get('frame-ancestors')).toEqual(["'none'"])
    expect(shown.headers['x-frame-options']).toBe('DENY')
  })

  it('CO-16 is not cached, not sniffed, and its policy admits no script at all', () => {
    expect(shown.headers['cache-control']).toBe('no-store')
    expect(shown.headers['x-content-type-options']).toBe('nosniff')
    expect(directives.get('default-src')).toEqual(["'none'"])
    expect(directives.get('base-uri')).toEqual(["'none'"])
    expect(policy).not.toMatch(/unsafe|\*|script-src|img-src|data:/)
    expect(shown.body).not.toMatch(/<script|\son[a-z]+=|\sstyle=/)
  })

  it('CO-16 the hash in the policy is that of the one style sheet', () => {
    const sheets = [...String(shown.body).matchAll(/<style>([^]*?)<\/style>/g)]
    expect(sheets).toHaveLength(1)
    const digest = createHash('sha256')
      .update(sheets[0]?.[1] ?? '')
      .digest('base64')
    expect(directives.get('style-src')).toEqual([`'sha256-${digest}'`])
  })

  it('AZ-34 tells no other site its address and is not stored', () => {
    expect(shown.headers['referrer-policy']).toBe('no-referrer')
    expect(shown.headers['cache-control']).toBe('no-store')
  })

  it('CO-21 leaves no handle to the window that opened it', () => {
    expect(shown.headers['cross-origin-opener-policy']).toBe('same-origin')
  })

  it('CR-04 has nosniff, HSTS on https only, and no X-Powered-By', () => {
    expect(shown.headers['strict-transport-security']).toMatch(/^max-age=\d{8}$/)
    expect(page({ ...options, secure: false }).headers).not.toHaveProperty(
      'strict-transport-security',
    )
    expect(shown.headers).not.toHaveProperty('x-powered-by')
    expect(shown.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(Object.keys(shown.headers).every((name) => name === name.toLowerCase())).toBe(true)
  })

  it('AZ-52 forms lead to this origin and to none that was not named', () => {
    expect(directives.get('form-action')).toEqual(["'self'"])
    const named = page({
      ...options,
      formActionOrigins: [
        'http://127.0.0.1:51423',
        'cursor:',
        'https://a.example',
        'http://[::1]:1',
      ],
    })
    expect(named.headers['content-security-policy']).toContain(
      "form-action 'self' http://127.0.0.1:51423 cursor: https://a.example http://[::1]:1;",
    )
  })

  it.each(['*', "'unsafe-inline'", 'https://a.example/path', 'https:; script-src *', 'a b', ''])(
    'AZ-52 %j is no form-action source',
    (source) => {
      expect(() => page({ ...options, formActionOrigins: [source] })).toThrow(TypeError)
    },
  )

  it('names its language and escapes its title', () => {
    const body = page({ ...options, lang: 'zh-Hans', title: '</title><script>' }).body
    expect(body).toContain('<html lang="zh-Hans">')
    expect(body).toContain('<title>&lt;/title&gt;&lt;script&gt;</title>')
  })
})

import { describe, expect, it } from 'vitest'
import { continuePage, type ContinueView } from '../../src/server/consent/continue_page.ts'
import { ERROR_STATUS, type ErrorKind } from '../../src/server/consent/error_kind.ts'
import { errorPage, type ErrorView } from '../../src/server/consent/error_page.ts'
import { markupOf, textOf } from './views.ts'

const ERROR: ErrorView = { language: 'en', serverName: 'Acme', secure: true, kind: 'internal' }
const KINDS = Object.keys(ERROR_STATUS) as ErrorKind[]

describe('the error page', () => {
  it.each(KINDS)(
    'AZ-34 CR-04 CO-02 %s has its status, its words in both languages and the guards',
    (kind) => {
      const [english, chinese] = (['en', 'zh'] as const).map((language) =>
        errorPage({ ...ERROR, kind, language }),
      )
      expect(english?.status).toBe(ERROR_STATUS[kind])
      expect(english?.headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      })
      expect(english?.headers).toHaveProperty('strict-transport-security')
      expect(textOf(english ?? errorPage(ERROR)).length).toBeGreaterThan(60)
      expect(textOf(chinese ?? errorPage(ERROR))).toMatch(/[\u4e00-\u9fff]{4}.*。$/)
    },
  )

  it('tells when to come back, in the header too', () => {
    const shown = errorPage({ ...ERROR, kind: 'rate_limited', retryAfter: 30 })
    expect(shown.headers['retry-after']).toBe('30')
    expect(textOf(shown)).toContain('Try again in 30 seconds.')
    expect(textOf(errorPage({ ...ERROR, retryAfter: 1 }))).toContain('in 1 second.')
    expect(textOf(errorPage({ ...ERROR, retryAfter: 600 }))).toContain('in 10 minutes.')
    expect(errorPage(ERROR).headers).not.toHaveProperty('retry-after')
  })

  it('CO-28 names who is signed in, as text', () => {
    const shown = errorPage({ ...ERROR, kind: 'not_allowed', user: '<img src=x>\u202Egpj' })
    expect(markupOf(shown)).toContain('signed in as <bdi>&lt;img src=x&gt;gpj</bdi>.')
  })

  it('has a block for developers only when there is something for them', () => {
    const shown = errorPage({
      ...ERROR,
      detail: 'redirect_uri is not registered',
      reference: 'r-1',
    })
    expect(textOf(shown)).toContain('For developers redirect_uri is not registered Reference: r-1')
    expect(textOf(errorPage(ERROR))).not.toContain('For developers')
  })
})

const GO_ON: ContinueView = {
  language: 'en',
  serverName: 'Acme',
  secure: true,
  kind: 'private_use',
  name: 'Cursor',
  location: 'cursor://anysphere.cursor-mcp/oauth/callback?code=a&state=\'"><script>',
}

describe('the page that goes on', () => {
  it('CO-05 the location stands in its two attributes, escaped', () => {
    const markup = markupOf(continuePage(GO_ON))
    const escaped = 'callback?code=a&amp;state=&#39;&quot;&gt;&lt;script&gt;"'
    expect(markup.split(escaped)).toHaveLength(3)
    expect(markup).toContain('<meta http-equiv="refresh" content="0;url=cursor://')
    expect(markup).not.toContain('<script')
  })

  it('AZ-34 is neither stored nor referred to, as it holds the code', () => {
    expect(continuePage(GO_ON).headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
  })

  it.each([
    ['private_use', 'javascript:alert(1)'],
    ['private_use', 'JavaScript://a.example/%0aalert(1)'],
    ['private_use', 'data:text/html,x'],
    ['private_use', 'https://a.example/'],
    ['client', 'javascript:alert(1)'],
    ['client', '//evil.example'],
    ['upstream', 'data:text/html,x'],
    ['upstream', 'cursor://a.example/'],
  ] as const)('CO-05 a page of kind %s does not lead to %s', (kind, location) => {
    expect(() => continuePage({ ...GO_ON, kind, location })).toThrow(TypeError)
  })

  it.each([
    ['upstream', undefined, 'On to GitHub You are being taken to GitHub to sign in.'],
    ['client', undefined, 'You are signed in You are being taken back to GitHub.'],
    ['client', 'denied', 'Access was not given GitHub gets no access.'],
    ['client', 'failed', 'The sign-in did not work You are being taken back to GitHub. Try again'],
    ['private_use', undefined, 'use the button. Then you can close this window.'],
  ] as const)('kind %s, error %s: %s', (kind, error, words) => {
    const location = kind === 'private_use' ? GO_ON.location : 'https://github.com/login?x=1'
    const shown = continuePage({ ...GO_ON, name: 'GitHub', kind, location, error })
    expect(textOf(shown)).toContain(words)
  })

  it('keeps the cookies it is given', () => {
    const shown = continuePage({ ...GO_ON, headers: { 'set-cookie': ['a=1', 'b=2'] } })
    expect(shown.headers['set-cookie']).toEqual(['a=1', 'b=2'])
  })
})

import { describe, expect, it } from 'vitest'
import { consentPage, type ConsentView } from '../../src/server/consent/consent_page.ts'
import { CONSENT, markupOf, textOf } from './views.ts'

const DOCUMENT: ConsentView['client'] = {
  name: 'Claude',
  client_id: 'https://claude.ai/oauth/client.json',
  source: 'metadata_document',
}
const LOOPBACK = 'http://127.0.0.1:51423/callback'

function show(change: Partial<ConsentView>): { text: string; markup: string } {
  const response = consentPage({ ...CONSENT, ...change })
  return { text: textOf(response), markup: markupOf(response) }
}

function named(name: string): ReturnType<typeof show> {
  return show({ client: { ...CONSENT.client, name } })
}

describe('the consent page', () => {
  it('CO-07 names client, receiving host, scopes, resource and the sign-in that follows', () => {
    const { text } = show({ resource: 'https://mcp.example.com/mcp', resourceName: 'Acme' })
    expect(text).toContain('Allow Claude Code to use Acme?')
    expect(text).toContain('Access is sent to claude.ai')
    expect(text).toContain('Read your notes')
    expect(text).toContain('It will act on Acme (mcp.example.com)')
    expect(text).toContain('Sign in with GitHub')
  })

  it('CO-07 shows who is signed in, where that is known', () => {
    const user = { name: 'Ada Lovelace', email: 'ada@example.com' }
    expect(show({ user }).text).toContain('Signed in as Ada Lovelace ada@example.com (GitHub)')
    expect(show({ user: { name: undefined, email: 'a@b.c' } }).text).toContain('Signed in as a@b.c')
    expect(show({}).text).not.toContain('Signed in as')
  })

  it('CO-02 CO-16 AZ-34 CO-21 carries the headers of every page, and forms lead to this origin alone', () => {
    const { headers } = consentPage(CONSENT)
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    })
    const policy = headers['content-security-policy']
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("form-action 'self';")
  })

  it('has one form with the ticket and two buttons of equal kind', () => {
    const { markup } = show({})
    expect(markup).toContain('<form method="post" action="/authorize/decision"')
    expect(markup).toContain('<input type="hidden" name="ticket" value="ticket-1" />')
    expect(markup).toContain('<input type="hidden" name="csrf" value="csrf-1" />')
    expect(markup).toMatch(/<button name="decision" value="deny">\s*Deny\s*<\/button>/)
    expect(markup).toMatch(/<button class="primary" name="decision" value="approve">/)
    expect(markup.match(/<form/g)).toHaveLength(1)
  })

  it.each([
    '<img src=x onerror=alert(1)>',
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)",
    '</title><script>alert(1)</script>',
    '{{7*7}}${7*7}<%= 7*7 %>',
  ])('CO-05 CO-28 the name %j is text wherever it stands', (payload) => {
    const { markup, text } = show({
      serverName: payload,
      client: {
        name: payload,
        client_id: `https://claude.ai/${payload}`,
        source: 'metadata_document',
        client_uri: payload,
      },
      scopes: [{ scope: payload, description: payload }],
      resourceName: payload,
      upstreamName: payload,
      user: { name: payload, email: payload },
      form: { action: '/x', ticket: payload, csrf: payload },
    })
    const harmless = markupOf(
      consentPage({
        ...CONSENT,
        client: { ...DOCUMENT, client_uri: 'u' },
        user: { name: 'n', email: 'e' },
      }),
    )
    const elements = (of: string): readonly string[] => of.match(/<[a-z][^\s>]*/g) ?? []
    expect(elements(markup)).toEqual(elements(harmless))
    expect(text).toContain(payload)
    expect(text).not.toContain('49')
  })

  it.each([
    ['bidi override', 'Clau\u202Ede\u202C', 'Claude'],
    ['bidi isolate', '\u2066Claude\u2069', 'Claude'],
    ['zero width', 'Cl\u200Ba\u200Du\u2060de\uFEFF', 'Claude'],
    ['soft hyphen and filler', 'Cl\u00ADau\u3164de', 'Claude'],
    ['controls and line breaks', 'Cl\u0000aude\r\n\u2028Code\u001B', 'Claude Code'],
    ['tag characters', 'Claude\u{E0063}\u{E0064}', 'Claude'],
  ])('CO-06 %s cannot disguise the client name', (_, name, seen) => {
    const { markup, text } = named(name)
    expect(text).toContain(`Allow ${seen} to use`)
    expect(markup).toContain(`<bdi>${seen}</bdi>`)
    expect(markup).not.toMatch(/[\p{C}\p{Default_Ignorable_Code_Point}]/u)
  })

  it('CO-06 a name without anything to see is said to be none, and marks do not pile up', () => {
    expect(named('\u200B\u2800 ').text).toContain('Allow An app without a name to use')
    expect(named(`Z${'\u0300\u0316'.repeat(30)}`).markup).not.toMatch(/\p{M}{4}/u)
    expect(named('W'.repeat(5000)).text).toContain(`${'W'.repeat(79)}…`)
  })

  it.each(['http://127.0.0.1:51423/cb', 'http://localhost:8787/callback', 'http://[::1]:9/cb'])(
    'CO-08 %s gets the warning that a program on this computer receives the access',
    (redirect_uri) => {
      const { text } = show({ redirect_uri })
      expect(text).toContain('A program on this computer receives the access')
      expect(text).toContain(`Access is sent to ${new URL(redirect_uri).host} (this computer)`)
    },
  )

  it('CO-08 an https redirect has no such warning; a private-use scheme has one of its own', () => {
    expect(show({}).text).not.toContain('on this computer')
    const { text } = show({ redirect_uri: 'cursor://anysphere.cursor-mcp/oauth/callback' })
    expect(text).toContain('Access is sent to the app that opens cursor: links')
    expect(text).toContain('An app on this device receives the access')
  })

  it('CO-09 has no image, no link and nothing else that a client could have named', () => {
    const client = {
      ...DOCUMENT,
      client_uri: 'https://claude.ai',
      logo_uri: 'https://evil.example/l.svg',
    }
    const { markup } = show({ client })
    expect(markup).not.toMatch(/<(img|image|svg|link|iframe|object|embed|video|audio|source|a)\b/)
    expect(markup).not.toMatch(/\b(src|srcset|href|background|poster)=/)
    expect(markup).not.toContain('l.svg')
  })

  it('CO-26 scopes are shown in the words of the catalogue only', () => {
    const { text } = show({
      scopes: [{ scope: 'read-only-safe', description: 'Delete all your notes' }],
    })
    expect(text).toContain('Delete all your notes')
    expect(text).not.toContain('read-only-safe')
    expect(show({ scopes: [] }).text).toContain('without further permissions')
  })

  it('AZ-55 a scope that the user has not allowed before is marked', () => {
    const { markup } = show({
      scopes: [
        { scope: 'r', description: 'Read' },
        { scope: 'w', description: 'Write', isNew: true },
      ],
    })
    expect(markup).toMatch(/<li>\s*Write\s*<span class="new">new<\/span>/)
    expect(markup.match(/class="new"/g)).toHaveLength(1)
  })

  const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(40)}.evil.example`
  it.each([
    ['an international host', 'https://xn--80ak6aa92e.com/cb', 'xn--80ak6aa92e.com'],
    ['capitals', 'https://CLAUDE.ai.EVIL.example/cb', 'claude.ai.evil.example'],
    ['a port', 'https://a.example:8443/cb', 'a.example:8443'],
    [
      'many dashes',
      'https://claude-ai--login---.evil.example/',
      'claude-ai--login---.evil.example',
    ],
    ['250 characters', `https://${long}/cb`, long],
  ])(
    'CO-27 CI-47 %s: ASCII and in full, so that its end is always seen',
    (_, redirect_uri, host) => {
      const { markup, text } = show({ redirect_uri })
      expect(text).toContain(`Access is sent to ${host} It will act on`)
      expect(markup).toContain(`<bdi>${host}</bdi>`)
      expect(markup).not.toContain('text-overflow')
    },
  )

  it('CO-27 a redirect with user information, which no registration lets in, is not shown as a host', () => {
    const redirect_uri = 'https://claude.ai@evil.example/cb'
    expect(() => consentPage({ ...CONSENT, redirect_uri })).toThrow(TypeError)
  })

  it('CI-47 the host of a client_id is shown in punycode and in full', () => {
    const client_id = `https://bücher.${long}/client.json`
    expect(show({ client: { ...DOCUMENT, client_id } }).text).toContain(
      `Verified: published by xn--bcher-kva.${long}`,
    )
  })

  it.each(['Claude', 'Cl\u0430ude', 'Claude (verified)', '✔ Verified: published by claude.ai'])(
    'RG-34 a dynamic client called %j is unverified, and its host is shown',
    (name) => {
      const { markup, text } = show({
        client: { ...CONSENT.client, name },
        redirect_uri: 'https://evil.example/cb',
      })
      expect(markup).toContain('<p class="badge doubt">Unverified: anyone can use this name</p>')
      expect(markup).not.toContain('badge good')
      expect(text).toContain('Access is sent to evil.example')
    },
  )

  it('RG-34 where a client comes from is told by the server: its record, or the domain of the document', () => {
    expect(show({ client: { ...CONSENT.client, source: 'static' } }).text).toContain(
      'Registered by the operator of Acme Notes',
    )
    const { text } = show({ client: DOCUMENT })
    expect(text).toContain('Verified: published by claude.ai')
    expect(text).not.toContain('Unverified')
  })

  it('CI-46 a document at one host and a redirect to another: both are named, with a warning', () => {
    const client = { ...DOCUMENT, client_id: 'https://good.example/client.json' }
    const { text } = show({ client, redirect_uri: 'https://evil.example/cb' })
    expect(text).toContain('Two different sites')
    expect(text).toContain('published by good.example, but the access goes to evil.example')
    expect(show({ client: DOCUMENT }).text).not.toContain('Two different sites')
    expect(show({ client, redirect_uri: LOOPBACK }).text).toContain('A program on this computer')
  })

  it('speaks Chinese', () => {
    const { markup, text } = show({ language: 'zh', redirect_uri: LOOPBACK })
    expect(markup).toContain('<html lang="zh-Hans">')
    expect(text).toContain('是否允许 Claude Code 使用 Acme？')
    expect(text).toContain('未验证')
    expect(text).toContain('本机上的一个程序将获得访问权限')
  })
})

/** Which redirect URIs may be registered, and which a request may name. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isLoopbackRedirect,
  judgeRedirectUri,
  matchRedirectUri,
} from '../../src/protocol/redirect_uri.ts'

function kindOf(uri: string): string {
  const judged = judgeRedirectUri(uri)
  return 'kind' in judged ? judged.kind : 'refused'
}

/** What real clients register, by kind. */
const IN_USE: Readonly<{ [kind: string]: readonly string[] }> = {
  https: [
    'https://claude.ai/api/mcp/auth_callback',
    'https://chatgpt.com/connector/oauth/abc-123',
    'https://www.cursor.com/agents/mcp/oauth/callback',
    'https://insiders.vscode.dev/redirect',
    'https://raycast.com/redirect?packageName=Extension',
    'https://grok.com/connectors-oauth-exchange-code/',
    'https://eu1.make.celonis.com/oauth/cb/mcp',
    'https://n8n.corp.example:8443/rest/oauth2-credential/callback',
    'https://10.0.0.5/cb',
    'https://[2001:db8::1]/cb',
    'https://client.example',
    'https://client.example?tenant=7',
  ],
  loopback: [
    'http://localhost/callback',
    'http://localhost:8787/callback',
    'http://127.0.0.1/',
    'http://127.0.0.1:33418/',
    'http://127.0.0.1:19876/mcp/oauth/callback',
    'http://[::1]/callback',
    'http://[::1]:65535/callback',
    'http://localhost',
  ],
  private_use: [
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'claude://claude.ai/mcp-auth-callback/sdk',
    'vscode://vscode.github-authentication/did-authenticate',
    'vscode-insiders://host/cb',
    'windsurf://auth',
    'com.raycast:/oauth?package_name=Extension',
    'com.example.app:/cb',
    'com.httpie.desktop:/cb',
  ],
}

describe('RFC 9700 §4.1.3 which redirect URIs may be registered', () => {
  for (const [kind, uris] of Object.entries(IN_USE)) {
    it.each(uris)(`§2.1 a URI in use is ${kind}: %s`, (uri) => {
      expect(kindOf(uri)).toBe(kind)
      expect(matchRedirectUri(uri, [uri])).toBe(uri)
    })
  }

  it.each([
    'http://client.example/cb',
    'http://10.0.0.1/cb',
    'ftp://client.example/cb',
    'ws://client.example/cb',
    'wss://client.example/cb',
    'HTTP://localhost/cb',
  ])('RG-02 cleartext that leaves this computer is refused: %s', (uri) => {
    expect(kindOf(uri)).toBe('refused')
  })

  it.each([
    'https://c.example/cb#frag',
    'https://c.example/cb#',
    'http://localhost/#',
    'com.a:/#x',
  ])('RG-03 a fragment is refused, the empty one too: %s', (uri) =>
    expect(judgeRedirectUri(uri)).toEqual({ fault: 'has a fragment' }),
  )

  it.each([
    'https://accounts.google.com:x@evil.example/cb',
    'https://user@c.example/cb',
    'https://@c.example/cb',
    'https://c.example%40evil.example/cb',
    'http://127.0.0.1@evil.example/cb',
    'http://localhost:80@evil.example/cb',
    'app://user@host/cb',
  ])('RG-04 user information is refused: %s', (uri) => expect(kindOf(uri)).toBe('refused'))

  it.each([
    'https://*.example.com/cb',
    'https://c.example/*',
    '*',
    'http://localhost:*/cb',
    'a.b:/*',
  ])('RG-05 a wildcard is refused, and matches nothing even if it were stored: %s', (uri) => {
    expect(kindOf(uri)).toBe('refused')
    expect(matchRedirectUri(uri.replace('*', 'x'), [uri])).toBeUndefined()
    expect(matchRedirectUri(uri, [uri])).toBeUndefined()
  })

  it.each([
    '',
    ' ',
    '/cb',
    '//c.example/cb',
    'c.example/cb',
    'https:',
    'https:/',
    'https://',
    'https:///cb',
    'https:/c.example/cb',
    'https:c.example/cb',
    'https://?x=1',
    'http://[::1',
    'http://[::1/cb',
    ' https://c.example/cb',
    'https://c.example/cb ',
    'https://c.example/c b',
    'https://c.example/cb\n',
    'https://c.example/cb\r\nset-cookie: a=b',
    'https://c.example/cb\0',
    'https://c.example/%00',
    'https://c.example/%0d%0aset-cookie:a',
    'https://c.example/%1F',
    'https://c.example/%7f',
    'https://c.example/%',
    'https://c.example/%zz',
    'https://c.example\\@evil.example/cb',
    'https:\\\\c.example/cb',
    'https://c.example/<script>',
    'https://c.example/"onload=',
    'https://c.example/{a}',
    'HTTPS://c.example/cb',
    `https://c.example/${'a'.repeat(2000)}`,
  ])('RG-08 what is relative, malformed or padded is refused: %j', (uri) => {
    expect(kindOf(uri)).toBe('refused')
  })

  it.each([
    'http://localhost.evil.example/cb',
    'http://localhost./cb',
    'http://LOCALHOST/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://127.0.0.2/cb',
    'http://127.1/cb',
    'http://1270.0.0.1/cb',
    'http://2130706433/cb',
    'http://0x7f.1/cb',
    'http://0177.0.0.1/cb',
    'http://0.0.0.0/cb',
    'http://[::]/cb',
    'http://[::ffff:127.0.0.1]/cb',
    'http://[0:0:0:0:0:0:0:1]/cb',
    'http://localhost:/cb',
    'http://localhost:0/cb',
    'http://localhost:080/cb',
    'http://localhost:65536/cb',
    'http://localhost:99999/cb',
    'http://localhost:-1/cb',
    'http://localhost:8o/cb',
    'http://localhost\\@evil.example/cb',
  ])('RG-24 a look-alike of loopback is not loopback: %s', (uri) => {
    expect(isLoopbackRedirect(uri)).toBe(false)
    expect(kindOf(uri)).toBe('refused')
  })

  it.each([
    'https://c.example./cb',
    'https://.example/cb',
    'https://a..b/cb',
    'https://127.1/cb',
    'https://0x7f.1/cb',
    'https://2130706433/cb',
    'https://%63.example/cb',
    'https://c%2eexample/cb',
    'https://c.example:/cb',
    'https://c.example:0443/cb',
    'https://c.example:0/cb',
    'https://c.example:65536/cb',
    'https://c.example:44x/cb',
    'https://[::1/cb',
    'https://[::1]x/cb',
    'https://[0:0::1]/cb',
    'https://[::ffff:127.0.0.1]/cb',
    'https://clаude.ai/cb',
    'https://ｃ.example/cb',
    "https://c.example'/cb",
    'https://c.example;script-src/cb',
    'https://c.example,d.example/cb',
  ])('AZ-04 a host in any but its plain spelling is refused: %s', (uri) => {
    expect(kindOf(uri)).toBe('refused')
  })

  it.each([
    'https://c.example/cb/../evil',
    'https://c.example/./cb',
    'https://c.example/cb/..',
    'https://c.example/cb/.',
    'https://c.example/%2e%2e/evil',
    'https://c.example/.%2E/evil',
    'http://localhost/cb/../evil',
    'com.example.app:/../evil',
    'cursor://host/../evil',
  ])('AZ-02 a dot segment is refused: %s', (uri) => {
    expect(judgeRedirectUri(uri)).toEqual({ fault: 'has a dot segment in its path' })
  })

  it.each([
    'https://c.example/.well-known/cb',
    'https://c.example/a..b',
    'https://c.example/?a=/../',
  ])('AZ-02 dots that lead nowhere are not: %s', (uri) => expect(kindOf(uri)).toBe('https'))

  it.each([
    'javascript:alert(1)',
    'JavaScript://c.example/%250aalert(1)',
    'data:text/html,x',
    'data://host/x',
    'vbscript:x',
    'vbscript://host/x',
    'file:///etc/passwd',
    'file://host/etc/passwd',
    'blob:https://c.example/1',
    'about:blank',
    'about://host/',
    'intent://host/#Intent',
    'intent://host/cb',
    'content://host/cb',
    'jar://host/cb',
    'view-source://host/cb',
    'filesystem://host/cb',
    'ms-word://host/cb',
    'ms-msdt://host/cb',
    'search-ms://host/cb',
    'web+evil://host/cb',
    'ext+evil://host/cb',
    'chrome://settings/',
    'chrome-extension://abc/cb',
    'googlechrome://evil.example/cb',
    'microsoft-edge://evil.example/cb',
    'x-safari-https://evil.example/cb',
    'smb://evil.example/share',
    'ldap://evil.example/x',
    'ssh://evil.example/x',
    'itms-services://host/cb',
    'jnlp://host/cb',
    'mailto:a@b.example',
    'tel:+123',
    'sms://host/x',
    'urn:ietf:wg:oauth:2.0:oob',
    'urn:ietf:wg:oauth:2.0:oob:auto',
  ])('AZ-09 a dangerous scheme is never a target: %s', (uri) => {
    expect(kindOf(uri)).toBe('refused')
    expect(matchRedirectUri(uri, [uri])).toBeUndefined()
  })

  it.each([
    'app:/cb',
    'app:cb',
    'app:///cb',
    'app://',
    'app://host:80/cb',
    'http+unix://host/cb',
    'http+unix:/cb',
    'httpx://host/cb',
    'com.example.app://evil/cb',
    'com.example.app:cb',
    'com.example.app:',
    'com..example:/cb',
    'com.example.:/cb',
    'javascript.:/cb',
    'example.com:443/cb',
    'localhost:8080/cb',
    'cursor://host.:80/cb',
  ])('AZ-50 a private-use URI in neither of the two forms is refused: %s', (uri) => {
    expect(kindOf(uri)).toBe('refused')
  })

  it.each([
    'https://c.example/cb?a=1&code=x',
    'https://c.example/cb?state=x',
    'https://c.example/cb?iss=https://evil.example',
    'https://c.example/cb?error=x',
    'https://c.example/cb?%63ode=x',
    'https://c.example/cb?code',
    'https://c.example/cb?a?code=x&code=y',
    'http://localhost/cb?state=x',
    'com.example.app:/cb?code=x',
  ])('AZ-49 a parameter of ours in the registered query is refused: %s', (uri) => {
    expect(kindOf(uri)).toBe('refused')
  })

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), fc.string()), (text) => {
        const judged = judgeRedirectUri(text)
        expect('kind' in judged || judged.fault.length > 0).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  it('takes no longer than a moment for the longest of texts', () => {
    const before = process.cpuUsage().user
    for (const char of ['a', '/', '.', '?', '%', '[', ':', '-', '%2e', '/.', 'a.']) {
      judgeRedirectUri(`https://c.example/${char.repeat(2000 / char.length)}`)
      judgeRedirectUri(`https://${char.repeat(1990 / char.length)}!`)
      judgeRedirectUri(`${'a.'.repeat(990)}:/${char}`)
    }
    expect(process.cpuUsage().user - before).toBeLessThan(1_000_000)
  })
})

describe('RFC 9700 §4.1.3 which registered URI a request names', () => {
  const registered = ['https://c.example/cb', 'https://c.example/cb?a=1']

  it('is the equal one', () => {
    expect(matchRedirectUri('https://c.example/cb', registered)).toBe('https://c.example/cb')
    expect(matchRedirectUri('https://c.example/cb?a=1', registered)).toBe(registered[1])
    expect(matchRedirectUri('https://c.example/cb', [])).toBeUndefined()
  })

  it.each([
    ['AZ-01', ['https://evil.example/cb', 'urn:ietf:wg:oauth:2.0:oob', '']],
    [
      'AZ-02',
      [
        '/cb/',
        '/cbx',
        '/cb/../evil',
        '/cb/..;/evil',
        '/cb%2f..%2fevil',
        '/cb/.',
        '//cb',
        '/',
        '',
      ].map((path) => `https://c.example${path}`),
    ],
    [
      'AZ-03',
      [
        'https://c.example@evil.example/cb',
        'https://c.example:443@evil.example/cb',
        'https://user@c.example/cb',
        'https://evil.example\\@c.example/cb',
        'https://evil.example%40c.example/cb',
        'https:\\\\c.example/cb',
      ],
    ],
    [
      'AZ-04',
      [
        'https://c.example.evil.example/cb',
        'https://evilc.example/cb',
        'https://x.c.example/cb',
        'https://c.example./cb',
        'https://C.EXAMPLE/cb',
        'https://с.example/cb',
        'https://c.example%00.evil.example/cb',
        'https://evil.example#c.example/cb',
        'https://evil.example?c.example/cb',
      ],
    ],
    [
      'AZ-06',
      ['?', '?x=1', '?code=attacker', '&x=1', ';x=1', '?redirect_uri=evil'].map(
        (end) => `https://c.example/cb${end}`,
      ),
    ],
    [
      'AZ-07',
      [
        'http://c.example/cb',
        'https://c.example:8443/cb',
        'https://c.example:443/cb',
        'https://c.example:/cb',
        'HTTPS://c.example/cb',
      ],
    ],
    [
      'AZ-08',
      [
        'https://c.example/%63b',
        'https://c.example/CB',
        ' https://c.example/cb',
        'https://c.example/cb ',
        'https://c.example/cb\t',
        'https://c.example/cb\n',
        'https://c.example/cb\r\nx: y',
        'https://c.example/cb%00',
        'https://c.example/cb\0',
        'https://c.example/%252e',
      ],
    ],
  ])('%s nothing else is', (_row, asked) => {
    for (const uri of asked) expect(matchRedirectUri(uri, registered), uri).toBeUndefined()
  })

  it('AZ-10 a loopback redirect may be at any port, whichever port was registered', () => {
    const list = ['http://127.0.0.1/callback', 'http://localhost:3118/callback']
    for (const port of [1, 80, 49152, 61023, 65535]) {
      expect(matchRedirectUri(`http://127.0.0.1:${port}/callback`, list)).toBe(list[0])
      expect(matchRedirectUri(`http://localhost:${port}/callback`, list)).toBe(list[1])
    }
    expect(matchRedirectUri('http://localhost/callback', list)).toBe(list[1])
    expect(matchRedirectUri('http://127.0.0.1:33418/', ['http://127.0.0.1/'])).toBe(
      'http://127.0.0.1/',
    )
  })

  it.each([
    'http://127.0.0.1:5000/callbackx',
    'http://127.0.0.1:5000/callback/',
    'http://127.0.0.1:5000/callback/..',
    'http://127.0.0.1:5000/',
    'http://127.0.0.1:5000',
    'http://localhost:5000/callback',
    'http://127.0.0.2:5000/callback',
    'http://127.1:5000/callback',
    'http://2130706433:5000/callback',
    'http://0x7f.1:5000/callback',
    'http://[::1]:5000/callback',
    'http://[::ffff:127.0.0.1]:5000/callback',
    'http://0.0.0.0:5000/callback',
    'https://127.0.0.1:5000/callback',
    'http://127.0.0.1:5000@evil.example/callback',
    'http://127.0.0.1.evil.example:5000/callback',
    'http://127.0.0.1:5000/callback?x=1',
    'http://127.0.0.1:5000/callback#x',
    'http://127.0.0.1:99999/callback',
    'http://127.0.0.1:-1/callback',
    'http://127.0.0.1:0/callback',
    'http://127.0.0.1:05000/callback',
    'http://127.0.0.1:/callback',
    'http://127.0.0.1\\@evil.example/callback',
  ])('AZ-11 nothing of a loopback redirect but its port may change: %s', (asked) => {
    expect(matchRedirectUri(asked, ['http://127.0.0.1/callback'])).toBeUndefined()
  })

  it('AZ-12 the IPv6 literal works the same way, and is not the IPv4 one', () => {
    expect(matchRedirectUri('http://[::1]:50123/callback', ['http://[::1]/callback'])).toBe(
      'http://[::1]/callback',
    )
    expect(matchRedirectUri('http://127.0.0.1/callback', ['http://[::1]/callback'])).toBeUndefined()
  })

  it('AZ-10 https and private-use redirects have no free port', () => {
    expect(matchRedirectUri('https://localhost:1/cb', ['https://localhost/cb'])).toBeUndefined()
    expect(matchRedirectUri('app://localhost:1/cb', ['app://localhost/cb'])).toBeUndefined()
  })

  const goodUris = Object.values(IN_USE).flat()
  const nasty = fc.constantFrom(
    ...[
      '/',
      '//',
      '/..',
      '/../evil',
      '%2f',
      '%2e',
      '?',
      '?x=1',
      '&x=1',
      '#',
      '#x',
      ';x',
      ' ',
      '\t',
    ],
    ...['\0', '\r\n', '@evil.example', '.evil.example', ':80', ':8443', ':0', ':99999', ':', '\\'],
    ...['x', 'A', '0', '.', '%00', '*', 'http://', 'https://', 'localhost', '127.0.0.1', '[::1]'],
  )
  const mutation = fc.oneof(
    fc.record({ at: fc.nat(80), cut: fc.nat(3), put: nasty }),
    fc.record({ at: fc.constant(Infinity), cut: fc.constant(0), put: nasty }),
    fc.record({
      at: fc.constantFrom(16, 17, 12),
      cut: fc.nat(6),
      put: fc.nat(70000).map((n) => `:${n}`),
    }),
  )
  function mutate(uri: string, at: number, cut: number, put: string): string {
    const index = Math.min(at, uri.length)
    return uri.slice(0, index) + put + uri.slice(index + cut)
  }

  /** Host and rest of a loopback URI, read by hand; undefined when it is none. */
  function readLoopback(uri: string): string | undefined {
    for (const front of ['http://localhost', 'http://127.0.0.1', 'http://[::1]']) {
      if (!uri.startsWith(front)) continue
      const rest = uri.slice(front.length)
      const end = [...rest].findIndex((char) => char === '/' || char === '?')
      const port = end < 0 ? rest : rest.slice(0, end)
      const good =
        port === '' || (port[0] === ':' && String(Number(port.slice(1))) === port.slice(1))
      const number = Number(port.slice(1))
      if (!good || (port !== '' && !(Number.isInteger(number) && number >= 1 && number <= 65_535)))
        return undefined
      return `${front}|${end < 0 ? '' : rest.slice(end)}`
    }
    return undefined
  }

  it('AZ-56 a match is an equal text, or a loopback literal equal but for the port (a million pairs)', () => {
    const uri = fc.constantFrom(...goodUris)
    let matches = 0
    let byPort = 0
    fc.assert(
      fc.property(uri, uri, fc.array(mutation, { maxLength: 2 }), (target, base, mutations) => {
        const asked = mutations.reduce((text, { at, cut, put }) => mutate(text, at, cut, put), base)
        const portless = readLoopback(asked)
        const expected =
          asked === target || (portless !== undefined && portless === readLoopback(target))
        const found = matchRedirectUri(asked, [target]) === target
        if (found) matches += 1
        if (found && asked !== target) byPort += 1
        if (found !== expected) throw new Error(`${asked} against ${target}: ${found}`)
      }),
      { numRuns: 1_000_000 },
    )
    // The property means something only where both answers come up.
    expect(matches).toBeGreaterThan(500)
    expect(byPort).toBeGreaterThan(100)
  }, 120_000)
})

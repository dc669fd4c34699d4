/**
 * Where the browser may be sent, and that nothing else about a request is looked at before that.
 */
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { isLoopbackRedirect, matchRedirectUri } from '../../src/protocol/redirect_uri.ts'
import { createAgent, type Page } from '../support/agent.ts'
import {
  agentOf,
  authorize,
  authorizeUrl,
  decide,
  pkce,
  redeem,
  register,
  type Params,
  type TestClient,
} from '../support/flow.ts'
import { startServer } from '../support/server.ts'
import { UNLIMITED } from '../support/upstream_flow.ts'
import { answerOf, expectErrorPage, watched } from './support.ts'

const store = watched()
const server = await startServer({ store, rateLimits: UNLIMITED })
afterAll(() => server.close())

const GOOD = 'https://client.example/cb'
const web = await register(server, { redirect_uris: [GOOD] })
const native = await register(server, { redirect_uris: ['http://127.0.0.1/callback'] })

async function ask(client: TestClient, params: Params, extra: string = ''): Promise<Page> {
  return agentOf('ada').get(authorizeUrl(server, client, pkce().challenge, params) + extra)
}

/** The browser stays here, gets no cookie, and nothing is begun. */
async function expectStays(client: TestClient, redirect_uri: string): Promise<void> {
  const tickets = store.written.filter((kind) => kind === 'ticket').length
  const page = await ask(client, { redirect_uri })
  expectErrorPage(page)
  expect(page.headers.getSetCookie()).toEqual([])
  expect(page.body).not.toContain('<form')
  expect(store.written.filter((kind) => kind === 'ticket')).toHaveLength(tickets)
}

describe('OAuth 2.1 §2.3 only a registered redirect URI', () => {
  it.each([
    'https://evil.example/cb',
    'urn:ietf:wg:oauth:2.0:oob',
    'urn:ietf:wg:oauth:2.0:oob:auto',
    'postmessage',
    '//evil.example/cb',
    '/cb',
    '.',
    '*',
    'https://',
  ])('AZ-01 %s never receives the browser', (uri) => expectStays(web, uri))

  it.each([
    `${GOOD}/`,
    `${GOOD}x`,
    `${GOOD}/../evil`,
    `${GOOD}/..;/evil`,
    `${GOOD}%2f..%2fevil`,
    `${GOOD}/.`,
    'https://client.example//cb',
    `${GOOD}/x/..`,
    'https://client.example',
    'https://client.example/',
    'https://client.example/./cb',
    'https://client.example/x/../cb',
    'https://client.example/c',
  ])('AZ-02 %s is another URI', (uri) => expectStays(web, uri))

  it.each([
    'https://client.example@evil.example/cb',
    'https://client.example:443@evil.example/cb',
    'https://user@client.example/cb',
    'https://user:pass@client.example/cb',
    'https://evil.example\\@client.example/cb',
    'https://client.example\\@evil.example/cb',
    'https://evil.example%40client.example/cb',
    'https:\\\\client.example/cb',
    'https:/client.example/cb',
    'https:client.example/cb',
  ])('AZ-03 %s is another URI', (uri) => expectStays(web, uri))

  it.each([
    'https://client.example.evil.example/cb',
    'https://evilclient.example/cb',
    'https://x.client.example/cb',
    'https://client.example./cb',
    'https://CLIENT.example/cb',
    'https://cli\u0435nt.example/cb',
    'https://xn--clint-9ve.example/cb',
    'https://client.example%00.evil.example/cb',
    'https://client.example#.evil.example/cb',
    'https://client.example?.evil.example/cb',
    'https://client\u3002example/cb',
    'https://\uff43lient.example/cb',
  ])('AZ-04 %s is another host', (uri) => expectStays(web, uri))

  it.each([
    '?',
    '?x=1',
    '?code=attacker',
    '&x=1',
    ';x=1',
    '?redirect_uri=https://evil.example',
    '#',
    '#x',
  ])('AZ-06 %s behind it makes another URI', (more) => expectStays(web, GOOD + more))

  it.each([
    'http://client.example/cb',
    'https://client.example:8443/cb',
    'https://client.example:443/cb',
    'https://client.example:/cb',
    'HTTPS://client.example/cb',
    'https://client.example:0443/cb',
  ])('AZ-07 %s is another scheme or port', (uri) => expectStays(web, uri))

  it.each([
    'https://client.example/%63b',
    'https://client.example/CB',
    ` ${GOOD}`,
    `${GOOD} `,
    `\t${GOOD}`,
    `${GOOD}\n`,
    `${GOOD}\r\nSet-Cookie: pwn=1`,
    `${GOOD}%0d%0aSet-Cookie:%20pwn=1`,
    `${GOOD}%00`,
    'https://client.example/%252e/cb',
    `\uFEFF${GOOD}`,
    `${GOOD}\u200B`,
    'https://client.example/cb\u0301',
  ])('AZ-08 %j is not normalised into a match', async (uri) => {
    await expectStays(web, uri)
    const page = await ask(web, { redirect_uri: uri })
    expect(page.headers.get('set-cookie')).toBeNull()
  })

  it('AZ-08 a NUL in the redirect URI ends nothing early', async () => {
    expectErrorPage(await ask(web, { redirect_uri: `${GOOD}\0` }))
  })

  it.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'javascript://client.example/%0aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://client.example/x',
    'about:blank',
    'intent://x#Intent;scheme=https;end',
    'view-source:https://client.example',
    'ws://client.example/cb',
    'ftp://client.example/cb',
  ])('AZ-09 %s is no target, and cannot be registered', async (uri) => {
    await expectStays(web, uri)
    await expect(register(server, { redirect_uris: [uri] })).rejects.toThrow('registration')
  })
})

describe('RFC 8252 §7.3 loopback', () => {
  it.each([49152, 61023, 1, 65535])('AZ-10 any port goes with an IP literal: %i', async (port) => {
    const redirect_uri = `http://127.0.0.1:${port}/callback`
    const client = { ...native, redirect_uri }
    const { location } = await authorize(server, client)
    expect(location.startsWith(`${redirect_uri}?code=`)).toBe(true)
  })

  it.each([
    'http://127.0.0.1:5000/callbackx',
    'http://127.0.0.1:5000/callback/..',
    'http://127.0.0.1:5000/Callback',
    'http://127.0.0.1:5000/',
    'http://localhost:5000/callback',
    'http://127.0.0.2:5000/callback',
    'http://127.1:5000/callback',
    'http://2130706433:5000/callback',
    'http://0x7f.1:5000/callback',
    'http://0177.0.0.1:5000/callback',
    'http://[::1]:5000/callback',
    'http://[::ffff:127.0.0.1]:5000/callback',
    'http://0.0.0.0:5000/callback',
    'https://127.0.0.1:5000/callback',
    'http://127.0.0.1:5000@evil.example/callback',
    'http://127.0.0.1@evil.example/callback',
    'http://127.0.0.1.evil.example:5000/callback',
    'http://127.0.0.1:5000/callback?x=1',
    'http://127.0.0.1:5000/callback#x',
    'http://127.0.0.1:99999/callback',
    'http://127.0.0.1:-1/callback',
    'http://127.0.0.1:/callback',
    'http://127.0.0.1:05000/callback',
    'http://127.0.0.1: 5000/callback',
    'http://127.0.0.1:5000\\@evil.example/callback',
    'http://127.0.0.1:5000\\callback',
    'http://127.0.0.1:5000/callback\n',
    'http://127.0.0.1.:5000/callback',
    'http://\u0661\u0662\u0667.0.0.1:5000/callback',
  ])('AZ-11 %s is refused', (uri) => expectStays(native, uri))

  it('AZ-12 [::1] works in the same way, and is no other name of 127.0.0.1', async () => {
    const six = await register(server, { redirect_uris: ['http://[::1]/callback'] })
    const redirect_uri = 'http://[::1]:50123/callback'
    expect((await authorize(server, { ...six, redirect_uri })).location).toContain(redirect_uri)
    await expectStays(six, 'http://127.0.0.1:50123/callback')
    await expectStays(six, 'http://[0:0:0:0:0:0:0:1]:50123/callback')
    await expectStays(six, 'http://[::1%25lo]:50123/callback')
  })

  // What a caller may vary of a loopback redirect, and what a mutation does to any URI.
  const uri = fc.constantFrom(
    GOOD,
    'https://client.example/cb?a=1',
    'http://127.0.0.1/cb',
    'http://127.0.0.1:8080/cb',
    'http://localhost/cb',
    'http://[::1]:9/cb?x=1',
    'cursor://a.b/cb',
    'com.example.app:/cb',
  )
  const mutation = fc.oneof(
    fc.constant((text: string) => text),
    fc
      .nat(65_535)
      .map(
        (port) => (text: string) =>
          text.replace(/^(http:\/\/[^/:]+|http:\/\/\[::1\])(:\d+)?/, `$1:${port}`),
      ),
    fc.tuple(fc.nat(60), fc.string({ maxLength: 3 })).map(
      ([at, more]) =>
        (text: string) =>
          text.slice(0, at) + more + text.slice(at),
    ),
    fc.tuple(fc.nat(60), fc.nat(3)).map(
      ([at, count]) =>
        (text: string) =>
          text.slice(0, at) + text.slice(at + count),
    ),
    fc
      .constantFrom('/', '?', '#', '%2f', '\\', '@evil', ' ', '.')
      .map((more) => (text: string) => text + more),
    fc.constant((text: string) => text.toUpperCase()),
    fc.constant((text: string) => text.replaceAll('%20', ' ')),
    fc.constant((text: string) => text.replace('c', '%63')),
  )

  /** The rule, said a second time in other words: with a parser, and the port taken out of its result. */
  function same(registered: string, asked: string): boolean {
    if (registered === asked) return true
    if (!isLoopbackRedirect(registered) || !isLoopbackRedirect(asked)) return false
    const [one, other] = [new URL(registered), new URL(asked)]
    one.port = ''
    other.port = ''
    const spelt = (text: string): string =>
      text.replace(/^(http:\/\/(?:\[::1\]|[^/:?]+))(?::\d+)?/, '$1')
    return one.href === other.href && spelt(registered) === spelt(asked)
  }

  it('AZ-56 a match is equality, or equality but for the port of a loopback redirect', () => {
    fc.assert(
      fc.property(uri, uri, mutation, mutation, (registered, base, first, second) => {
        const asked = second(first(base))
        expect(matchRedirectUri(asked, [registered]) !== undefined).toBe(same(registered, asked))
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('RFC 8252 §7.1 private-use schemes', () => {
  it('AZ-50 reverse-domain and scheme://host forms work, with consent and a page in between each time', async () => {
    for (const redirect_uri of [
      'com.example.app:/cb',
      'cursor://anysphere.cursor-mcp/oauth/callback',
    ]) {
      const app = await register(server, { redirect_uris: [redirect_uri] })
      for (let time = 0; time < 2; time += 1) {
        const agent = agentOf('ada')
        const asked = await agent.get(authorizeUrl(server, app, pkce().challenge))
        expect(asked.status).toBe(200)
        const after = await decide(server, agent, asked)
        expect(after.status).toBe(200)
        expect(after.leadsTo?.startsWith(`${redirect_uri}?code=`)).toBe(true)
      }
    }
  })

  it('AZ-50 an error goes back to an app over a page, too', async () => {
    const app = await register(server, { redirect_uris: ['com.example.app:/cb'] })
    const page = await ask(app, { response_type: 'token' })
    expect(page.status).toBe(200)
    expect(page.leadsTo).toContain('com.example.app:/cb?error=unsupported_response_type')
  })

  it.each([
    'app:/cb',
    'http+unix://x/cb',
    'com.example.app://evil/cb',
    'com.example.app:cb',
    'app:cb',
    'mailto:x@y.example',
  ])('AZ-50 %s cannot be registered', async (uri) => {
    await expect(register(server, { redirect_uris: [uri] })).rejects.toThrow('registration')
  })

  it('AZ-50 an operator may switch them off: no registration, and none of before is used', async () => {
    const closed = await startServer({
      store: server.store,
      keys: server.keys,
      rateLimits: UNLIMITED,
      registration: { privateUseSchemes: false },
    })
    const app = await register(server, { redirect_uris: ['com.example.app:/cb'] })
    expectErrorPage(await agentOf('ada').get(authorizeUrl(closed, app, pkce().challenge)))
    await expect(register(closed, { redirect_uris: ['com.example.app:/cb'] })).rejects.toThrow()
  })
})

describe('RFC 6749 §4.1.2.1 before the redirect URI is known to be good', () => {
  const evil = encodeURIComponent('https://evil.example/cb')
  const good = encodeURIComponent(GOOD)

  it.each([
    ['good and evil', `&redirect_uri=${evil}`],
    ['the same twice', `&redirect_uri=${good}`],
    ['in other case of escapes', `&redirect%5Furi=${evil}`],
  ])('AZ-13 redirect_uri twice, %s, is a page', async (_what, extra) => {
    expectErrorPage(await ask(web, {}, extra))
  })

  it('AZ-13 evil first and good second is a page, too', async () => {
    const page = await ask(
      web,
      { redirect_uri: 'https://evil.example/cb' },
      `&redirect_uri=${good}`,
    )
    expectErrorPage(page)
    expect(page.body).not.toContain('evil.example')
  })

  it('AZ-15 it may not be left out when several are registered; with one it may', async () => {
    const two = await register(server, { redirect_uris: [GOOD, `${GOOD}2`] })
    expectErrorPage(await ask(two, { redirect_uri: undefined }))
    expectErrorPage(await ask(two, { redirect_uri: '' }))
    const agent = agentOf('ada')
    const page = await agent.get(
      authorizeUrl(server, web, pkce().challenge, { redirect_uri: undefined }),
    )
    expect((await decide(server, agent, page)).leadsTo).toContain(`${GOOD}?code=`)
  })

  it('AZ-15 one whose port is chosen at run time may not be left out', async () => {
    const native = await register(server, { redirect_uris: ['http://127.0.0.1:4000/callback'] })
    expectErrorPage(await ask(native, { redirect_uri: undefined }))
  })

  it.each([
    'unknown',
    '../x',
    '__proto__',
    'constructor',
    'toString',
    ` ${'x'}`,
    "' OR 1=1 --",
    'x'.repeat(5000),
    'é',
    'https://',
    'https://127.0.0.1/client.json',
    'http://client.example/client.json',
    'file:///etc/passwd',
    web.client_id.toUpperCase(),
    ` ${web.client_id}`,
    `${web.client_id} `,
    `${web.client_id}\n`,
    `${web.client_id}\0`,
  ])('AZ-16 the client %j never gets a redirect', async (client_id) => {
    expectErrorPage(await ask(web, { client_id }), [400, 401])
  })

  it('AZ-16 no client_id, an empty one and two are pages', async () => {
    expectErrorPage(await ask(web, { client_id: undefined }))
    expectErrorPage(await ask(web, { client_id: '' }))
    expectErrorPage(await ask(web, {}, `&client_id=${native.client_id}`))
  })

  const faults: readonly [string, Params][] = [
    ['response_type=token', { response_type: 'token' }],
    ['no response_type', { response_type: undefined }],
    ['a bad scope', { scope: '"' }],
    ['no PKCE', { code_challenge: undefined }],
    ['plain PKCE', { code_challenge_method: 'plain' }],
    ['a short challenge', { code_challenge: 'x' }],
    ['a foreign resource', { resource: 'https://evil.example/mcp' }],
    ['prompt=none', { prompt: 'none' }],
    ['prompt=none login', { prompt: 'none login' }],
    ['response_mode', { response_mode: 'fragment' }],
    ['response_mode=form_post', { response_mode: 'form_post' }],
    ['request', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
    ['request_uri', { request_uri: 'https://evil.example/r' }],
    ['claims', { claims: '{"userinfo":{}}' }],
    ['max_age', { max_age: '-1' }],
    ['a long state', { state: 'x'.repeat(5000) }],
    ['an unknown client', { client_id: 'nobody' }],
  ]
  it.each(faults)('AZ-57 a bad redirect_uri stays unused with %s', async (_what, params) => {
    const page = await ask(web, { redirect_uri: 'https://evil.example/cb', ...params })
    expectErrorPage(page)
    expect(page.body).not.toContain('evil.example')
  })

  it('AZ-57 it stays unused when state or scope stand twice', async () => {
    const bad = { redirect_uri: 'https://evil.example/cb' }
    for (const extra of ['&state=b', '&scope=x', '&response_type=code', '&code_challenge=x']) {
      expectErrorPage(await ask(web, bad, extra))
    }
  })
})

describe('RFC 6749 §4.1.3 the code belongs to one redirect URI', () => {
  it('AZ-40 a code sent to one is not redeemed with the other', async () => {
    const two = await register(server, { redirect_uris: [GOOD, `${GOOD}2`] })
    const authorized = await authorize(server, two)
    const refused = await redeem(server, authorized, { redirect_uri: `${GOOD}2` })
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await redeem(server, authorized)).status).toBe(200)
  })

  it('AZ-49 a query of its own is kept, and ours stands behind it once', async () => {
    const redirect_uri = 'https://client.example/cb?a=1&b=%20x'
    const client = await register(server, { redirect_uris: [redirect_uri] })
    const { location } = await authorize(server, client)
    expect(location.startsWith(`${redirect_uri}&code=`)).toBe(true)
    const { searchParams } = new URL(location)
    expect(['code', 'state', 'iss'].map((name) => searchParams.getAll(name).length)).toEqual([
      1, 1, 1,
    ])
  })

  it.each(['code', 'state', 'iss', 'error', 'c%6Fde'])(
    'AZ-49 a %s of its own keeps it from being registered',
    async (name) => {
      const redirect_uris = [`https://client.example/cb?${name}=x`]
      await expect(register(server, { redirect_uris })).rejects.toThrow('registration')
    },
  )

  it('AZ-14 another parameter twice is an error that goes back, with the state only if that stood once', async () => {
    const asked = { state: 'st' }
    const names = ['response_type', 'code_challenge', 'code_challenge_method', 'scope', 'prompt']
    for (const name of [...names, 'response_mode', 'login_hint', 'max_age', 'request']) {
      const twice = names.slice(0, 4).includes(name) ? `&${name}=x` : `&${name}=x&${name}=x`
      const answer = answerOf(await ask(web, asked, twice))
      const { error, state, iss } = Object.fromEntries(answer)
      expect([name, error, state, iss]).toEqual([name, 'invalid_request', 'st', server.issuer])
    }
    const answer = answerOf(await ask(web, asked, '&state=other'))
    expect([answer.get('error'), answer.get('state')]).toEqual(['invalid_request', null])
  })

  it('AZ-37 arrays and objects in names are other parameters', async () => {
    const base = { redirect_uri: undefined, client_id: undefined }
    const names = [
      'redirect_uri[]',
      'redirect_uri[0]',
      'client_id[$ne]',
      'code_challenge[a]',
      'scope[__proto__]',
      '__proto__',
      'constructor[prototype][x]',
    ]
    for (const name of names) {
      expectErrorPage(await ask(web, { ...base, [name]: 'https://evil.example/cb' }))
      const page = await ask(web, { [name]: 'x' })
      expect([name, page.status]).toEqual([name, 200])
    }
    expectErrorPage(
      await createAgent().get(`${server.issuer}/authorize?client_id[]=${web.client_id}`),
    )
  })
})

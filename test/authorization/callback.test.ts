/**
 * The way through a real OpenID provider and back.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { createAgent, fieldOf, type Page } from '../support/agent.ts'
import { agentOf, authorizeUrl, call, decide, pkce, redeem, register } from '../support/flow.ts'
import {
  arrive,
  depart,
  signInUpstream,
  startWorld,
  UNLIMITED,
  upstreamAt,
} from '../support/upstream_flow.ts'
import { startServer } from '../support/server.ts'
import { generateKey } from '../../src/crypto/keyring.ts'
import { oidc } from '../../src/upstream/oidc.ts'
import { startOidcProvider } from '../support/oidc_provider.ts'
import { answerOf, expectErrorPage, recording, startReplicas } from './support.ts'

const store = recording()
const world = await startWorld({ store })
const { server, provider } = world
afterAll(() => world.close())
const client = await register(server)

/** Up to the moment when the browser comes back with a code of the provider. */
async function comeBack(user: 'ada' | 'grace' = 'ada', state = 'st') {
  const departure = await depart(world, { client, params: { state } })
  return { departure, callback: await provider.signIn(departure.upstreamUrl, user) }
}

function withParameters(url: string, change: (parameters: URLSearchParams) => void): string {
  const changed = new URL(url)
  change(changed.searchParams)
  return changed.href
}

function exchanges(): number {
  return provider.tokenCalls().all
}

describe('OAuth 2.1 §4.1 a sign-in through the upstream', () => {
  it('ends with tokens that open the resource, and an upstream token in the tool', async () => {
    const { tokens } = await signInUpstream(world, 'grace', { client })
    expect((await call(server, tokens.access_token)).status).toBe(200)
    const info = await server.auth.verifyToken(undefined, tokens.access_token)
    if (info === undefined) throw new Error('not verified')
    expect(info.extra.user).toMatchObject({
      sub: 'grace',
      issuer: provider.issuer,
      name: 'Grace Hopper',
    })
    const token = await server.auth.upstreamToken(info)
    const notes = await fetch(provider.notesUrl, { headers: { authorization: `Bearer ${token}` } })
    expect(await notes.json()).toMatchObject({ user: 'grace' })
    expect([tokens.access_token, tokens.refresh_token]).not.toContain(token)
  })

  it('CB-07 CO-01 before the yes there is no upstream address, no state and one cookie of the page alone', async () => {
    await signInUpstream(world, 'ada', { client })
    const agent = createAgent()
    const page = await agent.get(authorizeUrl(server, client, pkce().challenge))
    expect([page.status, page.leadsTo]).toEqual([200, undefined])
    expect(page.body).not.toContain(new URL(provider.issuer).host)
    expect([...agent.jar.keys()]).toEqual([`mcp_oauth_${fieldOf(page, 'ticket')}`])
    const denied = await decide(server, agent, page, 'deny')
    expect(answerOf(denied).get('error')).toBe('access_denied')
    expect(agent.jar.size).toBe(0)
  })

  it('CB-01 the upstream sees a state, nonce and challenge of its own each time, and nothing of the client', async () => {
    const [one, two] = [
      await depart(world, { client, params: { state: 'client-state' } }),
      await depart(world, { client }),
    ]
    const [first, second] = [one, two].map(({ upstreamUrl }) => new URL(upstreamUrl).searchParams)
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(first?.get(name)?.length).toBeGreaterThanOrEqual(29)
      expect(first?.get(name)).not.toBe(second?.get(name))
    }
    expect(first?.get('code_challenge_method')).toBe('S256')
    expect(first?.get('redirect_uri')).toBe(`${server.issuer}/callback`)
    for (const secret of ['client-state', client.client_id, one.verifier, 'client.example']) {
      expect(one.upstreamUrl).not.toContain(secret)
    }
    expect(one.agent.jar.size).toBe(1)
  })

  it('AZ-48 prompt and login_hint reach the upstream, and nothing that it would not know', async () => {
    const { upstreamUrl } = await depart(world, {
      client,
      params: { prompt: 'login', login_hint: 'ada@example.com' },
    })
    const asked = new URL(upstreamUrl).searchParams
    expect(asked.get('prompt')?.split(' ')).toContain('login')
    expect(asked.get('login_hint')).toBe('ada@example.com')
  })

  it('AZ-32 prompt=none asks nobody', async () => {
    const page = await createAgent().get(
      authorizeUrl(server, client, pkce().challenge, { prompt: 'none' }),
    )
    expect(answerOf(page).get('error')).toBe('login_required')
  })

  it('CO-10 CB-06 a no at the upstream goes back to the client as access_denied, and ends the step', async () => {
    const departure = await depart(world, { client, params: { state: 'st' } })
    const callback = await provider.decline(departure.upstreamUrl, 'ada')
    const page = await departure.agent.get(callback)
    const { error, state, iss } = Object.fromEntries(answerOf(page))
    expect({ error, state, iss }).toEqual({
      error: 'access_denied',
      state: 'st',
      iss: server.issuer,
    })
    expect(departure.agent.jar.size).toBe(0)
    expectErrorPage(await departure.agent.get(callback))
  })

  it('CB-13 the user is issuer and sub: the same at each sign-in, another for another', async () => {
    const subjects: (string | undefined)[] = []
    for (const user of ['ada', 'ada', 'grace'] as const) {
      const { tokens } = await signInUpstream(world, user, { client })
      const info = await server.auth.verifyToken(undefined, tokens.access_token)
      subjects.push(info?.extra.subject)
    }
    expect(subjects[0]).toBe(subjects[1])
    expect(subjects[0]).not.toBe(subjects[2])
  })
})

describe('RFC 9700 §4.7 the browser that said yes is the one that comes back', () => {
  it('CB-03 the callback of an attacker in the browser of a victim is refused, and costs nobody anything', async () => {
    const { departure, callback } = await comeBack()
    const before = exchanges()
    const victim = createAgent()
    expectErrorPage(await victim.get(callback), 403)
    expect(victim.jar.size).toBe(0)
    expect(exchanges()).toBe(before)
    expect(arrive(departure, await departure.agent.get(callback)).code).not.toBe('')
  })

  it('CB-03 a victim who is on the same way already gets nothing of the attacker, either', async () => {
    const attackers = await comeBack('grace')
    const victims = await comeBack('ada')
    expectErrorPage(await victims.departure.agent.get(attackers.callback), 403)
    const [mine, theirs] = [victims.callback, attackers.callback].map(
      (url) => new URL(url).searchParams,
    )
    const mixed = withParameters(attackers.callback, (p) =>
      p.set('state', mine?.get('state') ?? ''),
    )
    // The attacker's code under the victim's state: bound to another nonce and challenge.
    const page = await victims.departure.agent.get(mixed)
    expect(answerOf(page).get('error')).toBe('server_error')
    expect(theirs?.get('code')).not.toBe(mine?.get('code'))
  })

  it('CB-03 the door to the upstream, given to a victim who then signs in there, ends in a page', async () => {
    const attacker = await depart(world, { client })
    const callback = await provider.signIn(attacker.upstreamUrl, 'ada')
    expectErrorPage(await createAgent().get(callback), 403)
  })

  it('CO-23 a second cookie of the same name, or the cookie of the page before, does not do', async () => {
    const { departure, callback } = await comeBack()
    const [[name = '', value = ''] = []] = [...departure.agent.jar]
    for (const cookie of [
      `${name}=${value}; ${name}=x`,
      `${name}=x; ${name}=${value}`,
      `${name}=`,
      `${name}=${value}x`,
      `x${name}=${value}`,
    ]) {
      expectErrorPage(await createAgent().get(callback, { cookie }), 403)
    }
    expect((await departure.agent.get(callback)).leadsTo).toContain('code=')
  })

  it.each([
    ['without a state', (p: URLSearchParams) => p.delete('state')],
    ['with an empty one', (p: URLSearchParams) => p.set('state', '')],
    ['with an unknown one', (p: URLSearchParams) => p.set('state', 'x'.repeat(29))],
    ['with two', (p: URLSearchParams) => p.append('state', p.get('state') ?? '')],
    ['with __proto__', (p: URLSearchParams) => p.set('state', '__proto__')],
    [
      'with an array',
      (p: URLSearchParams) => (p.set('state[]', p.get('state') ?? ''), p.delete('state')),
    ],
    ['with 8,000 characters', (p: URLSearchParams) => p.set('state', 'x'.repeat(8000))],
    [
      'with another case',
      (p: URLSearchParams) => p.set('state', (p.get('state') ?? '').toUpperCase()),
    ],
    ['with a space behind it', (p: URLSearchParams) => p.set('state', `${p.get('state')} `)],
  ])('CB-04 a callback %s is a page, and nobody is asked', async (_what, change) => {
    const { departure, callback } = await comeBack()
    const before = exchanges()
    expectErrorPage(await departure.agent.get(withParameters(callback, change)))
    expect(exchanges()).toBe(before)
    expect((await departure.agent.get(callback)).leadsTo).toContain('code=')
  })

  it('CB-04 the ticket of a consent page is no state, and a state is no ticket', async () => {
    const agent = createAgent()
    const page = await agent.get(authorizeUrl(server, client, pkce().challenge))
    const before = exchanges()
    expectErrorPage(
      await agent.get(`${server.issuer}/callback?code=x&state=${fieldOf(page, 'ticket')}`),
    )
    const departure = await depart(world, { client })
    const state = new URL(departure.upstreamUrl).searchParams.get('state') ?? ''
    const form = { ticket: state, csrf: fieldOf(page, 'csrf'), decision: 'approve' }
    expectErrorPage(await departure.agent.post(`${server.issuer}/consent`, form))
    expect(exchanges()).toBe(before)
    expect((await decide(server, agent, page)).leadsTo).toContain(provider.issuer)
  })

  it('CB-05 the callback works once', async () => {
    const { departure, callback } = await comeBack()
    const jar = new Map(departure.agent.jar)
    expect((await departure.agent.get(callback)).leadsTo).toContain('code=')
    const before = exchanges()
    expectErrorPage(await departure.agent.get(callback), 400)
    expectErrorPage(await createAgent(jar).get(callback), 400)
    expect(exchanges()).toBe(before)
  })

  it('CB-18 twenty callbacks at once: one exchange at the upstream, one code', async () => {
    const { departure, callback } = await comeBack()
    const before = exchanges()
    const jar = new Map(departure.agent.jar)
    const pages = await Promise.all(
      Array.from({ length: 20 }, () => createAgent(jar).get(callback)),
    )
    expect(pages.filter(({ leadsTo }) => leadsTo?.includes('code='))).toHaveLength(1)
    expect(pages.filter(({ status }) => status === 400)).toHaveLength(19)
    expect(exchanges()).toBe(before + 1)
  })

  it('CO-14 CO-20 fifty approvals of one page: one way to the upstream', async () => {
    const agent = createAgent()
    const page = await agent.get(authorizeUrl(server, client, pkce().challenge))
    const jar = new Map(agent.jar)
    const pages = await Promise.all(
      Array.from({ length: 50 }, () => decide(server, createAgent(jar), page)),
    )
    expect(pages.filter(({ leadsTo }) => leadsTo !== undefined)).toHaveLength(1)
  })

  it('AZ-45 ST-19 ten minutes after the request the way back is closed', async () => {
    const late = await startWorld()
    const departure = await depart(late)
    const callback = await late.provider.signIn(departure.upstreamUrl, 'ada')
    late.server.advance(601)
    const before = late.provider.tokenCalls().all
    expectErrorPage(await departure.agent.get(callback))
    expect(late.provider.tokenCalls().all).toBe(before)
    await late.close()
  })

  it('CO-19 two tabs go through the upstream side by side, and end in the other order', async () => {
    const agent = createAgent()
    const other = await register(server, { redirect_uris: ['https://other.example/cb'] })
    const first = await depart(world, { agent, client, params: { state: 'one' } })
    const second = await depart(world, { agent, client: other, params: { state: 'two' } })
    const [one, two] = [
      await provider.signIn(first.upstreamUrl, 'ada'),
      await provider.signIn(second.upstreamUrl, 'grace'),
    ]
    const ends = [await agent.get(two), await agent.get(one)]
    expect(ends.map((page) => answerOf(page).get('state'))).toEqual(['two', 'one'])
    expect(ends.map(({ leadsTo }) => new URL(leadsTo ?? '').host)).toEqual([
      'other.example',
      'client.example',
    ])
    // Each code is of its own client.
    const code = answerOf(ends[0] as Page).get('code') ?? ''
    const stolen = await redeem(server, { code, verifier: first.verifier, client, location: '' })
    expect([stolen.status, stolen.body['error']]).toEqual([400, 'invalid_grant'])
  })

  it.each(['POST', 'PUT', 'HEAD', 'OPTIONS'])(
    'CB-24 CR-02 %s at the callback is 405 and uses nothing up',
    async (method) => {
      const { departure, callback } = await comeBack()
      const cookie = [...departure.agent.jar].map((pair) => pair.join('=')).join('; ')
      const headers = {
        cookie,
        origin: 'https://evil.example',
        'access-control-request-method': 'GET',
      }
      const response = await fetch(callback, { method, headers })
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
        405,
        null,
      ])
      expect((await departure.agent.get(callback)).leadsTo).toContain('code=')
    },
  )
})

describe('RFC 9207 and RFC 6749 §4.1.2.1 what the upstream sends with the browser', () => {
  it.each([
    ['another issuer', (p: URLSearchParams) => p.set('iss', 'https://evil.example')],
    ['no issuer, though the upstream sends one', (p: URLSearchParams) => p.delete('iss')],
    ['two issuers', (p: URLSearchParams) => p.append('iss', 'https://evil.example')],
    ['two codes', (p: URLSearchParams) => p.append('code', 'x')],
    ['an empty code', (p: URLSearchParams) => p.set('code', '')],
    ['no code', (p: URLSearchParams) => p.delete('code')],
    ['a code and an error', (p: URLSearchParams) => p.set('error', 'server_error')],
    ['a response of JARM', (p: URLSearchParams) => p.set('response', 'x.y.z')],
  ])('CB-08 CB-17 %s: an error for the client, and no exchange', async (_what, change) => {
    const { departure, callback } = await comeBack()
    const before = exchanges()
    const answer = answerOf(await departure.agent.get(withParameters(callback, change)))
    expect(['server_error', 'temporarily_unavailable']).toContain(answer.get('error'))
    expect([answer.get('state'), answer.get('iss')]).toEqual(['st', server.issuer])
    expect(answer.has('code')).toBe(false)
    expect(exchanges()).toBe(before)
  })

  it.each([
    ['access_denied', 'access_denied'],
    ['temporarily_unavailable', 'temporarily_unavailable'],
    ['server_error', 'temporarily_unavailable'],
    ['invalid_scope', 'server_error'],
    ['<script>alert(1)</script>', 'server_error'],
    ['x\r\nSet-Cookie: pwn=1', 'server_error'],
  ])('CB-06 the error %j is told as %s, in words of ours', async (error, told) => {
    const departure = await depart(world, { client, params: { state: 'st' } })
    const state = new URL(departure.upstreamUrl).searchParams.get('state') ?? ''
    const query = new URLSearchParams({
      error,
      error_description: '<script>alert(2)</script>"upstream words"',
      error_uri: 'javascript:alert(3)',
      state,
      iss: provider.issuer,
    })
    const page = await departure.agent.get(`${server.issuer}/callback?${query}`)
    const answer = answerOf(page)
    expect([answer.get('error'), answer.get('state')]).toEqual([told, 'st'])
    expect(page.body + (page.leadsTo ?? '')).not.toMatch(/<script|alert|upstream words|javascript/)
    expect(page.headers.get('set-cookie')).not.toContain('pwn')
    expect(answer.has('error_uri')).toBe(false)
  })

  it('CB-06 with an unknown state it is a page of ours', async () => {
    const query =
      'error=%3Cscript%3Ex%3C/script%3E&error_description=%3Cb%3Ewords%3C/b%3E&state=unknown'
    const page = await createAgent().get(`${server.issuer}/callback?${query}`)
    expectErrorPage(page)
    expect(page.body).not.toMatch(/<script|<b>|words/)
  })

  it('CB-15 the code of one provider, brought to a server of another, goes to neither', async () => {
    const evil = await startOidcProvider()
    const two = await startServer({
      rateLimits: UNLIMITED,
      upstream: (issuer) => upstreamAt(evil, issuer),
    })
    const departure = await depart({ server: two })
    const honest = await comeBack()
    const state = new URL(departure.upstreamUrl).searchParams.get('state') ?? ''
    const code = new URL(honest.callback).searchParams.get('code') ?? ''
    for (const iss of [provider.issuer, '']) {
      const query = new URLSearchParams({ code, state, iss })
      const page = await departure.agent.get(`${two.issuer}/callback?${query}`)
      expect(page.leadsTo ?? 'error=').toContain('error=')
    }
    expect(evil.tokenCalls().all).toBe(0)
    await two.close()
    await evil.close()
  })

  it('CB-16 HH-01 the way back that the upstream is told does not follow Host', async () => {
    const agent = createAgent()
    const spoofed = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
      'x-original-url': '/evil',
      'x-forwarded-prefix': '/evil',
    }
    const page = await agent.get(authorizeUrl(server, client, pkce().challenge), spoofed)
    const fields = {
      ticket: fieldOf(page, 'ticket'),
      csrf: fieldOf(page, 'csrf'),
      decision: 'approve',
    }
    const after = await agent.post(`${server.issuer}/consent`, fields, spoofed)
    expect(page.body + after.body).not.toContain('evil.example')
    expect(new URL(after.leadsTo ?? '').searchParams.get('redirect_uri')).toBe(
      `${server.issuer}/callback`,
    )
  })
})

describe('who may enter', () => {
  it.each([
    ['emails', { emails: ['grace@example.com'] }],
    ['subjects', { subjects: ['grace'] }],
    ['domains', { domains: ['corp.example'] }],
    ['a function', ({ sub }: { sub: string }) => sub === 'grace'],
    ['a function that says something else than true', () => 'yes' as unknown as boolean],
  ])(
    'CB-14 %s: whoever is not named is told so, nothing is kept, and the upstream gets its tokens back',
    async (_what, allow) => {
      const kept = recording()
      const strict = await startWorld({ allow, store: kept })
      const departure = await depart(strict)
      const page = await departure.agent.get(
        await strict.provider.signIn(departure.upstreamUrl, 'ada'),
      )
      expectErrorPage(page, 403)
      expect(page.body).toContain('Ada Lovelace')
      expect(departure.agent.jar.size).toBe(0)
      expect(kept.dump()).not.toContain('"connection"')
      expect(kept.dump()).not.toContain('"grant"')
      expect(strict.server.events.at(-1)).toMatchObject({ type: 'sign_in_refused' })
      await strict.close()
    },
  )

  it('CB-14 whoever is named comes in', async () => {
    const strict = await startWorld({ allow: { domains: ['EXAMPLE.com'] } })
    expect((await signInUpstream(strict)).tokens.access_token).not.toBe('')
    await strict.close()
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('secret-of-the-directory')
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret-of-the-directory'))],
  ])(
    'CB-14 a function that %s is an outage: the client hears it, and nothing is kept',
    async (_what, allow) => {
      const kept = recording()
      const strict = await startWorld({ allow, store: kept })
      const departure = await depart(strict, { params: { state: 'st' } })
      const page = await departure.agent.get(
        await strict.provider.signIn(departure.upstreamUrl, 'ada'),
      )
      const answer = answerOf(page)
      expect([answer.get('error'), answer.get('state')]).toEqual(['temporarily_unavailable', 'st'])
      expect(page.body).not.toContain('secret-of-the-directory')
      expect(departure.agent.jar.size).toBe(0)
      expect(kept.dump()).not.toContain('"connection"')
      await strict.close()
    },
  )
})

describe('what is kept of it', () => {
  it('ST-01 CB-26 no state of the client, cookie, nonce, verifier, code or token of the upstream stands in the store', async () => {
    const departure = await depart(world, { client })
    const state = new URL(departure.upstreamUrl).searchParams.get('state') ?? ''
    const nonce = new URL(departure.upstreamUrl).searchParams.get('nonce') ?? 'none'
    const cookie = departure.agent.jar.get(`mcp_oauth_${state}`) ?? 'none'
    const callback = await provider.signIn(departure.upstreamUrl, 'ada')
    const authorized = arrive(departure, await departure.agent.get(callback))
    const { body } = await redeem(server, authorized)
    const info = await server.auth.verifyToken(undefined, String(body['access_token']))
    if (info === undefined) throw new Error('not verified')
    const upstreamToken = await server.auth.upstreamToken(info)
    const code = new URL(callback).searchParams.get('code') ?? 'none'
    const dump = store.dump()
    expect(dump).toContain('"connection"')
    for (const secret of [
      nonce,
      cookie,
      code,
      upstreamToken,
      authorized.code,
      authorized.verifier,
      String(body['access_token']),
      String(body['refresh_token']),
      provider.client_secret,
    ]) {
      expect(secret.length).toBeGreaterThan(15)
      expect(dump).not.toContain(secret)
    }
    const events = JSON.stringify(server.events)
    for (const secret of [nonce, cookie, code, upstreamToken, authorized.code, state]) {
      expect(events).not.toContain(secret)
    }
  })

  it('AZ-54 RG-32 a client that went away while the user was at the upstream gets no code', async () => {
    const one = await register(server, { client_name: 'Gone soon' })
    const departure = await depart(world, { client: one })
    const callback = await provider.signIn(departure.upstreamUrl, 'ada')
    await store.take('client', one.client_id)
    const before = exchanges()
    expectErrorPage(await departure.agent.get(callback))
    expect(exchanges()).toBe(before)
  })

  it('CB-22 CO-12 parameters behind the callback change nothing of the grant', async () => {
    const { departure, callback } = await comeBack()
    const page = await departure.agent.get(
      `${callback}&scope=admin&redirect_uri=https://evil.example&client_id=x&session_state=y`,
    )
    expect(page.leadsTo?.startsWith(`${client.redirect_uri}?code=`)).toBe(true)
  })
})

describe('several instances', () => {
  it('each step may be on another one', async () => {
    const op = await startOidcProvider()
    const site = await startReplicas(3, (issuer) => ({ upstream: upstreamAt(op, issuer) }))
    const here = { server: { ...server, ...site }, provider: op, close: world.close }
    for (let time = 0; time < 3; time += 1) {
      expect((await signInUpstream(here)).tokens.access_token).not.toBe('')
    }
    await site.close()
    await op.close()
  })

  it('clocks that are 30 seconds apart do not matter', async () => {
    const op = await startOidcProvider()
    const now = (): number => Math.floor(Date.now() / 1000)
    const site = await startReplicas(2, (issuer, index) => ({
      upstream: upstreamAt(op, issuer),
      clock: () => now() + 30 * index,
    }))
    const here = { server: { ...server, ...site }, provider: op, close: world.close }
    for (let time = 0; time < 4; time += 1) {
      expect((await signInUpstream(here)).tokens.access_token).not.toBe('')
    }
    await site.close()
    await op.close()
  })

  it('MI-04 an instance with other keys answers with a page, and the others finish the sign-in', async () => {
    const op = await startOidcProvider()
    const site = await startReplicas(2, (issuer, index) => ({
      upstream: upstreamAt(op, issuer),
      ...(index === 1 && { keys: [generateKey()] }),
    }))
    // The instances take turns: each step is first refused by the second, and then taken by the first.
    const one = await register(site)
    const url = authorizeUrl(site, one, pkce().challenge)
    const agent = createAgent()
    const refused = await agent.get(url)
    expectErrorPage(refused, 503)
    expect(refused.leadsTo).toBeUndefined()
    const page = await agent.get(url)
    expectErrorPage(await decide(site, agent, page), 503)
    const departed = await decide(site, agent, page)
    const callback = await op.signIn(departed.leadsTo ?? '', 'ada')
    expectErrorPage(await agent.get(callback), 503)
    expect(op.tokenCalls().all).toBe(0)
    expect(answerOf(await agent.get(callback)).get('code')).not.toBeNull()
    await site.close()
    await op.close()
  })
})

describe('the app’s own login', () => {
  it('has no callback', async () => {
    const own = await startServer({ rateLimits: UNLIMITED })
    expectErrorPage(await agentOf('ada').get(`${own.issuer}/callback?code=x&state=y`), 404)
    await own.close()
  })
})

describe('an upstream that is down', () => {
  it('CB-09 CB-10 at the yes: a page, and the same page may be answered again', async () => {
    const op = await startOidcProvider()
    op.outage(true)
    const down = await startServer({
      rateLimits: UNLIMITED,
      upstream: (issuer) => upstreamAt(op, issuer),
    })
    const one = await register(down)
    const agent = createAgent()
    const page = await agent.get(authorizeUrl(down, one, pkce().challenge))
    expect(page.status).toBe(200)
    const failed = await decide(down, agent, page)
    expectErrorPage(failed, 502)
    expect(failed.body).not.toContain(new URL(op.issuer).host)
    op.outage(false)
    expect((await decide(down, agent, page)).leadsTo).toContain(op.issuer)
    await down.close()
    await op.close()
  })

  it('CB-09 CB-10 at the callback: temporarily_unavailable with state, and nothing is kept', async () => {
    const departure = await depart(world, { client, params: { state: 'st' } })
    const callback = await provider.signIn(departure.upstreamUrl, 'ada')
    const grants = server.events.filter(({ type }) => type === 'grant_begun').length
    provider.outage(true)
    const answer = answerOf(await departure.agent.get(callback))
    provider.outage(false)
    expect([answer.get('error'), answer.get('state')]).toEqual(['temporarily_unavailable', 'st'])
    expect(server.events.filter(({ type }) => type === 'grant_begun')).toHaveLength(grants)
    expect(departure.agent.jar.size).toBe(0)
  })

  it('CB-09 a provider that nobody can reach, with a name of no host', async () => {
    const lost = await startServer({
      rateLimits: UNLIMITED,
      upstream: () => oidc({ issuer: 'http://127.0.0.1:1', client_id: 'x', name: 'Lost' }),
    })
    const agent = createAgent()
    const page = await agent.get(authorizeUrl(lost, await register(lost), pkce().challenge))
    expectErrorPage(await decide(lost, agent, page), 502)
    await lost.close()
  })
})

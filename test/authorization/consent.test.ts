/**
 * The answer to the consent page: whose it is, that it counts once, and that nothing in it is believed.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { memory } from '../../src/stores/memory.ts'
import { createAgent, fieldOf, type Agent, type Page } from '../support/agent.ts'
import {
  agentOf,
  authorize,
  authorizeUrl,
  decide,
  pkce,
  redeem,
  REDIRECT,
  register,
  signIn,
  type Params,
  type TestClient,
} from '../support/flow.ts'
import { startServer } from '../support/server.ts'
import { UNLIMITED } from '../support/upstream_flow.ts'
import { answerOf, expectErrorPage, recording, startReplicas, watched } from './support.ts'

const store = watched()
const server = await startServer({ store, rateLimits: UNLIMITED })
afterAll(() => server.close())
const client = await register(server)
const consentUrl = `${server.issuer}/consent`

async function open(
  agent: Agent = agentOf('ada'),
  params: Params = {},
  who: TestClient = client,
): Promise<Page> {
  const page = await agent.get(authorizeUrl(server, who, pkce().challenge, params))
  expect(page.status).toBe(200)
  return page
}

function fieldsOf(page: Page): { ticket: string; csrf: string; decision: string } {
  return { ticket: fieldOf(page, 'ticket'), csrf: fieldOf(page, 'csrf'), decision: 'approve' }
}

function begun(): number {
  return store.written.filter((kind) => kind === 'grant').length
}

/** The page is refused, no grant begins, and the honest browser can still answer its own page. */
async function expectRefused(page: Page, status: number | number[] = 403): Promise<void> {
  expectErrorPage(page, status)
  expect(page.body).not.toContain('code=')
}

describe('MCP, Security Best Practices: the confused deputy', () => {
  it('CO-01 CO-15 CO-24 CO-25 each client and each request gets the page, whatever was approved before', async () => {
    const agent = agentOf('ada')
    const loopback = await register(server, { redirect_uris: ['http://127.0.0.1/cb'] })
    for (const who of [
      client,
      client,
      loopback,
      loopback,
      await register(server, { client_name: 'Other' }),
    ]) {
      const before = begun()
      for (const site of ['cross-site', 'same-origin', 'none', undefined]) {
        const headers = site === undefined ? {} : { 'sec-fetch-site': site }
        const page = await agent.get(authorizeUrl(server, who, pkce().challenge), headers)
        expect([page.status, page.leadsTo]).toEqual([200, undefined])
      }
      expect(begun()).toBe(before)
      await authorize(server, who, { agent })
    }
  })

  it('CO-03 the form of a browser without the cookie is refused', async () => {
    const agent = agentOf('ada')
    const page = await open(agent)
    const before = begun()
    await expectRefused(await createAgent().post(consentUrl, fieldsOf(page)))
    await expectRefused(await agentOf('ada').post(consentUrl, fieldsOf(page)))
    expect(begun()).toBe(before)
    expect((await decide(server, agent, page)).leadsTo).toContain('code=')
  })

  it('CO-03 AZ-46 the page of an attacker, put before a victim who is signed in, is refused', async () => {
    const attackers = await open(agentOf('mallory'))
    const victim = agentOf('ada')
    await open(victim)
    await expectRefused(await victim.post(consentUrl, fieldsOf(attackers)))
  })

  it('CO-03 CO-23 the cookie of another step of the same browser does not do', async () => {
    const agent = agentOf('ada')
    const [first, second] = [await open(agent), await open(agent)]
    const names = [...agent.jar.keys()].filter((name) => name.startsWith('mcp_oauth_'))
    const [one = '', two = ''] = names
    agent.jar.set(one, agent.jar.get(two) ?? '')
    await expectRefused(await agent.post(consentUrl, fieldsOf(first)))
    expect((await decide(server, agent, second)).leadsTo).toContain('code=')
  })

  it('CO-23 two cookies of one name are one too many, in whichever order', async () => {
    for (const order of [0, 1]) {
      const agent = agentOf('ada')
      const page = await open(agent)
      const [name = '', value = ''] =
        [...agent.jar].find(([key]) => key.startsWith('mcp_oauth_')) ?? []
      const pairs = [`${name}=${value}`, `${name}=tossed`]
      const cookie = `user=ada; ${(order === 0 ? pairs : pairs.toReversed()).join('; ')}`
      await expectRefused(await agent.post(consentUrl, fieldsOf(page), { cookie }))
    }
  })

  it('CO-23 an attacker who tosses both his cookie and his page is known by the user he is not', async () => {
    const mallory = agentOf('mallory')
    const page = await open(mallory)
    const victim = createAgent(new Map([...mallory.jar, ['user', 'ada']]))
    await expectRefused(await victim.post(consentUrl, fieldsOf(page)))
  })

  it.each([
    ['dropped', undefined],
    ['empty', ''],
    ['replaced', 'x'.repeat(22)],
    ['with something behind it', 'MORE'],
  ])('CO-04 the anti-CSRF value %s is refused', async (_what, value) => {
    const agent = agentOf('ada')
    const page = await open(agent)
    const { csrf, ...rest } = fieldsOf(page)
    const fields =
      value === undefined ? rest : { ...rest, csrf: value === 'MORE' ? `${csrf}A` : value }
    await expectRefused(await agent.post(consentUrl, fields))
    const hash = (await store.find('ticket', rest.ticket))?.record.csrfHash ?? ''
    await expectRefused(await agent.post(consentUrl, { ...rest, csrf: hash }))
    expect((await decide(server, agent, page)).leadsTo).toContain('code=')
  })

  it('CO-04 the value of another page of the same browser does not do', async () => {
    const agent = agentOf('ada')
    const [first, second] = [await open(agent), await open(agent)]
    await expectRefused(
      await agent.post(consentUrl, { ...fieldsOf(first), csrf: fieldOf(second, 'csrf') }),
    )
  })

  it.each([
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    { origin: 'null', 'sec-fetch-site': 'cross-site' },
    { origin: 'null', 'sec-fetch-site': 'same-site' },
    { origin: 'null', 'sec-fetch-site': 'none' },
    { origin: `${server.origin}.evil.example` },
    { origin: `${server.origin}/` },
    { origin: server.origin, 'sec-fetch-site': '' },
  ])('CO-18 %j is refused even with cookie and value', async (headers) => {
    const agent = agentOf('ada')
    const page = await open(agent)
    const { origin } = headers
    const sent = { origin, 'sec-fetch-site': headers['sec-fetch-site'] ?? 'same-origin' }
    await expectRefused(await agent.post(consentUrl, fieldsOf(page), sent))
  })

  it('CO-18 a browser that names our origin, or tells nothing of fetch metadata, is let in', async () => {
    const agent = agentOf('ada')
    const page = await open(agent)
    const response = await fetch(consentUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: server.origin,
        cookie: [...agent.jar].map((pair) => pair.join('=')).join('; '),
      },
      body: new URLSearchParams(fieldsOf(page)),
    })
    expect(await response.text()).toContain('code=')
  })

  it('CO-12 nothing but ticket, value and decision is read of the form', async () => {
    const agent = agentOf('ada')
    const page = await open(agent, { scope: 'notes:read' })
    const after = await decide(server, agent, page, 'approve', {
      client_id: 'other',
      redirect_uri: 'https://evil.example/cb',
      user_id: 'root',
      sub: 'root',
      subject: 'root',
      user: 'root',
      scope: 'notes:read notes:write',
      code_challenge: 'x'.repeat(43),
      state: 'evil',
      resource: 'https://evil.example/',
      step: 'upstream',
    })
    expect(after.leadsTo?.startsWith(`${REDIRECT}?code=`)).toBe(true)
    expect(answerOf(after).get('state')).toBe('a state')
    const grants = server.events.filter(({ type }) => type === 'grant_begun')
    expect(grants.at(-1)?.scope).toEqual(['notes:read'])
  })

  it.each(['', 'yes', 'APPROVE', 'approve ', 'true', undefined])(
    'CO-12 the decision %j is neither yes nor no',
    async (decision) => {
      const agent = agentOf('ada')
      const page = await open(agent)
      const { decision: _dropped, ...rest } = fieldsOf(page)
      const before = begun()
      expectErrorPage(
        await agent.post(consentUrl, decision === undefined ? rest : { ...rest, decision }),
      )
      expect(begun()).toBe(before)
      expect((await decide(server, agent, page)).leadsTo).toContain('code=')
    },
  )

  it('CO-12 approve and deny together are neither, and so are two tickets', async () => {
    const agent = agentOf('ada')
    const page = await open(agent)
    const { ticket, csrf } = fieldsOf(page)
    const base = `ticket=${ticket}&csrf=${csrf}`
    expectErrorPage(await agent.post(consentUrl, `${base}&decision=deny&decision=approve`))
    expectErrorPage(await agent.post(consentUrl, `${base}&ticket=${ticket}&decision=approve`))
    expectErrorPage(await agent.post(consentUrl, `${base}&csrf=${csrf}&decision=approve`))
  })

  it.each([
    ['application/json', 415],
    ['multipart/form-data; boundary=x', 415],
    ['text/plain', 415],
    ['application/x-www-form-urlencoded; charset=utf-16', 200],
    ['APPLICATION/X-WWW-FORM-URLENCODED', 200],
    ['', 415],
  ])('CO-18 a form sent as %j', async (type, status) => {
    const agent = agentOf('ada')
    const page = await open(agent)
    const fields = new URLSearchParams(fieldsOf(page)).toString()
    const after = await agent.post(consentUrl, fields, { 'content-type': type })
    if (status === 200) expect(after.leadsTo).toContain('code=')
    else expectErrorPage(after, [400, 415])
  })

  it('CO-18 a form in the query, with another method or of 64 KiB and more is no answer', async () => {
    const agent = agentOf('ada')
    const page = await open(agent)
    const query = new URLSearchParams(fieldsOf(page)).toString()
    expectErrorPage(await agent.get(`${consentUrl}?${query}`), 405)
    expectErrorPage(await agent.post(`${consentUrl}?${query}`, 'a=b'))
    expectErrorPage(await agent.post(consentUrl, `${query}&x=${'y'.repeat(70_000)}`), [400, 413])
    expectErrorPage(await agent.post(consentUrl, `${query}&csrf=%ff`))
    expect((await decide(server, agent, page)).leadsTo).toContain('code=')
  })
})

describe('OAuth 2.1 §4.1.2 each answer counts once', () => {
  it('CO-10 deny is access_denied with state and iss, and the next request asks again', async () => {
    const agent = agentOf('ada')
    const page = await open(agent, { state: 'st' })
    const before = begun()
    const after = await decide(server, agent, page, 'deny')
    const { error, state, iss } = Object.fromEntries(answerOf(after))
    expect({ error, state, iss }).toEqual({
      error: 'access_denied',
      state: 'st',
      iss: server.issuer,
    })
    expect(begun()).toBe(before)
    expectErrorPage(await decide(server, agent, page))
    await open(agent)
  })

  it('CO-14 AZ-45 a form works once, with new and with old cookies', async () => {
    const agent = agentOf('ada')
    const page = await open(agent)
    const old = createAgent(agent.jar)
    expect((await decide(server, agent, page)).leadsTo).toContain('code=')
    const before = begun()
    expectErrorPage(await decide(server, agent, page))
    expectErrorPage(await decide(server, old, page))
    expectErrorPage(await decide(server, old, page, 'deny'))
    expect(begun()).toBe(before)
  })

  it('AZ-45 ST-19 after ten minutes the page is over, whether or not anybody has cleaned up', async () => {
    const late = await startServer({
      rateLimits: UNLIMITED,
      store: { ...memory(), deleteExpired: async () => 0 },
    })
    const one = await register(late)
    for (const [seconds, status] of [
      [599, 200],
      [600, 400],
      [660, 400],
    ] as const) {
      const agent = agentOf('ada')
      const page = await agent.get(authorizeUrl(late, one, pkce().challenge))
      late.advance(seconds)
      expect((await decide(late, agent, page)).status).toBe(status)
    }
    await late.close()
  })

  it('AZ-45 a clock that is set back lets nothing live longer than the cookie, and breaks nothing', async () => {
    const odd = await startServer({ rateLimits: UNLIMITED })
    const one = await register(odd)
    const agent = agentOf('ada')
    const page = await agent.get(authorizeUrl(odd, one, pkce().challenge))
    odd.advance(-3600)
    expect((await decide(odd, agent, page)).leadsTo).toContain('code=')
    await odd.close()
  })

  it('CO-20 fifty approvals of one page at once make one code and one grant', async () => {
    const agent = agentOf('ada')
    const page = await open(agent)
    const before = begun()
    const jar = new Map(agent.jar)
    const pages = await Promise.all(
      Array.from({ length: 50 }, () => decide(server, createAgent(jar), page)),
    )
    expect(pages.filter(({ leadsTo }) => leadsTo?.includes('code='))).toHaveLength(1)
    expect(pages.filter(({ status }) => status === 400)).toHaveLength(49)
    expect(begun()).toBe(before + 1)
  })

  it('CO-20 yes and no at once: one of the two', async () => {
    for (let round = 0; round < 10; round += 1) {
      const agent = agentOf('ada')
      const page = await open(agent)
      const jar = new Map(agent.jar)
      const pages = await Promise.all(
        (['approve', 'deny', 'approve', 'deny'] as const).map((decision) =>
          decide(server, createAgent(jar), page, decision),
        ),
      )
      expect(pages.filter(({ leadsTo }) => leadsTo !== undefined)).toHaveLength(1)
    }
  })

  it('CO-20 fifty approvals over three instances make one code', async () => {
    const site = await startReplicas(3, () => ({}))
    const one = await register(site)
    const agent = agentOf('ada')
    const page = await agent.get(authorizeUrl(site, one, pkce().challenge))
    const jar = new Map(agent.jar)
    const pages = await Promise.all(
      Array.from({ length: 50 }, () => decide(site, createAgent(jar), page)),
    )
    expect(pages.filter(({ leadsTo }) => leadsTo?.includes('code='))).toHaveLength(1)
    await site.close()
  })
})

describe('several pages and several users', () => {
  it('CO-19 two tabs, the second answered first, each end at their client', async () => {
    const agent = agentOf('ada')
    const other = await register(server, { redirect_uris: ['https://other.example/cb'] })
    const first = await open(agent, { state: 'one' })
    const second = await open(agent, { state: 'two' }, other)
    const ends = [await decide(server, agent, second), await decide(server, agent, first)]
    expect(ends.map((page) => answerOf(page).get('state'))).toEqual(['two', 'one'])
    expect(ends.map((page) => new URL(page.leadsTo ?? '').host)).toEqual([
      'other.example',
      'client.example',
    ])
  })

  it('CO-19 an address that is loaded twice makes two pages, and both can be answered', async () => {
    const agent = agentOf('ada')
    const url = authorizeUrl(server, client, pkce().challenge)
    const [first, second] = await Promise.all([agent.get(url), agent.get(url)])
    expect((await decide(server, agent, first)).leadsTo).toContain('code=')
    expect((await decide(server, agent, second)).leadsTo).toContain('code=')
  })

  it('CO-22 two hundred tabs keep the cookies small, and the last ones can be answered', async () => {
    const agent = agentOf('ada')
    const pages: Page[] = []
    for (let tab = 0; tab < 200; tab += 1) pages.push(await open(agent))
    const header = [...agent.jar].map((pair) => pair.join('=')).join('; ')
    expect(header.length).toBeLessThan(2000)
    const [first, last] = [pages[0], pages.at(-1)]
    if (first === undefined || last === undefined) throw new Error('no pages')
    expectErrorPage(await decide(server, agent, first), 403)
    expect((await decide(server, agent, last)).leadsTo).toContain('code=')
  })

  it('AZ-47 CO-30 whoever signed in or out since the page was shown has not been asked', async () => {
    for (const user of ['grace', undefined]) {
      const agent = agentOf('ada')
      const page = await open(agent)
      const before = begun()
      if (user === undefined) agent.jar.delete('user')
      else agent.jar.set('user', user)
      expectErrorPage(await decide(server, agent, page), 403)
      expect(begun()).toBe(before)
      agent.jar.set('user', 'ada')
      expect((await decide(server, agent, page)).leadsTo).toContain('code=')
    }
  })

  it('CO-07 CO-28 the page names the user, and what upstreams call them stays text', async () => {
    const page = await open(agentOf('ada'))
    expect(page.body).toContain('The user ada')
    expect(page.body).toContain('client.example')
  })

  it('AZ-55 a step-up marks what is new, and to deny it leaves the sign-in before as it was', async () => {
    const agent = agentOf('hedy')
    const { tokens } = await signIn(server, { client, agent, params: { scope: 'notes:read' } })
    const page = await open(agent, { scope: 'notes:read notes:write' })
    expect(page.body.replace(/\s+/g, ' ')).toContain(
      'Change your notes <span class="new">new</span>',
    )
    expect(page.body.replace(/\s+/g, ' ')).not.toContain('Read your notes <span')
    await decide(server, agent, page, 'deny')
    const info = await server.auth.verifyToken(undefined, tokens.access_token)
    expect(info?.scopes).toEqual(['notes:read'])
  })

  it('AZ-55 what another user or another client was given is not called old', async () => {
    await signIn(server, { client, agent: agentOf('rosa') })
    const other = await register(server, { client_name: 'Other' })
    for (const page of [await open(agentOf('tim')), await open(agentOf('rosa'), {}, other)]) {
      expect(page.body).not.toContain('class="new"')
    }
  })

  it('CO-02 CO-11 CO-16 the page carries its guards, and its cookie cannot be read by script', async () => {
    const { headers } = await open()
    expect(headers.get('x-frame-options')).toBe('DENY')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    const cookies = headers.getSetCookie()
    expect(cookies).toHaveLength(1)
    expect(cookies[0]).toMatch(
      /^mcp_oauth_[\w-]{29}=[\w-]{22}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/,
    )
  })

  it('AZ-53 no code, token or secret stands in an address of ours', async () => {
    const page = await open()
    const addresses = [...page.body.matchAll(/(?:href|action|src)="([^"]*)"/g)].map(
      ([, url]) => url,
    )
    expect(addresses).toEqual([consentUrl])
  })
})

describe('a client that changes while its page is open', () => {
  it('RG-32 AZ-54 a redirect URI that is gone gets no code, and neither does a client that is gone', async () => {
    const one = await register(server, { client_name: 'Changing 0' })
    const agent = agentOf('ada')
    const [first, second] = [await open(agent, {}, one), await open(agent, {}, one)]
    const found = await store.find('client', one.client_id)
    if (found === undefined) throw new Error('no client')
    const metadata = { ...found.record.metadata, redirect_uris: ['https://elsewhere.example/cb'] }
    await store.replace('client', { ...found.record, metadata }, found.version)
    const before = begun()
    expectErrorPage(await decide(server, agent, first))
    await store.take('client', one.client_id)
    expectErrorPage(await decide(server, agent, second))
    expectErrorPage(await decide(server, agent, second, 'deny'))
    expect(begun()).toBe(before)
  })

  it('RG-32 one that was added is not used: the code goes where the page said', async () => {
    const one = await register(server, { client_name: 'Changing 1' })
    const agent = agentOf('ada')
    const page = await open(agent, {}, one)
    const found = await store.find('client', one.client_id)
    if (found === undefined) throw new Error('no client')
    const metadata = {
      ...found.record.metadata,
      redirect_uris: ['https://evil.example/cb', REDIRECT],
    }
    await store.replace('client', { ...found.record, metadata }, found.version)
    expect((await decide(server, agent, page)).leadsTo?.startsWith(`${REDIRECT}?code=`)).toBe(true)
  })

  it('AZ-54 the code of a client that is gone is not redeemed', async () => {
    const one = await register(server, { client_name: 'Changing 2' })
    const authorized = await authorize(server, one)
    await store.take('client', one.client_id)
    const { status, body } = await redeem(server, authorized)
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
  })
})

describe('who may enter', () => {
  it('CB-14 the allow list is asked before the code is made, and the page names who is refused', async () => {
    const strict = await startServer({
      rateLimits: UNLIMITED,
      allow: { emails: ['GRACE@example.com'] },
    })
    const one = await register(strict)
    const agent = agentOf('ada')
    const page = await agent.get(authorizeUrl(strict, one, pkce().challenge))
    const after = await decide(strict, agent, page)
    expectErrorPage(after, 403)
    expect(after.body).toContain('The user ada')
    expect((await authorize(strict, one, { agent: agentOf('grace') })).code).not.toBe('')
    expect(strict.events.map(({ type }) => type)).toContain('sign_in_refused')
    await strict.close()
  })

  it('CB-14 an allow list that cannot tell is an outage and no refusal, and uses up nothing', async () => {
    let down = true
    const allow = async (): Promise<boolean> => {
      if (down) throw new Error('the directory is down: secret-of-the-directory')
      return true
    }
    const strict = await startServer({ rateLimits: UNLIMITED, allow })
    const one = await register(strict)
    const agent = agentOf('ada')
    const page = await agent.get(authorizeUrl(strict, one, pkce().challenge))
    const refused = await decide(strict, agent, page)
    expectErrorPage(refused, 503)
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(refused.body).not.toContain('secret-of-the-directory')
    expect(refused.body).not.toContain('describes itself')
    down = false
    expect((await decide(strict, agent, page)).leadsTo).toContain('code=')
    await strict.close()
  })
})

describe('what is told and what is kept', () => {
  it('CO-31 LG-02 LG-03 LG-06 the events tell who, what and where, and hold no secret of the sign-in', async () => {
    const { events } = server
    const from = events.length
    const agent = agentOf('ada')
    const one = await register(server, { client_name: 'x\r\n\u001b[31mINFO forged\u2028' })
    const { authorized, tokens } = await signIn(server, {
      client: one,
      agent,
      params: { state: 'the-secret-state' },
    })
    const page = await open(agent, { state: 'the-secret-state' }, one)
    const ticket = fieldOf(page, 'ticket')
    const csrf = fieldOf(page, 'csrf')
    const cookie = agent.jar.get(`mcp_oauth_${ticket}`) ?? 'none'
    await decide(server, agent, page, 'deny')
    const refused = await agent.post(consentUrl, { ticket, csrf, decision: 'approve' })
    const told = events.slice(from)
    const given = told.find(({ type }) => type === 'consent_given')
    expect(given).toMatchObject({
      client_id: one.client_id,
      scope: ['notes:read', 'notes:write'],
      resource: server.resource,
      about: 'client.example',
      network: '127.0.0.0/24',
    })
    expect(given?.subject).toMatch(/^[\w-]{43}$/)
    expect(told.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['consent_shown', 'consent_denied', 'grant_begun']),
    )
    const [, reference = 'none'] = /<code>([\w-]{8})<\/code>/.exec(refused.body) ?? []
    expect(told.find((event) => event.reference === reference)?.type).toBe('authorization_refused')
    const text = JSON.stringify(told)
    for (const secret of [
      authorized.code,
      tokens.access_token,
      tokens.refresh_token,
      'the-secret-state',
      csrf,
      cookie,
      authorized.verifier,
    ]) {
      expect(text).not.toContain(secret)
    }
    expect(text).not.toMatch(/forged/)
  })

  it('ST-01 a thief of the store finds no cookie, form value, code or token, and can use nothing of it', async () => {
    const robbed = recording()
    const house = await startServer({ store: robbed, rateLimits: UNLIMITED })
    const agent = agentOf('ada')
    const { client: one, authorized, tokens } = await signIn(house, { agent })
    const page = await agent.get(authorizeUrl(house, one, pkce().challenge))
    const ticket = fieldOf(page, 'ticket')
    const cookie = agent.jar.get(`mcp_oauth_${ticket}`) ?? ''
    expect(cookie).toHaveLength(22)
    const dump = robbed.dump()
    for (const secret of [
      cookie,
      fieldOf(page, 'csrf'),
      authorized.code,
      authorized.verifier,
      tokens.access_token,
      tokens.refresh_token,
    ]) {
      expect(dump).not.toContain(secret)
    }
    const texts = [...new Set([...dump.matchAll(/"([^"\\]{8,})"/g)].map(([, text]) => text ?? ''))]
    expect(texts).toContain(ticket)
    for (const text of texts) {
      const thief = createAgent(
        new Map([
          ['user', 'mallory'],
          [`mcp_oauth_${ticket}`, text],
        ]),
      )
      const after = await thief.post(`${house.issuer}/consent`, {
        ticket,
        csrf: text,
        decision: 'approve',
      })
      expect(after.leadsTo).toBeUndefined()
      const redeemed = await redeem(house, { ...authorized, code: text })
      expect(redeemed.status).toBe(400)
    }
    await house.close()
  })

  it('DS-06 two thousand abandoned requests do not disturb an honest one, and are gone when their time is over', async () => {
    const kept = memory()
    const busy = await startServer({ store: kept, rateLimits: UNLIMITED })
    const one = await register(busy)
    const honest = agentOf('ada')
    const page = await honest.get(authorizeUrl(busy, one, pkce().challenge))
    const tickets: string[] = []
    for (let batch = 0; batch < 40; batch += 1) {
      const pages = await Promise.all(
        Array.from({ length: 50 }, () =>
          agentOf('mallory').get(authorizeUrl(busy, one, pkce().challenge)),
        ),
      )
      tickets.push(...pages.map((abandoned) => fieldOf(abandoned, 'ticket')))
    }
    expect((await decide(busy, honest, page)).leadsTo).toContain('code=')
    busy.advance(700)
    await busy.auth.fetch(new Request(`${busy.issuer}/jwks`))
    const countLeft = async (): Promise<number> => {
      const left = await Promise.all(tickets.map((id) => kept.find('ticket', id)))
      return left.filter((ticket) => ticket !== undefined).length
    }
    await expect.poll(countLeft, { timeout: 5000 }).toBe(0)
    await busy.close()
  })
})

/**
 * A server whose issuer is https, behind a proxy that speaks plain http to it.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { createAgent, fieldOf, type Agent, type Page } from '../support/agent.ts'
import { pkce, register, toForm } from '../support/flow.ts'
import { expectErrorPage, startReplicas } from './support.ts'

const NAME = 'https://auth.example.com'
const site = await startReplicas(
  1,
  () => ({}),
  () => NAME,
)
afterAll(() => site.close())
const client = await register({ issuer: site.address })
const SPOOFED = {
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'http',
  'x-forwarded-port': '81',
  'x-forwarded-prefix': '/evil',
  'x-forwarded-server': 'evil.example',
  'x-original-host': 'evil.example',
  'x-host': 'evil.example',
  'x-rewrite-url': '/evil',
  'x-original-url': '/evil',
  forwarded: 'for=1.2.3.4;host=evil.example;proto=http',
}

function urlOf(): string {
  const query = toForm({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: client.redirect_uri,
    code_challenge: pkce().challenge,
    code_challenge_method: 'S256',
    resource: `${NAME}/mcp`,
  })
  return `${site.address}/authorize?${query}`
}

function open(agent: Agent): Promise<Page> {
  return agent.get(urlOf(), { ...SPOOFED })
}

function answer(agent: Agent, page: Page, headers: { [name: string]: string } = {}): Promise<Page> {
  const fields = {
    ticket: fieldOf(page, 'ticket'),
    csrf: fieldOf(page, 'csrf'),
    decision: 'approve',
  }
  return agent.post(`${site.address}/consent`, fields, { ...SPOOFED, ...headers })
}

function userOf(): Agent {
  return createAgent(new Map([['user', 'ada']]))
}

describe('RFC 6265bis §4.1.3 cookies of an https site', () => {
  it('CO-11 HH-03 are __Host-, Secure and HttpOnly, whatever a proxy header says', async () => {
    const page = await open(userOf())
    const cookies = page.headers.getSetCookie()
    expect(cookies).toHaveLength(1)
    expect(cookies[0]).toMatch(
      /^__Host-mcp_oauth_[\w-]{29}=[\w-]{22}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    )
    expect(page.headers.get('strict-transport-security')).toContain('max-age=')
  })

  it('HH-03 there is no redirect to another scheme', async () => {
    const agent = userOf()
    const page = await open(agent)
    expect(page.status).toBe(200)
    expect((await answer(agent, page)).leadsTo).toContain(`${client.redirect_uri}?code=`)
  })

  it('CO-23 a cookie without the prefix, as a sibling domain could set it, counts for nothing', async () => {
    const agent = userOf()
    const page = await open(agent)
    const [name = '', value = ''] = [...agent.jar].find(([key]) => key.startsWith('__Host-')) ?? []
    const bare = name.replace('__Host-', '')
    for (const cookie of [
      `${bare}=${value}`,
      `__host-${bare}=${value}`,
      `__Secure-${bare}=${value}`,
      `\u00a0${name}=${value}`,
      `"${name}"=${value}`,
    ]) {
      const sent = Buffer.from(`user=ada; ${cookie}`).toString('latin1')
      expectErrorPage(await answer(createAgent(), page, { cookie: sent }), 403)
    }
    // One that was tossed in beside the true one harms nobody.
    const cookie = `user=ada; ${bare}=tossed; ${name}=${value}`
    expect((await answer(createAgent(), page, { cookie })).leadsTo).toContain('code=')
  })

  it('CO-22 CO-23 cookies that a sibling tossed do not push out the true ones', async () => {
    const agent = userOf()
    const page = await open(agent)
    for (let count = 0; count < 30; count += 1) agent.jar.set(`mcp_oauth_zzzz${count}`, 'x')
    await open(agent)
    expect((await answer(agent, page)).leadsTo).toContain('code=')
  })
})

describe('the issuer is what was configured', () => {
  it('HH-01 no address in any answer follows a header', async () => {
    const agent = userOf()
    const page = await open(agent)
    const pages = [
      page,
      await answer(agent, page),
      await createAgent().get(urlOf(), SPOOFED),
      await agent.get(`${urlOf()}&prompt=none`, SPOOFED),
      await agent.get(`${site.address}/authorize`, SPOOFED),
      await agent.get(`${site.address}/callback?state=x`, SPOOFED),
      await agent.get(`${site.address}/.well-known/oauth-authorization-server`, SPOOFED),
      await agent.get(`${site.address}/.well-known/oauth-protected-resource/mcp`, SPOOFED),
      await agent.post(`${site.address}/token`, 'grant_type=x', SPOOFED),
      await agent.post(`${site.address}/register`, '{}', {
        ...SPOOFED,
        'content-type': 'application/json',
      }),
    ]
    for (const { body, headers, leadsTo = '' } of pages) {
      const all = body + leadsTo + [...headers].flat().join(' ')
      expect(all).not.toMatch(/evil/)
      expect(all).not.toContain(site.address)
    }
    expect(page.body).toContain(`action="${NAME}/consent"`)
  })

  it('CO-18 the origin that a form may come from is the configured one', async () => {
    const agent = userOf()
    const page = await open(agent)
    for (const origin of [
      site.address,
      'http://auth.example.com',
      'https://auth.example.com:443',
      'https://evil.example',
    ]) {
      expectErrorPage(await answer(agent, page, { origin }), 403)
    }
    expect((await answer(agent, page, { origin: NAME })).leadsTo).toContain('code=')
  })
})

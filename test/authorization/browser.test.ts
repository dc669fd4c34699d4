/**
 * The whole sign-in in a real Chromium: consent page, the provider's own pages, callback, and the
 * listener of a client on this computer. Server and provider are two sites: localhost and 127.0.0.1.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserSuite, launchBrowser, type TestBrowser } from '../support/browser.ts'
import {
  authorizeUrl,
  pkce,
  redeem,
  register,
  type Params,
  type TestClient,
} from '../support/flow.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { upstreamAt } from '../support/upstream_flow.ts'
import { startReplicas, type Site } from './support.ts'

/** A client's listener on this computer, as MCP clients open one. */
interface Listener {
  readonly redirect_uri: string
  /** The queries that arrived, in order. */
  readonly arrived: URLSearchParams[]
  /** What the browser said of where it came from, with each. */
  readonly referers: (string | undefined)[]
  close(): void
}

async function listen(): Promise<Listener> {
  const arrived: URLSearchParams[] = []
  const referers: (string | undefined)[] = []
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://x')
    if (url.pathname === '/callback') {
      arrived.push(url.searchParams)
      referers.push(req.headers.referer)
    }
    res.writeHead(200, { 'content-type': 'text/html' }).end('<title>Client</title>Done')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const redirect_uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`
  return {
    redirect_uri,
    arrived,
    referers,
    close: () => (server.closeAllConnections(), server.close()),
  }
}

browserSuite(describe, 'the sign-in in Chromium', () => {
  let provider: TestOidcProvider
  let site: Site
  let browser: TestBrowser
  let listener: Listener
  let client: TestClient

  beforeAll(async () => {
    provider = await startOidcProvider()
    site = await startReplicas(
      1,
      (issuer) => ({ name: 'Example notes', upstream: upstreamAt(provider, issuer) }),
      (port) => `http://localhost:${port}`,
    )
    listener = await listen()
    const redirect_uris = ['http://127.0.0.1/callback']
    const { client_id } = await register(site, { redirect_uris, client_name: 'Claude Code' })
    client = { client_id, redirect_uri: listener.redirect_uri }
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    listener.close()
    await site.close()
    await provider.close()
  })

  interface Visit {
    readonly page: Page
    readonly verifier: string
    /** What the console complained about: a policy that blocks something, above all. */
    readonly faults: string[]
  }

  async function open(params: Params = {}, where: TestBrowser = browser): Promise<Visit> {
    await where.context.clearCookies()
    return openTab(params, where)
  }

  async function openTab(params: Params = {}, where: TestBrowser = browser): Promise<Visit> {
    const { verifier, challenge } = pkce()
    const page = await where.context.newPage()
    const faults: string[] = []
    page.on('console', (message) => {
      const isIcon = message.location().url.endsWith('/favicon.ico')
      if (message.type() === 'error' && !isIcon) faults.push(message.text())
    })
    await page.goto(authorizeUrl(site, client, challenge, params))
    return { page, verifier, faults }
  }

  /** On the provider's pages: who it is, and the answer there. */
  async function atProvider(
    page: Page,
    user: string,
    answer: 'Allow' | 'Deny' = 'Allow',
  ): Promise<void> {
    await page.waitForURL(`${provider.issuer}/interaction/**`)
    await page.getByRole('button', { name: user }).click()
    await page.getByRole('button', { name: answer }).click()
  }

  async function arrivalOf(page: Page): Promise<URLSearchParams> {
    await page.waitForURL(`${listener.redirect_uri}?**`)
    return new URL(page.url()).searchParams
  }

  it('ends at the listener with a code that is good, and nobody is told where the browser came from', async () => {
    const { page, verifier, faults } = await open({ state: 'a state & 中文' })
    expect(await page.title()).toBe('Allow Claude Code?')
    await page.getByRole('button', { name: 'Allow' }).click()
    await atProvider(page, 'Ada Lovelace')
    const answer = await arrivalOf(page)
    expect([answer.get('state'), answer.get('iss')]).toEqual(['a state & 中文', site.issuer])
    expect(listener.referers.at(-1)).toBeUndefined()
    expect(faults).toEqual([])
    const authorized = { code: answer.get('code') ?? '', verifier, client, location: page.url() }
    expect((await redeem(site, authorized)).status).toBe(200)
    const cookies = await page.context().cookies(site.issuer)
    expect(cookies.filter(({ name }) => name.startsWith('mcp_oauth_'))).toEqual([])
    await page.close()
  })

  it('CB-05 CB-18 "back" and a second load of the callback make no second code', async () => {
    const { page } = await open()
    await page.getByRole('button', { name: 'Allow' }).click()
    let callback = ''
    page.on('request', (request) => {
      if (request.url().startsWith(`${site.issuer}/callback?`)) callback = request.url()
    })
    await atProvider(page, 'Ada Lovelace')
    await arrivalOf(page)
    const codes = (): number => new Set(listener.arrived.map((one) => one.get('code'))).size
    const before = codes()
    expect(callback).not.toBe('')
    await page.goto(callback)
    expect(await page.getByRole('heading').first().textContent()).toBe('This sign-in has expired')
    await page.goBack()
    await page.goto(callback)
    expect(codes()).toBe(before)
    expect(await page.title()).toBe('This sign-in has expired')
    await page.close()
  })

  it('CO-10 Deny on our page and Deny on the provider’s both end at the client without a code', async () => {
    const { page, faults } = await open()
    await page.getByRole('button', { name: 'Deny' }).click()
    expect((await arrivalOf(page)).get('error')).toBe('access_denied')
    await page.close()
    const other = await open()
    await other.page.getByRole('button', { name: 'Allow' }).click()
    await atProvider(other.page, 'Ada Lovelace', 'Deny')
    const answer = await arrivalOf(other.page)
    expect([answer.get('error'), answer.has('code')]).toEqual(['access_denied', false])
    expect([...faults, ...other.faults]).toEqual([])
    await other.page.close()
  })

  it('CO-19 two tabs of one browser, the second ended first', async () => {
    const first = await open({ state: 'one' })
    const second = await openTab({ state: 'two' })
    await first.page.getByRole('button', { name: 'Allow' }).click()
    await first.page.waitForURL(`${provider.issuer}/interaction/**`)
    await second.page.getByRole('button', { name: 'Allow' }).click()
    await atProvider(second.page, 'Ada Lovelace')
    expect((await arrivalOf(second.page)).get('state')).toBe('two')
    await atProvider(first.page, 'Ada Lovelace')
    expect((await arrivalOf(first.page)).get('state')).toBe('one')
    await first.page.close()
    await second.page.close()
  })

  it('CO-20 CO-21 a double click on Allow is one answer', async () => {
    const { page } = await open()
    await page.getByRole('button', { name: 'Allow' }).dblclick()
    await atProvider(page, 'Ada Lovelace')
    expect((await arrivalOf(page)).has('code')).toBe(true)
    await page.close()
  })

  it('CB-03 the provider’s address and the callback, opened in another browser, end in a page', async () => {
    const { page } = await open()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${provider.issuer}/interaction/**`)
    const victim = await launchBrowser()
    try {
      const state = await stateOf(page)
      const other = await victim.context.newPage()
      const response = await other.goto(`${site.issuer}/callback?code=x&state=${state}`)
      expect(response?.status()).toBe(403)
      expect(await other.title()).toBe('This sign-in belongs to another browser')
    } finally {
      await victim.close()
    }
    await atProvider(page, 'Ada Lovelace')
    expect((await arrivalOf(page)).has('code')).toBe(true)
    await page.close()
  })

  /** The state stands in the name of the cookie of the step. */
  async function stateOf(page: Page): Promise<string> {
    const cookies = await page.context().cookies(site.issuer)
    return cookies.map(({ name }) => /^mcp_oauth_(.+)$/.exec(name)?.[1]).find(Boolean) ?? ''
  }

  it('CO-18 CO-03 a page of another site cannot answer in the user’s name', async () => {
    const { page } = await open()
    const [ticket, csrf] = await Promise.all(
      ['ticket', 'csrf'].map((name) => page.locator(`input[name=${name}]`).inputValue()),
    )
    const evil = await browser.context.newPage()
    await evil.goto(new URL('/evil', listener.redirect_uri).href)
    await evil.setContent(`<form method="post" action="${site.issuer}/consent">
      <input name="ticket" value="${ticket}"><input name="csrf" value="${csrf}">
      <button name="decision" value="approve">Win a prize</button></form>`)
    await evil.getByRole('button').click()
    await evil.waitForURL(`${site.issuer}/consent`)
    // Lax cookies do not come along at all, and if they did the origin is another.
    expect(await evil.getByRole('heading').first().textContent()).toMatch(
      /another browser|could not tell/,
    )
    await page.getByRole('button', { name: 'Deny' }).click()
    expect((await arrivalOf(page)).get('error')).toBe('access_denied')
    await evil.close()
    await page.close()
  })

  it('AZ-50 AZ-52 an app with a scheme of its own gets a page with a button', async () => {
    const app = await register(site, {
      redirect_uris: ['com.example.notes:/signed-in'],
      client_name: 'Notes for Mac',
    })
    const page = await browser.context.newPage()
    await page.goto(authorizeUrl(site, app, pkce().challenge))
    expect(await page.getByText('An app on this device receives the access').count()).toBe(1)
    await page.getByRole('button', { name: 'Allow' }).click()
    await atProvider(page, 'Grace Hopper')
    const link = page.getByRole('link', { name: 'Back to Notes for Mac' })
    await link.waitFor()
    expect(await link.getAttribute('href')).toMatch(/^com\.example\.notes:\/signed-in\?code=/)
    expect(new URL(page.url()).pathname).toBe('/callback')
    await page.close()
  })

  it('works without JavaScript, and in Chinese', async () => {
    const plain = await launchBrowser({ javaScriptEnabled: false, locale: 'zh-CN' })
    try {
      const { page } = await open({}, plain)
      expect(await page.title()).toBe('是否允许 Claude Code？')
      expect(await page.locator('html').getAttribute('lang')).toBe('zh-Hans')
      await page.getByRole('button', { name: '允许' }).click()
      await atProvider(page, 'Ada Lovelace')
      expect((await arrivalOf(page)).has('code')).toBe(true)
      await page.goto(`${site.issuer}/callback?state=x`)
      expect(await page.getByRole('heading').first().textContent()).toMatch(/[\u4e00-\u9fff]/)
    } finally {
      await plain.close()
    }
  })

  it('AZ-53 nothing is loaded from anywhere else, and no code stands in an address of ours', async () => {
    const { page } = await open()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.reload()
    await page.getByRole('button', { name: 'Allow' }).click()
    await atProvider(page, 'Ada Lovelace')
    const code = (await arrivalOf(page)).get('code') ?? 'none'
    const origins = new Set(asked.map((url) => new URL(url).origin))
    expect([...origins].sort()).toEqual(
      [site.issuer, provider.issuer, new URL(listener.redirect_uri).origin].sort(),
    )
    expect(asked.filter((url) => url.startsWith(site.issuer) && url.includes(code))).toEqual([])
    await page.close()
  })

  it('a browser that keeps no cookies is told what to do', async () => {
    const { page } = await open()
    await page.context().clearCookies()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByText('allow cookies for this site').waitFor()
    await page.close()
  })
})

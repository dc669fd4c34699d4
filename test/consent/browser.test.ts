/**
 * What only a browser can answer: where a form really leads, what a name really becomes.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import type { HttpResponse } from '../../src/http/message.ts'
import { redirect } from '../../src/http/respond.ts'
import { consentPage, type ConsentView } from '../../src/server/consent/consent_page.ts'
import { continuePage, type ContinueView } from '../../src/server/consent/continue_page.ts'
import { browserSuite, launchBrowser, type TestBrowser } from '../support/browser.ts'
import { CONSENT } from './views.ts'

/** A loaded machine takes its time. */
const PATIENCE = { timeout: 15_000 }

type Answer = (url: URL, decision: string | undefined) => HttpResponse

interface Site {
  readonly origin: string
  readonly server: Server
}

async function serve(answer: Answer): Promise<Site> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const decision = new URLSearchParams(Buffer.concat(chunks).toString()).get('decision')
      const { status, headers, body } = answer(
        new URL(request.url ?? '/', 'http://localhost'),
        decision ?? undefined,
      )
      response.writeHead(status, { ...headers } as Record<string, string | string[]>)
      response.end(body)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function plain(title: string, body: string = '', policy: string = ''): HttpResponse {
  const headers = { 'content-type': 'text/html', 'content-security-policy': policy }
  return { status: 200, headers, body: `<!doctype html><title>${title}</title>${body}` }
}

browserSuite(describe, 'the pages in Chromium', () => {
  let browser: TestBrowser
  let client: Site
  let upstream: Site
  let issuer: Site
  let view: ConsentView
  let onwards: { approve: Partial<ContinueView>; deny: Partial<ContinueView> }

  beforeAll(async () => {
    client = await serve((url) =>
      url.pathname === '/callback' ? redirect(`${moved(client.origin)}/done`) : plain(url.pathname),
    )
    upstream = await serve((url) => {
      if (url.pathname === '/authorize') return redirect(`${moved(upstream.origin)}/login`)
      if (url.pathname === '/signed-in') return redirect(`${issuer.origin}/callback`)
      const form = '<form method="post" action="/signed-in"><button>Sign in</button></form>'
      return plain('login', form, `default-src 'none'; form-action 'self' ${issuer.origin}`)
    })
    issuer = await serve((url, decision) => {
      if (url.pathname === '/consent') return consentPage(view)
      const next = decision === 'deny' ? onwards.deny : onwards.approve
      const base = { language: 'en', serverName: 'Acme', secure: false, name: 'N' } as const
      return continuePage({
        ...base,
        kind: 'client',
        location: `${client.origin}/callback`,
        ...next,
      })
    })
    browser = await launchBrowser()
  })

  afterAll(async () => {
    await browser.close()
    for (const { server } of [client, upstream, issuer]) server.close()
  })

  /** The same server under its other name, which is another origin. */
  function moved(origin: string): string {
    return origin.replace('127.0.0.1', 'localhost')
  }

  async function open(change: Partial<ConsentView>): Promise<{ page: Page; faults: string[] }> {
    view = { ...CONSENT, ...change }
    onwards = { approve: {}, deny: { error: 'denied' } }
    const page = await browser.context.newPage()
    const faults: string[] = []
    page.on('console', (message) => faults.push(message.text()))
    await page.goto(`${issuer.origin}/consent`)
    return { page, faults }
  }

  it('AZ-52 approve leads to an upstream that itself redirects to a third origin', async () => {
    const { page, faults } = await open({})
    onwards.approve = { kind: 'upstream', location: `${upstream.origin}/authorize` }
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${moved(upstream.origin)}/login`)
    expect(faults).toEqual([])
    await page.close()
  })

  it('AZ-52 the way back leads on from the form of an upstream whose policy names us alone', async () => {
    const { page, faults } = await open({})
    await page.goto(`${upstream.origin}/login`)
    await page.getByRole('button').click()
    await page.waitForURL(`${moved(client.origin)}/done`)
    expect(faults).toEqual([])
    await page.close()
  })

  it.each(['Allow', 'Deny'])(
    'AZ-52 %s leads to a loopback client whose callback redirects on, and "back" does not return',
    async (name) => {
      const { page, faults } = await open({ redirect_uri: `${client.origin}/callback` })
      await page.getByRole('button', { name }).click()
      await page.waitForURL(`${moved(client.origin)}/done`)
      expect(faults).toEqual([])
      await page.goBack()
      expect(page.url()).toBe(`${issuer.origin}/consent`)
      await page.close()
    },
  )

  it('AZ-52 approve leads to a custom scheme, by itself and by the link', async () => {
    const { page, faults } = await open({ redirect_uri: 'cursor://a.example/cb' })
    onwards.approve = { kind: 'private_use', location: 'cursor://a.example/cb?code=1&state=%22' }
    const session = await browser.context.newCDPSession(page)
    await session.send('Page.enable')
    const asked: string[] = []
    session.on('Page.frameRequestedNavigation', ({ reason, url }) => asked.push(`${reason} ${url}`))
    await page.getByRole('button', { name: 'Allow' }).click()
    const location = 'cursor://a.example/cb?code=1&state=%22'
    await expect.poll(() => asked, PATIENCE).toContain(`metaTagRefresh ${location}`)
    const link = page.getByRole('link', { name: 'Back to N' })
    expect(await link.getAttribute('href')).toBe(location)
    // Chromium drops a click that comes while it is still asking what opens such a link.
    const click = async () => {
      await link.click({ noWaitAfter: true })
      return asked
    }
    await expect.poll(click, { ...PATIENCE, interval: 500 }).toContain(`anchorClick ${location}`)
    expect(faults.filter((text) => text.includes('Content Security Policy'))).toEqual([])
    await page.close()
  })

  it.each([
    '<img src=x onerror="window.hit=1">',
    '" onmouseover="window.hit=1" x="',
    "' autofocus onfocus='window.hit=1",
    '</title><script>window.hit=1</script>',
    '</style><svg onload=window.hit=1>',
    '-->]]><iframe srcdoc="<script>top.hit=1</script>">',
  ])('CO-05 CO-28 %j stays text even without the policy', async (name) => {
    const { page } = await open({})
    const hostile = consentPage({
      ...CONSENT,
      client: { ...CONSENT.client, name, client_uri: name },
      user: { name, email: name },
      form: { action: '/decision', ticket: name, csrf: name },
    })
    await page.goto(`${client.origin}/without-policy`)
    await page.setContent(String(hostile.body))
    await page.mouse.move(300, 300)
    expect(await page.evaluate('window.hit')).toBeUndefined()
    expect(await page.locator('script, img, svg, iframe, [onmouseover], [onfocus]').count()).toBe(0)
    expect(await page.locator('input[name=csrf]').inputValue()).toBe(name)
    expect(await page.locator('h1 bdi').first().textContent()).toBe(name)
    await page.close()
  })

  it('CO-21 a press right after the pointer came over the buttons is lost, a later one is not', async () => {
    const { page } = await open({})
    const allow = await page.getByRole('button', { name: 'Allow' }).boundingBox()
    if (allow === null) throw new Error('there is no button')
    await page.mouse.move(5, 5)
    await page.mouse.click(allow.x + 20, allow.y + 20)
    await page.waitForTimeout(300)
    expect(page.url()).toBe(`${issuer.origin}/consent`)
    await page.waitForTimeout(500)
    await page.mouse.click(allow.x + 20, allow.y + 20)
    await page.waitForURL(`${moved(client.origin)}/done`)
    await page.close()
  })

  it('CO-21 a page opened by another site has no opener', async () => {
    const { page } = await open({})
    await page.goto(`${client.origin}/evil`)
    const popup = page.waitForEvent('popup')
    await page.evaluate(`void window.open('${issuer.origin}/consent')`)
    const opened = await popup
    await opened.waitForURL(`${issuer.origin}/consent`)
    expect(await opened.evaluate('window.opener')).toBeNull()
    await opened.close()
    await page.close()
  })

  it('CO-02 another site cannot frame it', async () => {
    const { page } = await open({})
    await page.goto(`${client.origin}/evil`)
    await page.evaluate(`document.body.append(Object.assign(document.createElement('iframe'), {
      src: '${issuer.origin}/consent' }))`)
    await expect.poll(() => page.frames().at(1)?.url(), PATIENCE).toMatch(/^chrome-error:/)
    await page.close()
  })

  it.each([320, 375, 1280])(
    'CO-27 CI-47 at %i px nothing is cut off and nothing scrolls sideways',
    async (width) => {
      const host = `${'a'.repeat(63)}.${'b-'.repeat(20)}c.evil.example`
      const { page } = await open({
        client: { ...CONSENT.client, name: 'W'.repeat(200), client_id: 'x'.repeat(2000) },
        redirect_uri: `https://${host}:8443/cb`,
      })
      await page.setViewportSize({ width, height: 640 })
      await page.getByText('Technical details').click()
      const beyond = `document.documentElement.scrollWidth - document.documentElement.clientWidth`
      expect(await page.evaluate(beyond)).toBe(0)
      const shown = page.locator('.facts dd bdi').first()
      expect(await shown.textContent()).toBe(`${host}:8443`)
      const cut = (element: { scrollWidth: number; clientWidth: number }): number =>
        element.scrollWidth - element.clientWidth
      expect(await page.locator('.facts').evaluate(cut)).toBeLessThanOrEqual(0)
      await page.close()
    },
  )

  it('can be used with the keyboard alone', async () => {
    const { page } = await open({})
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.value')).toBe('deny')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.value')).toBe('approve')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${moved(client.origin)}/done`)
    await page.close()
  })
})

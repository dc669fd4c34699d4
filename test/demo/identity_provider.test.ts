/** The demo's identity provider, as an OAuth client and a browser meet it. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildDemo, run, startServer, temporaryDirectory, type DemoProcess } from './support.ts'
import { freePort } from '../support/free_port.ts'

const REDIRECT = 'http://localhost:8787/callback'
const VERIFIER = randomBytes(32).toString('base64url')
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

const directory = temporaryDirectory()
let settings: { [name: string]: string } = {}
let issuer = ''
let provider: DemoProcess

beforeAll(async () => {
  buildDemo()
  const port = await freePort()
  issuer = `http://127.0.0.1:${port}`
  settings = {
    DEMO_PORT: `${port}`,
    DEMO_FILE: join(directory.path, 'identity_provider.json'),
    DEMO_CLIENT_ID: 'gateway',
    DEMO_CLIENT_SECRET: 'a secret',
    DEMO_REDIRECT_URI: REDIRECT,
  }
  provider = await startServer('identity_provider', settings)
})

afterAll(async () => {
  await provider.stop()
  directory.remove()
})

function authorizationUrl(changes: { [name: string]: string } = {}): string {
  const parameters = {
    client_id: 'gateway',
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: 'openid profile email offline_access',
    state: 'a state',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  }
  return `${issuer}/auth?${new URLSearchParams(parameters).toString()}`
}

/** A browser as far as this provider needs one: cookies, and redirects until one leaves the provider. */
class Browser {
  readonly cookies = new Map<string, string>()

  async go(url: string, form?: string): Promise<{ url: string; html: string }> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...this.cookies].map((pair) => pair.join('=')).join('; ') },
      ...(form === undefined
        ? {}
        : { method: 'POST', body: new URLSearchParams({ login: form }).toString() }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') this.cookies.delete(name ?? '')
      else this.cookies.set(name ?? '', value ?? '')
    }
    const location = response.headers.get('location')
    if (location === null) return { url, html: await response.text() }
    const next = new URL(location, url).href
    return next.startsWith(issuer) ? await this.go(next) : { url: next, html: '' }
  }
}

async function signIn(browser: Browser, who: string): Promise<URLSearchParams> {
  const choice = await browser.go(authorizationUrl())
  return new URL((await browser.go(choice.url, who)).url).searchParams
}

async function token(parameters: { [name: string]: string }): Promise<Response> {
  return await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('gateway:a+secret')}` },
    body: new URLSearchParams(parameters),
  })
}

async function redeem(code: string): Promise<{ [name: string]: string }> {
  const response = await token({
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
  })
  expect(response.status).toBe(200)
  return (await response.json()) as { [name: string]: string }
}

async function whoIs(access_token: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${access_token}` }
  return await (await fetch(`${issuer}/me`, { headers })).json()
}

describe('signing in', () => {
  it('says on its page that it is a demo, and offers two people', async () => {
    const { html } = await new Browser().go(authorizationUrl())
    expect(html).toContain('DEMO')
    expect(html).toContain('Continue as Ada Lovelace')
    expect(html).toContain('Continue as Grace Hopper')
  })

  it('gives a code for tokens of whoever was chosen, and asks again each time', async () => {
    const browser = new Browser()
    for (const [sub, name] of [
      ['ada', 'Ada Lovelace'],
      ['grace', 'Grace Hopper'],
    ] as const) {
      const answer = await signIn(browser, sub)
      expect(answer.get('state')).toBe('a state')
      expect(answer.get('iss')).toBe(issuer)
      const { access_token } = await redeem(answer.get('code') ?? '')
      const email = `${sub}@example.com`
      expect(await whoIs(access_token ?? '')).toEqual({ sub, name, email, email_verified: true })
    }
  })

  it.each(['', 'mallory', '__proto__'])('takes "%s" for a no', async (who) => {
    const answer = await signIn(new Browser(), who)
    expect(answer.get('error')).toBe('access_denied')
    expect(answer.has('code')).toBe(false)
  })

  it('asks for PKCE', async () => {
    const url = authorizationUrl({ code_challenge: '', code_challenge_method: '' })
    const answer = new URL((await new Browser().go(url)).url).searchParams
    expect(answer.get('error')).toBe('invalid_request')
  })

  it('sends nobody to a foreign redirect_uri', async () => {
    const { html } = await new Browser().go(
      authorizationUrl({ redirect_uri: 'https://evil.example/<b>' }),
    )
    expect(html).toContain('That did not work')
    expect(html).toContain('DEMO')
    expect(html).not.toContain('<b>')
  })

  it('shows a page when a form comes without its cookies', async () => {
    const { url } = await new Browser().go(authorizationUrl())
    const { html } = await new Browser().go(url, 'ada')
    expect(html).toContain('This sign-in cannot go on')
  })
})

describe('what it remembers', () => {
  it('a refresh token works after a restart, and once', async () => {
    const { refresh_token = '' } = await redeem(
      (await signIn(new Browser(), 'ada')).get('code') ?? '',
    )
    expect(await provider.stop()).toBe(0)
    provider = await startServer('identity_provider', settings)

    const refreshed = await token({ grant_type: 'refresh_token', refresh_token })
    const tokens = (await refreshed.json()) as { [name: string]: string }
    expect(await whoIs(tokens['access_token'] ?? '')).toMatchObject({ sub: 'ada' })
    expect(tokens['refresh_token']).not.toBe(refresh_token)

    const again = await token({ grant_type: 'refresh_token', refresh_token })
    expect(await again.json()).toMatchObject({ error: 'invalid_grant' })
    // Reuse ends the family.
    const next = await token({
      grant_type: 'refresh_token',
      refresh_token: tokens['refresh_token'] ?? '',
    })
    expect(await next.json()).toMatchObject({ error: 'invalid_grant' })
  })

  it('stands in a file that only its owner reads', () => {
    const path = settings['DEMO_FILE'] ?? ''
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')) as object)).toContain('keys')
  })
})

describe('where it does not serve', () => {
  it('refuses to run under NODE_ENV=production', async () => {
    const refused = run('demo/dist/identity_provider.js', { ...settings, NODE_ENV: 'production' })
    expect(await refused.stop('SIGCONT')).toBe(1)
    expect(refused.said()).toContain('does not run under NODE_ENV=production')
  })

  it('does not answer to another Host', async () => {
    const status = await new Promise((done, fail) => {
      const headers = { host: 'rebound.example' }
      request(`${issuer}/.well-known/openid-configuration`, { headers }, (response) => {
        response.resume()
        done(response.statusCode)
      })
        .on('error', fail)
        .end()
    })
    expect(status).toBe(421)
  })
})

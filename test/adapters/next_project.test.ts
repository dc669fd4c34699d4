/**
 * Real Next.js around the handlers, in the situations that its documents name and ours must survive: built
 * and in development, with a `basePath`, with slashes at the end, with a `proxy.ts` that wants a session of
 * everybody, with headers for the whole site, and with a store in memory while files are edited.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { agentOf, authorizeUrl, call, pkce, refresh, register, signIn } from '../support/flow.ts'
import type { Tokens } from '../support/flow.ts'
import { installProject, type Program, type Project } from '../support/project.ts'
import { freePort } from '../support/free_port.ts'

const PATIENT = 240_000

let project: Project
beforeAll(async () => {
  project = await installProject(join(import.meta.dirname, 'projects/next'), { without: ['.next'] })
}, PATIENT)

interface Situation {
  readonly origin: string
  readonly issuer: string
  readonly resource: string
  readonly env: Readonly<{ [name: string]: string }>
}

async function situation(
  basePath: string,
  more: Readonly<{ [name: string]: string }> = {},
): Promise<Situation> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const issuer = `${origin}${basePath}/oauth`
  const env = {
    PORT: String(port),
    ORIGIN: origin,
    BASE_PATH: basePath,
    MCP_OAUTH_ISSUER: issuer,
    MCP_OAUTH_KEYS: generateKey(),
    ...more,
  }
  return { origin, issuer, resource: `${origin}${basePath}/mcp`, env }
}

const next = (command: 'start' | 'dev', { origin, env }: Situation) =>
  project.start('npx', ['next', command, '-H', '127.0.0.1'], `${origin}/`, env)

/** What the endpoint says of a call. */
async function result(at: Situation, token: string) {
  const answer = await call(at, token)
  expect(answer.status).toBe(200)
  const body = (await answer.json()) as { result: { edition: number; user: string } }
  return body.result
}

describe('built, below a `basePath`, in an app with slashes at the end', () => {
  let at: Situation
  let program: Program
  let tokens: Tokens

  beforeAll(async () => {
    at = await situation('/base', { SKIP_REDIRECT: 'yes' })
    const { ORIGIN = '', BASE_PATH = '' } = at.env
    await project.run('npx', ['next', 'build'], { ORIGIN, BASE_PATH, SKIP_REDIRECT: 'yes' })
    program = await next('start', at)
  }, PATIENT)
  afterAll(async () => await program.stop())

  it('RFC 8414 §3.1 RFC 9728 §3.1 has its metadata at the root, and where the challenge says', async () => {
    const challenge = (await call(at, undefined)).headers.get('www-authenticate') ?? ''
    const [, metadata = ''] = /resource_metadata="([^"]+)"/.exec(challenge) ?? []
    expect(metadata).toBe(`${at.origin}/.well-known/oauth-protected-resource/base/mcp`)
    expect(await (await fetch(metadata)).json()).toMatchObject({
      resource: at.resource,
      authorization_servers: [at.issuer],
    })
    for (const url of [
      `${at.origin}/.well-known/oauth-authorization-server/base/oauth`,
      `${at.issuer}/.well-known/openid-configuration`,
    ]) {
      expect(await (await fetch(url)).json()).toMatchObject({ issuer: at.issuer })
    }
  })

  it('signs in, and knows the token in another route though the store is in memory', async () => {
    tokens = (await signIn(at)).tokens
    expect(await result(at, tokens.access_token)).toMatchObject({ user: 'ada' })
  })

  it('sends its pages with the headers that they were made with', async () => {
    const client = await register(at)
    const page = await agentOf('ada').get(authorizeUrl(at, client, pkce().challenge))
    expect(page.status).toBe(200)
    const policy = page.headers.get('content-security-policy')
    expect(policy).toContain(`frame-ancestors 'none'`)
    expect(policy).not.toContain(`default-src 'self'`)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.getSetCookie()).toHaveLength(1)
  })

  it('answers HEAD, preflights, and methods that are not there', async () => {
    const metadata = `${at.origin}/.well-known/oauth-authorization-server/base/oauth`
    const head = await fetch(metadata, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const asked = {
      origin: 'https://inspector.test',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    }
    for (const url of [metadata, `${at.issuer}/token`, at.resource]) {
      const preflight = await fetch(url, { method: 'OPTIONS', headers: asked })
      const isOpen = preflight.headers.get('access-control-allow-origin') !== null
      // This endpoint is on loopback, and a page of another site may not call it.
      expect([preflight.status, isOpen]).toEqual(url === at.resource ? [403, false] : [204, true])
    }
    expect((await fetch(`${at.issuer}/token`, { method: 'PUT' })).status).toBe(405)
    expect((await fetch(at.resource, { method: 'DELETE' })).status).toBe(401)
  })

  it('leaves the rest of the app to the app', async () => {
    // What only begins as ours does is the app's.
    for (const path of ['other', 'mcp-settings', 'oauthors']) {
      const other = await fetch(`${at.origin}/base/${path}`, { redirect: 'manual' })
      expect(other.headers.get('location'), path).toContain('/base/login')
    }
    expect((await fetch(`${at.issuer}/other`)).status).toBe(404)
    expect((await fetch(`${at.origin}/.well-known/other`)).status).toBe(404)
  })

  it('RG-30 takes no address from a header that the caller writes', async () => {
    const statuses = new Set<number>()
    for (let tries = 0; tries < 130; tries += 1) {
      const { status } = await fetch(`${at.issuer}/authorize`, {
        headers: { 'x-forwarded-for': `192.0.2.${tries}`, 'x-real-ip': `192.0.2.${tries}` },
      })
      statuses.add(status)
    }
    expect(statuses).toContain(429)
  })
})

describe('in development, where slashes are put at the end by redirects', () => {
  let at: Situation
  let program: Program

  beforeAll(async () => {
    at = await situation('')
    program = await next('dev', at)
  }, PATIENT)
  afterAll(async () => await program.stop())

  it('answers with the slash, and below `.well-known` without one', async () => {
    const metadata = `${at.origin}/.well-known/oauth-authorization-server/oauth`
    expect((await fetch(metadata, { redirect: 'error' })).status).toBe(200)
    const moved = await fetch(`${at.issuer}/token`, { method: 'POST', redirect: 'manual' })
    expect([moved.status, moved.headers.get('location')]).toEqual([308, '/oauth/token/'])
    const body = new URLSearchParams({ grant_type: 'password' })
    const followed = await fetch(`${at.issuer}/token`, { method: 'POST', body })
    expect(followed.url).toBe(`${at.issuer}/token/`)
    expect(await followed.json()).toMatchObject({ error: 'unsupported_grant_type' })
  })

  it('keeps its sign-ins when a file is edited', { timeout: PATIENT }, async () => {
    const { client, tokens } = await signInWithSlashes(at)
    expect(await result(at, tokens.access_token)).toMatchObject({ edition: 1, user: 'ada' })
    const path = join(project.directory, 'lib/mcp_oauth.ts')
    writeFileSync(path, readFileSync(path, 'utf8').replace('EDITION = 1', 'EDITION = 2'))
    await expect
      .poll(async () => (await result(at, tokens.access_token)).edition, { timeout: 60_000 })
      .toBe(2)
    expect((await refresh(at, client, tokens.refresh_token)).status).toBe(200)
  })
})

/** A browser follows; the agent of the tests does not. */
async function signInWithSlashes(at: Situation) {
  const agent = agentOf('ada')
  const following: typeof agent = {
    ...agent,
    async get(url, headers) {
      const page = await agent.get(url, headers)
      return page.status === 308 ? await agent.get(`${at.origin}${page.leadsTo}`, headers) : page
    },
    async post(url, form, headers) {
      const page = await agent.post(url, form, headers)
      return page.status === 308
        ? await agent.post(`${at.origin}${page.leadsTo}`, form, headers)
        : page
    },
  }
  return await signIn(at, { agent: following })
}

/**
 * What every app must do that mounts a server as `docs/frameworks.md` says: a suite over the app as it runs, in
 * a process and a project of its own.
 */
import { once } from 'node:events'
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { signInHeadless } from '../e2e/support/headless.ts'
import { createCaller, type Caller } from '../examples/caller.ts'
import { createAgent } from '../support/agent.ts'
import { authorizeUrl, call, decide, pkce, post, register } from '../support/flow.ts'
import type { TestOidcProvider } from '../support/oidc_provider.ts'
import type { Program, Project } from '../support/project.ts'
import { freePort } from '../support/free_port.ts'

/** An app that runs. */
export interface App {
  /** As the app's users see it. */
  readonly origin: string
  readonly issuer: string
  readonly resource: string
  readonly upstream: TestOidcProvider
  readonly program: Program
}

export interface StartOptions {
  /** Arguments of `node`. */
  readonly args: readonly string[]
  /** Of the issuer. */
  readonly path: string
  /** Of the MCP endpoint. */
  readonly mcp: string
  readonly env?: (origin: string) => Readonly<{ [name: string]: string }>
  /** Puts something before it, and gives the port of that. */
  readonly before?: (port: number) => Promise<number>
}

/** Starts the app with settings in its environment. */
export async function startApp(
  project: Project,
  upstream: TestOidcProvider,
  { args, path, mcp, env, before }: StartOptions,
): Promise<App> {
  const port = await freePort()
  const origin = `http://localhost:${(await before?.(port)) ?? port}`
  const issuer = `${origin}${path}`
  upstream.allowRedirect(`${issuer}/callback`)
  const program = await project.start(
    'node',
    ['--disable-warning=ExperimentalWarning', ...args],
    `http://127.0.0.1:${port}/`,
    {
      PORT: `${port}`,
      HOST: '127.0.0.1',
      MCP_OAUTH_ISSUER: issuer,
      MCP_OAUTH_KEYS: generateKey(),
      OIDC_ISSUER: upstream.issuer,
      OIDC_CLIENT_ID: upstream.client_id,
      OIDC_CLIENT_SECRET: upstream.client_secret,
      ...env?.(origin),
    },
  )
  return { origin, issuer, resource: `${origin}${mcp}`, upstream, program }
}

/** Somebody with the official client, who has never been here. */
export function callerOf({ resource, upstream }: App): Caller {
  return createCaller(resource, async (authorizationUrl) => {
    const arrived = await signInHeadless(authorizationUrl, upstream, 'ada')
    return arrived.searchParams
  })
}

/** The suite. */
export function describeApp(running: () => App): void {
  it('RFC 9728 §5.1 refuses a call without a token, and leads to the documents', async () => {
    const { issuer, origin, resource } = running()
    const refused = await call({ resource }, undefined)
    expect(refused.status).toBe(401)
    // As a client ends its session: with neither body nor origin.
    expect((await fetch(resource, { method: 'DELETE' })).status).toBe(401)
    const challenge = refused.headers.get('www-authenticate') ?? ''
    const [, url = ''] = /resource_metadata="([^"]+)"/.exec(challenge) ?? []
    const document = await (await fetch(url)).json()
    expect(document).toMatchObject({ resource, authorization_servers: [issuer] })
    const path = new URL(issuer).pathname.replace(/\/$/, '')
    const metadata = await fetch(`${origin}/.well-known/oauth-authorization-server${path}`)
    expect(await metadata.json()).toMatchObject({ issuer, token_endpoint: `${issuer}/token` })
  })

  it('signs in with the official client, and the tool knows who calls', async () => {
    expect(await callerOf(running()).call('whoami')).toEqual({ text: 'Ada Lovelace', signIns: 1 })
  })

  it('RFC 7009 §2 a sign-in that was revoked is out at once', async () => {
    const app = running()
    const caller = callerOf(app)
    await caller.call('whoami')
    expect((await caller.callRaw('whoami')).status).toBe(200)
    const { tokens, client_id } = caller
    const revoked = await post(app, '/revoke', { token: tokens.refresh_token, client_id })
    expect(revoked.status).toBe(200)
    expect((await caller.callRaw('whoami')).status).toBe(401)
  })

  it('takes the answer to the consent page from browsers, and from no other site', async () => {
    const app = running()
    const client = await register(app)
    const agent = createAgent()
    const page = await agent.get(authorizeUrl(app, client, pkce().challenge, { scope: undefined }))
    const { jar } = agent
    const elsewhere = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    const forged = await decide(
      app,
      { ...agent, post: (url, form) => agent.post(url, form, elsewhere) },
      page,
    )
    expect(forged.status).toBe(403)
    expect(forged.body).toContain('<!doctype html>')
    // As browsers send it: `Origin: null`.
    const approved = await decide(app, createAgent(jar), page)
    expect(approved.leadsTo).toContain(app.upstream.issuer)
  })

  it('RFC 6749 §3.2 sees at the token endpoint that a parameter stands twice', async () => {
    const single = await post(running(), '/token', 'grant_type=a&client_id=b')
    expect([single.status, single.body['error']]).toEqual([400, 'unsupported_grant_type'])
    const doubled = await post(running(), '/token', 'grant_type=a&grant_type=a&client_id=b')
    expect([doubled.status, doubled.body['error']]).toEqual([400, 'invalid_request'])
  })

  it('answers HEAD and the preflight of a page', async () => {
    const { issuer, origin, resource } = running()
    const head = await fetch(`${origin}/.well-known/oauth-protected-resource`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const headers = { origin, 'access-control-request-method': 'POST' }
    for (const url of [`${issuer}/token`, resource]) {
      const preflight = await fetch(url, { method: 'OPTIONS', headers })
      expect(preflight.status).toBe(204)
      expect(preflight.headers.has('access-control-allow-methods')).toBe(true)
    }
  })

  it('refuses a large body at both', async () => {
    const { issuer, resource } = running()
    const caller = callerOf(running())
    await caller.call('whoami')
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(await postLarge(`${issuer}/token`, form)).toBe(413)
    const authorization = `Bearer ${caller.tokens.access_token}`
    const json = { 'content-type': 'application/json', authorization }
    expect(await postLarge(resource, json)).toBe(413)
  })
}

/** The status for 8 MiB that are announced, and begun. */
async function postLarge(url: string, headers: OutgoingHttpHeaders): Promise<number | undefined> {
  const length = { 'content-length': 8 * 1024 * 1024 }
  const sent = request(url, { method: 'POST', headers: { ...headers, ...length } })
  sent.write(Buffer.alloc(16 * 1024, 'a'))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  sent.on('error', () => {}).destroy()
  return response.statusCode
}

/**
 * What every adapter to a framework must do, as a suite over a real app on 127.0.0.1.
 *
 * The app has the OAuth routes, `/hello` that says hello, and `/mcp` behind the guard, which says who called
 * and with what. A call of `fail` throws there, and the app's error handler answers 418 with the message.
 */
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { createMcpOAuth, type McpOAuth } from '../../src/server/server.ts'
import { memory } from '../../src/stores/memory.ts'
import { call, post, signIn } from '../support/flow.ts'
import { appLogin, SCOPES, TOOLS } from '../support/server.ts'

export interface App {
  readonly issuer: string
  readonly resource: string
  readonly auth: McpOAuth
}

/** Puts an app around `auth`. */
export type Mount = (auth: McpOAuth) => RequestListener | Promise<RequestListener>

const started: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of started.splice(0)) await close()
})

/** @param path of the issuer; the MCP endpoint is `/mcp` below it. */
export async function startApp(mount: Mount, path = ''): Promise<App> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const auth = createMcpOAuth({
    issuer,
    resource: `${issuer}/mcp`,
    scopes: SCOPES,
    tools: TOOLS,
    keys: generateKey(),
    store: memory(),
    upstream: appLogin(issuer),
  })
  started.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await auth.close()
  })
  server.on('request', await mount(auth))
  return { issuer, resource: `${issuer}/mcp`, auth }
}

/** Signs in, and says what the guarded handler saw of a call. */
export async function callAfterSignIn(app: App, method = 'tools/list'): Promise<Response> {
  const { tokens } = await signIn(app)
  return await call(app, tokens.access_token, method)
}

/** The suite, for one way to mount. */
export function describeAdapter(name: string, mount: Mount): void {
  describe(name, () => {
    it('signs in and lets the call pass, with who calls and the message', async () => {
      const answer = await callAfterSignIn(await startApp(mount))
      expect(answer.status).toBe(200)
      expect(await answer.json()).toMatchObject({
        auth: { scopes: ['notes:read', 'notes:write'], extra: { user: { sub: 'ada' } } },
        body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      })
    })

    it('RFC 9728 §5.1 refuses a call without a token, and says where to sign in', async () => {
      const app = await startApp(mount)
      const answer = await call(app, undefined)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain(
        `resource_metadata="${app.issuer}/.well-known/oauth-protected-resource/mcp"`,
      )
      expect((await call(app, 'forged')).status).toBe(401)
    })

    it('leaves what is not ours to the app', async () => {
      const { issuer } = await startApp(mount)
      const answer = await fetch(`${issuer}/hello`)
      expect([answer.status, await answer.text()]).toEqual([200, 'hello'])
      expect((await fetch(`${issuer}/nowhere`)).status).toBe(404)
    })

    it('answers HEAD without a body, and the preflight of a page', async () => {
      const app = await startApp(mount)
      const metadata = `${app.issuer}/.well-known/oauth-authorization-server`
      const head = await fetch(metadata, { method: 'HEAD' })
      expect([head.status, await head.text()]).toEqual([200, ''])
      const headers = { origin: app.issuer, 'access-control-request-method': 'POST' }
      for (const url of [metadata, app.resource]) {
        const preflight = await fetch(url, { method: 'OPTIONS', headers })
        expect(preflight.status).toBe(204)
        expect(preflight.headers.has('access-control-allow-methods')).toBe(true)
      }
      expect((await fetch(app.resource, { method: 'HEAD' })).status).toBe(401)
    })

    it('gives what the handler throws to the error handler of the app', async () => {
      const answer = await callAfterSignIn(await startApp(mount), 'fail')
      expect([answer.status, await answer.text()]).toEqual([418, 'thrown by the handler'])
    })

    it('refuses a large body that comes in pieces, at both', async () => {
      const app = await startApp(mount)
      const { tokens } = await signIn(app)
      expect(await stream(`${app.issuer}/token`, 'application/x-www-form-urlencoded', '')).toBe(413)
      expect(await stream(app.resource, 'application/json', tokens.access_token)).toBe(413)
    })

    it('RFC 6749 §3.2 sees at the token endpoint that a parameter stands twice', async () => {
      const app = await startApp(mount)
      const single = await post(app, '/token', 'grant_type=a&client_id=b')
      expect([single.status, single.body['error']]).toEqual([400, 'unsupported_grant_type'])
      const doubled = await post(app, '/token', 'grant_type=a&grant_type=a&client_id=b')
      expect([doubled.status, doubled.body['error']]).toEqual([400, 'invalid_request'])
    })
  })
}

/** The status for 8 MiB without a length, sent until somebody answers. */
async function stream(url: string, type: string, token: string): Promise<number | undefined> {
  const headers = { 'content-type': type, authorization: `Bearer ${token}` }
  const sent = request(url, { method: 'POST', headers })
  // Whoever refuses closes the connection while we send.
  pipeline(Readable.from(Array<Buffer>(32).fill(Buffer.alloc(256 * 1024, 'a'))), sent).catch(
    () => {},
  )
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  sent.destroy()
  return response.statusCode
}

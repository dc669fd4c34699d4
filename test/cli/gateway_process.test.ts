import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { startBackend, startEcho } from '../gateway/support/backend.ts'
import { createAgent } from '../support/agent.ts'
import { freePort } from '../support/free_port.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import {
  authorizeUrl,
  call,
  decide,
  pkce,
  redeem,
  refresh,
  register,
  type Tokens,
} from '../support/flow.ts'
import { start, type Running } from './support.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

function keep<T extends { close(): Promise<unknown> }>(server: T): T {
  opened.push(() => server.close())
  return server
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mcp-oauth-gateway-'))
  opened.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

interface Started {
  readonly gateway: Running
  readonly issuer: string
  readonly resource: string
}

async function startGateway(
  args: readonly string[],
  env: Readonly<{ [name: string]: string }>,
  cwd: string,
  port?: number,
): Promise<Started> {
  const at = port ?? (await freePort())
  const gateway = await start(['gateway', '--port', String(at), ...args], env, cwd)
  opened.push(async () => {
    gateway.child.kill('SIGKILL')
    await gateway.ended()
  })
  await gateway.told('Callback to register')
  const issuer = `http://localhost:${at}`
  return { gateway, issuer, resource: `${issuer}/mcp` }
}

async function stop({ child, ended }: Running): Promise<number | null> {
  child.kill('SIGTERM')
  return await ended()
}

/** Everything that a stranger must not read in a log, as it goes over the wire. */
type Secrets = Set<string>

/** A sign-in through the provider, by somebody who keeps every secret on the way. */
async function signIn(at: Started, provider: TestOidcProvider, secrets: Secrets) {
  const client = await register(at)
  const agent = createAgent()
  const { verifier, challenge } = pkce()
  const page = await agent.get(authorizeUrl(at, client, challenge, { scope: undefined }))
  const onward = (await decide(at, agent, page)).leadsTo ?? ''
  const back = await provider.signIn(onward, 'ada')
  const arrived = (await agent.get(back)).leadsTo ?? ''
  for (const url of [onward, back, arrived]) {
    const { searchParams } = new URL(url)
    for (const name of ['state', 'code', 'nonce', 'code_challenge']) {
      const value = searchParams.get(name)
      if (value !== null && value.length > 10) secrets.add(value)
    }
  }
  for (const value of agent.jar.values()) secrets.add(value)
  const code = new URL(arrived).searchParams.get('code') ?? ''
  const authorized = { code, verifier, client, location: arrived }
  const { status, body } = await redeem(at, authorized)
  expect(status).toBe(200)
  const tokens = body as unknown as Tokens
  for (const value of [verifier, code, tokens.access_token, tokens.refresh_token]) {
    secrets.add(value)
  }
  return { client, tokens, authorized }
}

describe('mcp-oauth gateway', () => {
  it('LG-01 LG-02 LG-04 protects a server for a user of an OpenID provider, through a restart, and logs what happened without a secret', async () => {
    const port = await freePort()
    const provider = keep(
      await startOidcProvider({ redirect_uri: `http://localhost:${port}/callback` }),
    )
    const backend = keep(await startEcho())
    const keys = generateKey()
    const cwd = folder()
    const args = ['--to', backend.url, '--upstream', provider.issuer]
    const env = {
      MCP_OAUTH_KEYS: keys,
      MCP_OAUTH_UPSTREAM_CLIENT_ID: provider.client_id,
      MCP_OAUTH_UPSTREAM_CLIENT_SECRET: provider.client_secret,
      MCP_OAUTH_IDENTITY: 'headers,assertion,upstream_token',
    }
    const secrets: Secrets = new Set([keys, provider.client_secret])
    const first = await startGateway(args, env, cwd, port)
    // On loopback alone, unless --host says otherwise.
    expect(first.gateway.err()).toContain(`Listening on http://127.0.0.1:${port}\n`)
    expect(first.gateway.err()).toContain(`MCP endpoint for clients: ${first.resource}`)
    expect(first.gateway.err()).toContain(
      `Callback to register at the upstream: ${first.issuer}/callback`,
    )

    expect((await call(first, undefined)).status).toBe(401)
    const { client, tokens, authorized } = await signIn(first, provider, secrets)
    expect((await call(first, tokens.access_token)).status).toBe(200)
    const [seen] = backend.seen
    expect(seen?.headers).toMatchObject({
      'x-mcp-user-sub': 'ada',
      'x-mcp-user-issuer': encodeURI(provider.issuer),
    })
    const upstreamToken = seen?.headers.authorization?.replace('Bearer ', '') ?? ''
    const notes = await fetch(provider.notesUrl, {
      headers: { authorization: `Bearer ${upstreamToken}` },
    })
    expect(await notes.json()).toMatchObject({ user: 'ada' })
    secrets.add(upstreamToken)
    secrets.add(String(seen?.headers['x-mcp-identity']))
    expect(await stop(first.gateway)).toBe(0)

    const second = await startGateway(args, env, cwd, port)
    expect((await call(second, tokens.access_token)).status).toBe(200)
    const rotated = (await refresh(second, client, tokens.refresh_token)).body
    secrets.add(String(rotated['access_token'])).add(String(rotated['refresh_token']))
    // LG-04: the code a second time ends the grant, which the log tells with all its ids.
    expect((await redeem(second, authorized)).status).toBe(400)
    expect((await call(second, String(rotated['access_token']))).status).toBe(401)
    await fetch(`${second.issuer}/callback?code=${authorized.code}&state=a-state-of-mine`)
    expect(await stop(second.gateway)).toBe(0)

    const log =
      first.gateway.err() + second.gateway.err() + first.gateway.out() + second.gateway.out()
    const events = log
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line): { [name: string]: unknown } => JSON.parse(line))
    expect(events.find(({ event }) => event === 'grant_ended')).toMatchObject({
      client_id: client.client_id,
      subject: expect.stringMatching(/./),
      grantId: expect.stringMatching(/./),
      reason: expect.stringMatching(/code/),
    })
    expect(log).not.toContain('a-state-of-mine')
    for (const secret of secrets) {
      for (const form of [
        secret,
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64url'),
      ]) {
        expect(log.includes(form), `${form.slice(0, 8)}… is in the log`).toBe(false)
      }
    }
  })

  const sound = (to: string) => ({
    MCP_OAUTH_KEYS: generateKey(),
    MCP_OAUTH_UPSTREAM: 'https://login.example.com',
    MCP_OAUTH_UPSTREAM_CLIENT_ID: 'id',
    MCP_OAUTH_STORE: 'memory',
    MCP_OAUTH_TO: to,
  })

  it('GW-29 on SIGTERM running calls finish, and the process ends well', async () => {
    const backend = keep(
      await startBackend((req, res) => {
        req.resume()
        setTimeout(() => res.writeHead(200, { 'content-type': 'application/json' }).end('{}'), 300)
      }),
    )
    const at = await startGateway(['--optional'], sound(backend.url), folder())
    const running = call(at, undefined)
    const idle = await fetch(`${at.issuer}/healthz`)
    expect(idle.status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 100))
    at.gateway.child.kill('SIGTERM')
    expect((await running).status).toBe(200)
    expect(await at.gateway.ended()).toBe(0)
    expect(at.gateway.err()).toContain('SIGTERM: finishing what is under way')
  })

  it('a port that is taken is one line and status 1', async () => {
    const taken = keep(await startBackend(() => {}))
    const gateway = await start(
      ['gateway', '--port', String(taken.port)],
      sound(taken.url),
      folder(),
    )
    expect(await gateway.ended()).toBe(1)
    expect(gateway.err()).toMatch(
      /^mcp-oauth: cannot listen on 127\.0\.0\.1:\d+: .*another --port$/m,
    )
    expect(gateway.err()).not.toMatch(/\n\s+at /)
  })

  it('a store that cannot be opened is one line and status 1', async () => {
    const cwd = folder()
    const path = join(cwd, 'broken.db')
    writeFileSync(path, 'this is no database, and long enough to be read as one'.repeat(40))
    const env = { ...sound('http://127.0.0.1:9/mcp'), MCP_OAUTH_STORE: `sqlite:${path}` }
    const gateway = await start(['gateway', '--port', '0'], env, cwd)
    expect(await gateway.ended()).toBe(1)
    expect(gateway.err()).toMatch(/^mcp-oauth: the SQLite store .*broken\.db cannot be opened/m)
  })

  /** Refused calls, each of which is a line in the log. */
  async function flood(at: Started, count: number): Promise<void> {
    for (let done = 0; done < count; done += 100) {
      await Promise.all(
        Array.from({ length: 100 }, () => call(at, undefined).then((answer) => answer.text())),
      )
    }
  }

  it('LG-07 a log that nobody empties, or whose reader has gone, stops nothing', async () => {
    const at = await startGateway([], sound('http://127.0.0.1:9/mcp'), folder())
    at.gateway.child.stderr.removeAllListeners('data').pause()
    await flood(at, 1500)
    expect((await fetch(`${at.issuer}/healthz`)).status).toBe(200)
    at.gateway.child.stderr.destroy()
    await flood(at, 200)
    expect((await fetch(`${at.issuer}/healthz`)).status).toBe(200)
    at.gateway.child.kill('SIGTERM')
    const [status] = (await once(at.gateway.child, 'exit')) as [number | null]
    expect(status).toBe(0)
  })

  it('LG-07 a full log lets go of the process at its end', async () => {
    const at = await startGateway([], sound('http://127.0.0.1:9/mcp'), folder())
    at.gateway.child.stderr.removeAllListeners('data').pause()
    await flood(at, 1500)
    at.gateway.child.kill('SIGTERM')
    const [status] = (await once(at.gateway.child, 'exit')) as [number | null]
    expect(status).toBe(0)
  })
})

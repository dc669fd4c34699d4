/**
 * `npm start`, from the outside: what it says, whom it lets in, what it keeps, and how it ends.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProvider, type TestProvider } from '../e2e/support/provider.ts'
import { createAgent } from '../support/agent.ts'
import { decide } from '../support/flow.ts'
import { buildDemo, run, temporaryDirectory, type DemoProcess } from './support.ts'

const PORT = 18_787
const ISSUER = `http://localhost:${PORT}`
const READY = `Ready: ${ISSUER}/mcp`

const directory = temporaryDirectory()
const start = (settings: { [name: string]: string } = {}): DemoProcess =>
  run('scripts/start.js', { PORT: `${PORT}`, MCP_OAUTH_DEMO_DATA: directory.path, ...settings })

beforeAll(buildDemo)
afterAll(() => directory.remove())

async function started(): Promise<DemoProcess> {
  const demo = start()
  await demo.says('Ctrl-C stops it')
  return demo
}

/** What a person does in the browser: approves, chooses who they are, and is sent back. */
async function signIn(provider: TestProvider, who: string): Promise<URLSearchParams> {
  const agent = createAgent()
  const page = await agent.get(provider.kept.authorizationUrl?.href ?? '')
  const approved = await decide({ issuer: ISSUER }, agent, page)
  let at = approved.leadsTo ?? ''
  for (let step = 0; step < 8 && !at.startsWith(provider.redirectUrl); step += 1) {
    const next = await agent.get(at)
    const answer = next.body.includes('Who are you today?')
      ? await agent.post(at, { login: who })
      : next
    at = new URL(answer.leadsTo ?? '', at).href
  }
  return new URL(at).searchParams
}

/** Calls a tool, and signs in on the way when the server asks for it. Tells how often it asked. */
async function call(
  provider: TestProvider,
  name: string,
  args: { [name: string]: unknown } = {},
  who = 'ada',
): Promise<{ value: unknown; signIns: number }> {
  for (let signIns = 0; ; signIns += 1) {
    const transport = new StreamableHTTPClientTransport(new URL(`${ISSUER}/mcp`), {
      authProvider: provider,
    })
    const client = new Client({ name: 'test', version: '1' })
    try {
      await client.connect(transport)
      const result = await client.callTool({ name, arguments: args })
      const [content] = result.content
      const value: unknown = content?.type === 'text' ? JSON.parse(content.text) : result
      return { value, signIns }
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || signIns > 1) throw error
      await transport.finishAuth(await signIn(provider, who))
    } finally {
      await client.close()
    }
  }
}

describe('the demo', () => {
  const ada = createProvider('http://127.0.0.1:33333/callback')
  let demo: DemoProcess

  beforeAll(async () => {
    demo = await started()
  })

  afterAll(async () => {
    await demo.stop()
  })

  it('says what it does and how to connect each client', () => {
    for (const text of [
      'Starting the demo identity provider',
      'Starting the demo MCP server',
      'Starting the gateway',
      READY,
      `claude mcp add --transport http mcp-oauth-demo ${ISSUER}/mcp`,
      `codex mcp add mcp-oauth-demo --url ${ISSUER}/mcp`,
      `code --add-mcp '{"name":"mcp-oauth-demo","type":"http","url":"${ISSUER}/mcp"}'`,
      'cursor://anysphere.cursor-deeplink/mcp/install?name=mcp-oauth-demo&config=',
      `npx @modelcontextprotocol/inspector@latest --transport http --server-url ${ISSUER}/mcp`,
    ]) {
      expect(demo.said()).toContain(text)
    }
  })

  it('lets a real client in, and the tool acts as the user at the upstream', async () => {
    const { value, signIns } = await call(ada, 'whoami')
    expect(signIns).toBe(1)
    expect(value).toMatchObject({
      gateway_says: { name: 'Ada Lovelace', email: 'ada@example.com', scope: 'notes:read' },
      upstream_says: { sub: 'ada', name: 'Ada Lovelace' },
    })
  })

  it('keeps two users apart', async () => {
    const grace = createProvider('http://127.0.0.1:33334/callback')
    await call(ada, 'add_note', { text: 'a note of Ada' })
    const { value } = await call(grace, 'list_notes', {}, 'grace')
    expect(JSON.stringify(value)).not.toContain('a note of Ada')
    expect((await call(grace, 'whoami')).value).toMatchObject({ upstream_says: { sub: 'grace' } })
  })

  it('asks for more when a tool needs more', async () => {
    const { value, signIns } = await call(ada, 'delete_note', { id: 1 })
    expect(value).toEqual({ deleted: true })
    expect(signIns).toBe(1)
    expect(await call(ada, 'whoami')).toMatchObject({
      value: { gateway_says: { scope: 'notes:read notes:write' } },
      signIns: 0,
    })
  })

  it('ends with 0 on SIGTERM, and after a restart everybody is still signed in', async () => {
    expect(await demo.stop('SIGTERM')).toBe(0)
    demo = await started()
    expect(await call(ada, 'whoami')).toMatchObject({
      value: { upstream_says: { sub: 'ada' } },
      signIns: 0,
    })
    expect(JSON.stringify((await call(ada, 'list_notes')).value)).toContain('a note of Ada')
  })

  it('answers on both loopback addresses, where the machine has both', async () => {
    expect((await fetch(`http://127.0.0.1:${PORT}/healthz`)).status).toBe(200)
    const six = await fetch(`http://[::1]:${PORT}/healthz`).catch(() => undefined)
    if (await listens('::1')) expect(six?.status).toBe(200)
  })

  it('keeps its secrets in files that only its owner reads', () => {
    const secret = ['demo.json', 'gateway.mjs', 'identity_provider.json', 'mcp-oauth.db']
    for (const name of secret) {
      expect(statSync(join(directory.path, name)).mode & 0o077, name).toBe(0)
    }
    expect(readdirSync(directory.path)).toEqual(expect.arrayContaining(secret))
  })

  it('writes no token, code or secret to the terminal', () => {
    const { keys, client_secret } = JSON.parse(
      readFileSync(join(directory.path, 'demo.json'), 'utf8'),
    ) as { keys: string; client_secret: string }
    for (const secret of [keys, client_secret, ada.kept.tokens?.['access_token'], 'code=']) {
      expect(demo.said()).not.toContain(String(secret))
    }
  })

  it('ends with 0 on Ctrl-C', async () => {
    expect(await demo.stop('SIGINT')).toBe(0)
    expect(demo.said()).toContain('Stopped')
  })

  it('ends altogether when one of its processes dies, and says which', async () => {
    demo = await started()
    const [child] = childrenOf(demo.child.pid ?? 0)
    // Where the system does not tell a process's children there is nothing to kill.
    if (child === undefined) return
    process.kill(child, 'SIGKILL')
    expect(await demo.stop('SIGCONT')).toBe(1)
    expect(demo.said()).toMatch(/✗ the .* ended \(SIGKILL\)/)
    for (const port of [PORT, PORT + 1, PORT + 2]) {
      expect(await listens('127.0.0.1', port), `${port}`).toBe(true)
    }
  })
})

describe('what it does not start with', () => {
  it.each([
    [{ NODE_ENV: 'production' }, 'does not run under NODE_ENV=production'],
    [{ PORT: 'eighty' }, 'PORT=eighty is no port'],
    [{ PORT: '65535' }, 'PORT=65535 is no port'],
  ])('%o', async (settings, said) => {
    const demo = start(settings)
    expect(await demo.stop('SIGCONT')).toBe(1)
    expect(demo.said()).toContain(said)
    expect(demo.said().trim().split('\n')).toHaveLength(1)
  })

  it.each([
    ['127.0.0.1', PORT],
    ['127.0.0.1', PORT + 1],
    ['127.0.0.1', PORT + 2],
    ['::1', PORT],
  ])('somebody on %s, port %d', async (host, port) => {
    const taken = await listen(host, port)
    // A machine without IPv6 has nobody there.
    if (taken === undefined) return
    const demo = start()
    expect(await demo.stop('SIGCONT')).toBe(1)
    taken.close()
    expect(demo.said()).toContain(`✗ port ${port} is in use; start it elsewhere: PORT=`)
  })

  it('a file of its own that it cannot read', async () => {
    const broken = temporaryDirectory()
    writeFileSync(join(broken.path, 'notes.json'), '{')
    const demo = start({ MCP_OAUTH_DEMO_DATA: broken.path })
    expect(await demo.stop('SIGCONT')).toBe(1)
    expect(demo.said()).toMatch(/✗ the MCP server ended \(1\)/)
    broken.remove()
  })
})

async function listen(host: string, port: number): Promise<Server | undefined> {
  const server = createServer()
  return await new Promise((done) => {
    server.once('error', () => done(undefined))
    server.listen(port, host, () => done(server))
  })
}

/** Whether this machine lets anybody listen there; on any port by default. */
async function listens(host: string, port = 0): Promise<boolean> {
  const server = await listen(host, port)
  server?.close()
  return server !== undefined
}

function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ').map(Number) : []
}

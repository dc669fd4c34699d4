/**
 * The set-up with which this project began, live: Next.js with mcp-handler, sign-ins in Upstash (its REST
 * interface, here before a real Redis), the official MCP SDK as the client, a real browser as the user, an
 * OpenID provider that somebody else wrote as the upstream.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as LatestV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LatestV1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Client as Client110 } from 'mcp-sdk-1.10/client/index.js'
import { StreamableHTTPClientTransport as Transport110 } from 'mcp-sdk-1.10/client/streamableHttp.js'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { browserSuite, launchBrowser, type TestBrowser } from '../support/browser.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { installProject, type Program, type Project } from '../support/project.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { startRest } from '../support/redis_rest.ts'
import { signInBrowsing } from '../e2e/support/browse.ts'
import { listenLoopback, type Loopback } from '../e2e/support/loopback.ts'
import { textOf } from '../e2e/support/notes_server.ts'
import { createProvider, type TestProvider } from '../e2e/support/provider.ts'
import { freePort } from '../support/free_port.ts'

const EXAMPLE = resolve(import.meta.dirname, '../../examples/next-upstash')
const TOKEN = 'a-token-of-upstash'
const PATIENT = { timeout: 240_000 }

/** The endpoint of the example, and beside it the way to open it, which is chosen at the start. */
const route = readFileSync(join(EXAMPLE, 'app/mcp/route.ts'), 'utf8')
const openable = route.replace(
  'auth.protect(handler)',
  `auth.protect(handler, { required: process.env['OPEN'] !== 'yes' })`,
)

redisSuite(describe, 'Next.js, mcp-handler and Upstash', () => {
  browserSuite(describe, 'with a real client and a real browser', suite)
})

function suite(): void {
  let upstream: TestOidcProvider
  let redis: TestRedis
  let rest: { readonly url: string; close(): Promise<void> }
  let project: Project
  let program: Program
  let browser: TestBrowser
  let loopback: Loopback
  let provider: TestProvider
  let origin = ''
  let port = 0
  const keys = generateKey()

  /** Fetches, and takes down what was asked and the status of the answer. */
  function recordedIn(requests: string[]): typeof fetch {
    return async (input, init) => {
      const response = await fetch(input, init)
      const url = input instanceof Request ? input.url : String(input)
      requests.push(`${init?.method ?? 'GET'} ${url.slice(origin.length)} ${response.status}`)
      return response
    }
  }

  /** As an operator does, with what `.env` holds. */
  const start = (env: Readonly<{ [name: string]: string }> = {}) =>
    project.start('npm', ['start', '--ignore-scripts'], `${origin}/mcp`, env)

  beforeAll(async () => {
    ;[upstream, redis, port, browser, loopback] = await Promise.all([
      startOidcProvider(),
      startRedis(),
      freePort(),
      launchBrowser(),
      listenLoopback(),
    ])
    rest = await startRest(redis.port, TOKEN)
    origin = `http://127.0.0.1:${port}`
    upstream.allowRedirect(`${origin}/oauth/callback`)
    provider = createProvider(loopback.redirect_uri)
    project = await installProject(EXAMPLE, {
      files: { 'app/mcp/route.ts': openable },
      without: ['.next', '.env'],
    })
  }, PATIENT.timeout)
  afterAll(async () => {
    loopback.close()
    await Promise.all([browser.close(), program.stop()])
    await Promise.all([rest.close(), upstream.close()])
    await redis.close()
  })

  it('is built where there are no secrets', PATIENT, async () => {
    const told = await project.run('npm', ['run', 'build'])
    expect(told).toContain('/oauth/[...path]')
    // What is marked ○ would be answered from the build.
    expect(told).toMatch(/ƒ \/\.well-known\/\[\.\.\.path\]/)
    expect(told).toMatch(/ƒ \/mcp/)
  })

  it('starts with a file of settings', PATIENT, async () => {
    const settings = {
      PORT: String(port),
      MCP_OAUTH_ISSUER: `${origin}/oauth`,
      MCP_OAUTH_KEYS: keys,
      KV_REST_API_URL: rest.url,
      KV_REST_API_TOKEN: TOKEN,
      OIDC_ISSUER: upstream.issuer,
      OIDC_CLIENT_ID: upstream.client_id,
      OIDC_CLIENT_SECRET: upstream.client_secret,
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(join(project.directory, '.env'), lines.join(''))
    program = await start()
    expect((await fetch(`${origin}/mcp`, { method: 'POST' })).status).toBe(401)
  })

  describe('the nine steps', () => {
    const requests: string[] = []
    const pages: string[] = []
    const spoken: string[] = []
    let page: Page
    let transport: StreamableHTTPClientTransport
    let arrived: URL
    const asked = (text: string) => requests.find((line) => line.includes(text))

    const connect = async () => {
      transport = new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), {
        authProvider: provider,
        fetch: recordedIn(requests),
      })
      const client = new Client({ name: 'a client', version: '1' })
      await client.connect(transport)
      return client
    }

    it('1 discover: from the 401 to both documents', async () => {
      await expect(connect()).rejects.toThrow(/unauthorized/i)
      expect(requests[0]).toBe('POST /mcp 401')
      expect(asked('/.well-known/oauth-protected-resource/mcp')).toMatch(/ 200$/)
      expect(asked('/.well-known/oauth-authorization-server/oauth')).toMatch(/ 200$/)
      expect(requests.filter((line) => line.endsWith(' 404'))).toEqual([])
    })

    it('2 register: the client gets an id', () => {
      expect(asked('/oauth/register')).toBe('POST /oauth/register 201')
      expect(provider.kept.information).toHaveProperty('client_id')
    })

    it('3 authorize: the browser shows who asks, and for what', async () => {
      const url = provider.kept.authorizationUrl
      expect(`${url?.origin}${url?.pathname}`).toBe(`${origin}/oauth/authorize`)
      expect(url?.searchParams.get('resource')).toBe(`${origin}/mcp`)
      expect(url?.searchParams.get('code_challenge_method')).toBe('S256')
      page = await browser.context.newPage()
      page.on('response', (response) => {
        if (response.request().isNavigationRequest()) {
          pages.push(`${response.request().method()} ${response.url().split('?')[0]}`)
        }
      })
      page.on('console', (message) => spoken.push(message.text()))
      const consent = await page.goto(url?.href ?? '')
      expect(consent?.headers()['content-security-policy']).toContain(`frame-ancestors 'none'`)
      expect(consent?.headers()['cache-control']).toContain('no-store')
      const text = await page.innerText('main')
      expect(text).toContain('An MCP client')
      expect(text).toContain('See who you are')
      // The style of the page passes its own policy.
      expect(await page.evaluate('getComputedStyle(document.body).fontFamily')).toMatch(/sans/)
    })

    it('4 redirect upstream: after the yes, and not before, the user signs in there', async () => {
      expect(pages).toEqual([`GET ${origin}/oauth/authorize`])
      await page.getByRole('button', { name: 'Allow' }).click()
      await page.getByRole('heading', { name: 'Who are you?' }).waitFor()
      expect(new URL(page.url()).origin).toBe(upstream.issuer)
      expect(pages).toContain(`POST ${origin}/oauth/consent`)
      await page.getByRole('button', { name: 'Ada Lovelace' }).click()
      await page.getByRole('button', { name: 'Allow', exact: true }).click()
    })

    it('5 callback: the upstream sends the browser back here', async () => {
      await page.getByText('You can close this window.').waitFor()
      expect(pages).toContain(`GET ${origin}/oauth/callback`)
      expect(upstream.tokenCalls()).toMatchObject({ code: 1 })
      expect(spoken.filter((line) => /policy|refused/i.test(line))).toEqual([])
      await page.close()
    })

    it('6 code: the client gets one of ours, with its state and our name', async () => {
      arrived = await loopback.arrived
      expect(arrived.searchParams.get('state')).toBe(provider.kept.state)
      expect(arrived.searchParams.get('iss')).toBe(`${origin}/oauth`)
      expect(arrived.searchParams.get('code')).toBeTruthy()
    })

    it('7 exchange: the code and the verifier for tokens', async () => {
      await transport.finishAuth(arrived.searchParams)
      expect(asked('/oauth/token')).toBe('POST /oauth/token 200')
      expect(provider.kept.tokens).toMatchObject({
        token_type: 'Bearer',
        scope: 'profile offline_access',
      })
    })

    it('8 call tools: they are listed, and one that needs more asks for it', async () => {
      const client = await connect()
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name).sort()).toEqual(['roll_dice', 'whoami'])
      const roll = client.callTool({ name: 'roll_dice', arguments: { sides: 6 } })
      await expect(roll).rejects.toThrow()
      expect(requests).toContain('POST /mcp 403')
      const more = provider.kept.authorizationUrl?.searchParams.get('scope')?.split(' ')
      expect(more).toEqual(expect.arrayContaining(['profile', 'roll']))
      await client.close()
    })

    it('9 call the upstream API: as the user, with the user’s token', async () => {
      const client = await connect()
      const answer = await client.callTool({ name: 'whoami', arguments: {} })
      expect(JSON.parse(textOf(answer))).toMatchObject({ sub: 'ada', name: 'Ada Lovelace' })
      await client.close()
    })

    it('what is kept is in Redis, and opens no door', async () => {
      const { access_token, refresh_token } = provider.kept.tokens as { [name: string]: string }
      const names = (await redis.cli('KEYS', '*')).split('\n')
      expect(names.length).toBeGreaterThan(2)
      const kept = await Promise.all(
        names.map(async (name) => `${name} ${await redis.cli('DUMP', name)}`),
      )
      for (const secret of [
        access_token ?? '',
        refresh_token ?? '',
        upstream.client_secret,
        keys,
      ]) {
        expect(secret.length).toBeGreaterThan(20)
        expect(kept.join('\n')).not.toContain(secret)
      }
    })
  })

  describe('clients of the years before', () => {
    const LINES = {
      newest: { Client: LatestV1, Transport: LatestV1Transport },
      // It knows no resource metadata, and guesses /authorize, /token and /register.
      '1.10': { Client: Client110, Transport: Transport110 },
    } as unknown as {
      readonly [line: string]: {
        readonly Client: typeof Client
        readonly Transport: typeof StreamableHTTPClientTransport
      }
    }

    it.each(Object.entries(LINES))('MCP SDK v1, %s', async (_, { Client: V1, Transport }) => {
      const waiting = await listenLoopback()
      try {
        const mine = createProvider(waiting.redirect_uri)
        const open = () => new Transport(new URL(`${origin}/mcp`), { authProvider: mine })
        const first = open()
        const info = { name: 'a client', version: '1' }
        await expect(new V1(info).connect(first)).rejects.toThrow(/unauthorized/i)
        await signInBrowsing(browser, mine.kept.authorizationUrl?.href ?? '', 'ada')
        await first.finishAuth((await waiting.arrived).searchParams.get('code') ?? '')
        const client = new V1(info)
        await client.connect(open())
        const answer = await client.callTool({ name: 'whoami', arguments: {} })
        expect(JSON.parse(textOf(answer))).toMatchObject({ sub: 'ada' })
        await client.close()
      } finally {
        waiting.close()
      }
    })
  })

  describe('`required: false`', () => {
    const post = (method: string, params: object, headers: object = {}) =>
      fetch(`${origin}/mcp`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      })
    const modern = (method: string) => ({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
    })
    const meta = {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'a client', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    }

    it('a sign-in outlives the process', PATIENT, async () => {
      await program.stop()
      program = await start({ OPEN: 'yes' })
      const access_token = String(provider.kept.tokens?.['access_token'])
      const params = { name: 'whoami', arguments: {} }
      const answer = await post('tools/call', params, { authorization: `Bearer ${access_token}` })
      expect(await answer.text()).toContain('Ada Lovelace')
    })

    it.each([
      [
        'initialize',
        {
          protocolVersion: '2025-06-18',
          capabilities: {},
          clientInfo: { name: 'a client', version: '1' },
        },
        {},
        'notes',
      ],
      ['tools/list', {}, {}, 'whoami'],
      ['server/discover', meta, modern('server/discover'), 'notes'],
      ['tools/list', meta, modern('tools/list'), 'whoami'],
    ])('%s passes without a token', async (method, params, headers, told) => {
      const answer = await post(method, params, headers)
      expect(answer.status).toBe(200)
      const text = await answer.text()
      expect(text).toContain('"result"')
      expect(text).toContain(told)
    })

    it.each(['whoami', 'roll_dice'])(
      'the tool %s is challenged with all that leads to a sign-in',
      async (name) => {
        const answer = await post('tools/call', { name, arguments: { sides: 6 } })
        expect(answer.status).toBe(401)
        const challenge = answer.headers.get('www-authenticate') ?? ''
        const scope = name === 'whoami' ? 'profile' : 'profile roll'
        expect(challenge).toContain(`scope="${scope}"`)
        const [, metadata = ''] = /resource_metadata="([^"]+)"/.exec(challenge) ?? []
        expect(await (await fetch(metadata)).json()).toMatchObject({
          resource: `${origin}/mcp`,
          authorization_servers: [`${origin}/oauth`],
        })
      },
    )

    it('a client lists without a user, and signs in with the first call', PATIENT, async () => {
      const waiting = await listenLoopback()
      const mine = createProvider(waiting.redirect_uri)
      const requests: string[] = []
      const connect = async () => {
        const transport = new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), {
          authProvider: mine,
          fetch: recordedIn(requests),
        })
        const client = new Client({ name: 'a client', version: '1' })
        await client.connect(transport)
        return { client, transport }
      }
      try {
        const { client, transport } = await connect()
        expect((await client.listTools()).tools).toHaveLength(2)
        // The client opens its stream by itself. A 401 there would be a second sign-in beside that of the call.
        await vi.waitFor(() => expect(requests).toContain('GET /mcp 405'))
        expect(requests.filter((line) => !line.includes(' /mcp '))).toEqual([])
        const rolled = { name: 'roll_dice', arguments: { sides: 6 } }
        await expect(client.callTool(rolled)).rejects.toThrow(/unauthorized/i)
        const consent = await signInBrowsing(browser, mine.kept.authorizationUrl?.href ?? '', 'ada')
        expect(consent).toContain('Roll dice for you')
        await transport.finishAuth((await waiting.arrived).searchParams)
        const again = await connect()
        expect(textOf(await again.client.callTool(rolled))).toMatch(/^Ada Lovelace rolled [1-6]$/)
        await again.client.close()
      } finally {
        waiting.close()
      }
    })
  })

  it('nothing secret is in what the server wrote', () => {
    const told = program.told()
    const { access_token } = provider.kept.tokens as { [name: string]: string }
    for (const secret of [access_token ?? '', upstream.client_secret, keys, TOKEN]) {
      expect(told).not.toContain(secret)
    }
    expect(told).not.toMatch(/error/i)
  })

  it('runs in development, too, with the same sign-ins', PATIENT, async () => {
    await program.stop()
    program = await project.start('npm', ['run', 'dev'], `${origin}/mcp`, { PORT: String(port) })
    const connected = new Client({ name: 'a client', version: '1' })
    await connected.connect(
      new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), { authProvider: provider }),
    )
    const answer = await connected.callTool({ name: 'whoami', arguments: {} })
    expect(JSON.parse(textOf(answer))).toMatchObject({ sub: 'ada' })
    await connected.close()
  })
}

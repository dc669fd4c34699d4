import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { StreamableHTTPServerTransport as Transport110 } from 'mcp-sdk-1.10/server/streamableHttp.js'
import { McpServer as McpServer110 } from 'mcp-sdk-1.10/server/mcp.js'
import { describe, expect, it } from 'vitest'
import { protectNode, type Guarding, type GuardedHandler } from '../../src/adapters/node.ts'
import type { GuardOptions } from '../../src/guard/guard.ts'
import type { AuthInfo } from '../../src/guard/verifier.ts'
import { header } from '../../src/http/message.ts'
import { errorResponse } from '../../src/http/respond.ts'
import { OAuthError } from '../../src/protocol/errors.ts'
import { exchange, serve, type TestServer } from './support.ts'

const authInfo: AuthInfo = {
  token: 'good',
  clientId: 'client',
  scopes: ['a'],
  expiresAt: 4_000_000_000,
  resource: new URL('https://mcp.test/mcp'),
  extra: {
    subject: 'ada',
    grantId: '1',
    user: {
      issuer: 'https://up.test',
      sub: 'ada',
      name: undefined,
      email: undefined,
      email_verified: false,
    },
  },
}

/** As it stands inside the text of a tool's answer. */
const ADA = String.raw`\"subject\":\"ada\"`

/** As much of a guard as the edge needs: it reads the body, and knows one token. */
const auth: Guarding<AuthInfo, GuardOptions> = {
  async guard(request) {
    if (header(request, 'authorization') !== 'Bearer good') {
      return { outcome: 'refused', response: errorResponse(new OAuthError('invalid_token', 'no')) }
    }
    const headers = { 'access-control-allow-origin': '*' }
    if (request.method !== 'POST') {
      return { outcome: 'passed', authInfo, body: undefined, message: undefined, headers }
    }
    const body = await request.readBody(1e6)
    const message: unknown = JSON.parse(Buffer.from(body).toString())
    return { outcome: 'passed', authInfo, body, message, headers }
  },
}

const call = {
  method: 'POST',
  headers: {
    authorization: 'Bearer good',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'whoami', arguments: {} },
  }),
}

const told = (info: { extra?: unknown } | undefined) => ({
  content: [{ type: 'text' as const, text: JSON.stringify(info?.extra ?? 'nobody') }],
})

/** A handler of each line of the SDK; the message is handed over, or read from the request anew. */
const HANDLERS: readonly (readonly [string, boolean, GuardedHandler<AuthInfo>])[] = [
  true,
  false,
].flatMap((handsOver) => {
  const how = handsOver ? 'handed over' : 'read anew'
  return [
    [
      `SDK v1, ${how}`,
      handsOver,
      async (req, res, body) => {
        const server = new McpServer1({ name: 'test', version: '1' })
        server.registerTool('whoami', {}, (extra) => told(extra.authInfo))
        const transport = new StreamableHTTPServerTransport({})
        await server.connect(transport as Parameters<typeof server.connect>[0])
        await transport.handleRequest(req, res, handsOver ? body : undefined)
      },
    ],
    [
      `SDK v2, ${how}`,
      handsOver,
      async (req, res, body) => {
        const transport = new NodeStreamableHTTPServerTransport({})
        await createServer2().connect(transport)
        await transport.handleRequest(req, res, handsOver ? body : undefined)
      },
    ],
    [
      `the handler of SDK v2, ${how}`,
      handsOver,
      (req, res, body) => {
        const handler = toNodeHandler(createMcpHandler(createServer2))
        // The SDK's own types are without undefined where ours have it.
        return handler(req as Parameters<typeof handler>[0], res, handsOver ? body : undefined)
      },
    ],
  ] satisfies (readonly [string, boolean, GuardedHandler<AuthInfo>])[]
})

function createServer2(): McpServer {
  const server = new McpServer({ name: 'test', version: '1' })
  server.registerTool('whoami', {}, (context) => told(context.http?.authInfo))
  return server
}

async function answerOf({ url }: TestServer): Promise<string> {
  const answer = await fetch(url, call)
  return await answer.text()
}

it.each(HANDLERS)('%s: the tool learns who calls', async (_, __, handler) => {
  expect(await answerOf(await serve(protectNode(auth, handler)))).toContain(ADA)
})

it.each(HANDLERS.filter(([, handsOver]) => handsOver))(
  '%s, behind Express and its JSON parser as well',
  async (_, __, handler) => {
    const app = createMcpExpressApp()
    app.all(
      '/',
      protectNode(auth, (req, res) => handler(req, res, req.body)),
    )
    expect(await answerOf(await serve(app))).toContain(ADA)
  },
)

it.each([true, false])('SDK v1.10 gets its message, handed over: %s', async (handsOver) => {
  const server = await serve(
    protectNode(auth, async (req, res, body) => {
      const mcp = new McpServer110({ name: 'test', version: '1' })
      mcp.tool('whoami', () => told({ extra: req.auth?.extra }))
      const transport = new Transport110({ sessionIdGenerator: undefined })
      await mcp.connect(transport as Parameters<typeof mcp.connect>[0])
      await transport.handleRequest(req, res, handsOver ? body : undefined)
    }),
  )
  expect(await answerOf(server)).toContain(ADA)
})

describe('protectNode', () => {
  it('refuses before the handler sees anything', async () => {
    let seen = 0
    const { url } = await serve(protectNode(auth, () => (seen += 1)))
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401)
    expect(seen).toBe(0)
  })

  it('adds what the guard adds to every answer', async () => {
    const { url } = await serve(protectNode(auth, (_, res) => res.end('{}')))
    const answer = await fetch(url, call)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('GD-32 a body that the handler leaves unread does not reach the next call on the connection', async () => {
    const seen: unknown[] = []
    const { port } = await serve(
      protectNode(auth, (_, res, body) => {
        seen.push(body)
        res.end('{}')
      }),
    )
    const one = (id: number, connection: string) => {
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id,
        method: 'ping',
        padding: 'x'.repeat(40_000),
      })
      return `POST / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer good\r\nConnection: ${connection}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    }
    const answer = await exchange(
      port,
      one(1, 'keep-alive') + one(2, 'keep-alive') + one(3, 'close'),
    )
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(3)
    expect(seen).toMatchObject([{ id: 1 }, { id: 2 }, { id: 3 }])
  })

  it('nothing that claimed to be `auth` stays', async () => {
    const open: Guarding<AuthInfo, GuardOptions> = {
      guard: () =>
        Promise.resolve({
          outcome: 'passed',
          authInfo: undefined,
          body: undefined,
          message: undefined,
          headers: {},
        }),
    }
    const protect = protectNode(open, (req, res) => res.end(String('auth' in req)))
    const { url } = await serve((req, res) => protect(Object.assign(req, { auth: 'mallory' }), res))
    expect(await (await fetch(url)).text()).toBe('false')
  })

  it('hands the options to the guard', async () => {
    let got: unknown
    const curious: typeof auth = {
      guard(request, options) {
        got = options
        return auth.guard(request, options)
      },
    }
    const protect = protectNode(curious, (_, res) => res.end(), { required: false })
    await fetch((await serve(protect)).url, call)
    expect(got).toEqual({ required: false })
  })

  it('what the handler throws is told to onError and answered with 500', async () => {
    const errors: unknown[] = []
    const { url } = await serve(
      protectNode(
        auth,
        () => Promise.reject(new Error('secret')),
        {},
        (error) => errors.push(error),
      ),
    )
    const answer = await fetch(url, call)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret')
    expect(errors).toMatchObject([{ message: 'secret' }])
  })

  it('or to next where there is one', async () => {
    const protect = protectNode(auth, () => {
      throw new Error('thrown')
    })
    const { url } = await serve((req, res) =>
      protect(req, res, (error) => void res.writeHead(418).end(String(error))),
    )
    const answer = await fetch(url, call)
    expect([answer.status, await answer.text()]).toEqual([418, 'Error: thrown'])
  })

  it('a guard that refuses by throwing is answered in its own words', async () => {
    const away: Guarding<AuthInfo, GuardOptions> = {
      guard: () =>
        Promise.reject(new OAuthError('temporarily_unavailable', 'x', { retryAfter: 7 })),
    }
    const answer = await fetch((await serve(protectNode(away, () => {}))).url, call)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7'])
  })
})

describe('a body that a framework has parsed', () => {
  const see: Guarding<AuthInfo, GuardOptions> = {
    async guard(request) {
      const text = Buffer.from(await request.readBody(1000)).toString()
      return { outcome: 'passed', authInfo, body: undefined, message: text, headers: {} }
    },
  }
  async function seen(body: unknown, type: string): Promise<string> {
    const protect = protectNode(
      see,
      (_, res, message) => res.end(message),
      {},
      () => {},
    )
    const { url } = await serve((req, res) => {
      req.resume().on('end', () => protect(Object.assign(req, { body }), res))
    })
    const answer = await fetch(url, {
      method: 'POST',
      body: 'gone',
      headers: { 'content-type': type },
    })
    return answer.ok ? await answer.text() : String(answer.status)
  }
  const form = 'application/x-www-form-urlencoded'

  it.each([
    [Buffer.from('a=1&a=2'), form, 'a=1&a=2'],
    [new Uint8Array([123, 125]), 'application/json', '{}'],
    ['{"a":1,"a":2}', 'application/json', '{"a":1,"a":2}'],
    [{ a: 1 }, 'application/json', '{"a":1}'],
    [[{ a: 1 }], 'application/json; charset=utf-8', '[{"a":1}]'],
    [{ a: '1', b: ['2', 'ä&'], c: { d: 'x' } }, form, 'a=1&b=2&b=%C3%A4%26'],
    [undefined, form, '500'],
    ['x'.repeat(1001), 'text/plain', '413'],
    [{ a: 'x'.repeat(1000) }, 'application/json', '413'],
  ])('%j as %s is %s', async (body, type, text) => {
    expect(await seen(body, type)).toBe(text)
  })
})

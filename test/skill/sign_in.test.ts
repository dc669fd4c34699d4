/**
 * The skill's own check can fail: before a server that has one of the holes of the skill that this one replaces, or
 * is set up wrongly, it says which, and does not say that the sign-in works.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentOf, decide } from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { shell } from './drive.ts'
import { freePort } from '../support/free_port.ts'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** What stands between the check and a server that is right: it may answer itself, or change an answer. */
interface Fault {
  readonly instead?: (request: Asked) => object | string | undefined
  readonly after?: (request: Asked, answer: Answer) => Answer
}

interface Asked {
  readonly path: string
  readonly query: string
  readonly authorization: string | undefined
  readonly body: string
}

const FAULTS: { readonly [hole: string]: Fault & { readonly said: RegExp } } = {
  'no guard before the endpoint': {
    instead: ({ path, authorization }) => (path === '/mcp' && !authorization ? {} : undefined),
    said: /a call without a token is refused: 401; it was 200/,
  },
  'a guard that takes any token': {
    instead: ({ authorization }) => (authorization === 'Bearer forged' ? {} : undefined),
    said: /a forged token is refused/,
  },
  'a 401 of somebody else': {
    after: (_, { status, text }) => ({ status, text, headers: new Headers() }),
    said: /the 401 says where the resource metadata is/,
  },
  'another spelling of the resource': {
    after: ({ path }, answer) =>
      path.includes('protected-resource') ? replace(answer, '127.0.0.1', 'localhost') : answer,
    said: /the resource is http:\/\/localhost/,
  },
  'another issuer in its own metadata': {
    after: ({ path }, answer) =>
      path.includes('authorization-server')
        ? replace(answer, /"issuer":"[^"]+"/, '"issuer":"https://elsewhere.example"')
        : answer,
    said: /its metadata names the same issuer/,
  },
  'PKCE by the plain method': {
    after: (_, answer) => replace(answer, '["S256"]', '["plain","S256"]'),
    said: /PKCE with S256 is required/,
  },
  'a redirect to whoever asks': {
    instead: ({ query }) =>
      query.includes('attacker.example') ? 'https://attacker.example/callback?code=x' : undefined,
    said: /a redirect URI that is not registered is a page: 400; it was 302/,
  },
  'a verifier that nobody checks': {
    instead: ({ body }) => (body.includes('code_verifier') ? { access_token: 'x' } : undefined),
    said: /the code is worth nothing without its verifier/,
  },
  'a refresh token that lives on': {
    after: ({ body }, answer) => {
      const [, old = ''] = /refresh_token=([^&]+)/.exec(body) ?? []
      return body.includes('grant_type=refresh_token')
        ? replace(answer, /"refresh_token":"[^"]+"/, `"refresh_token":"${decodeURIComponent(old)}"`)
        : answer
    },
    said: /and the refresh token is another one/,
  },
  'a revocation that does nothing': {
    instead: ({ path }) => (path === '/revoke' ? {} : undefined),
    said: /after that no token holds: 401; it was 200/,
  },
}

let server: TestServer
let port: number
/** Where the server is that is right. */
let inner: number
let fault: Fault = {}
const proxy = createServer((req, res) => {
  void answer(req).then(({ status, headers, text }) => {
    res.writeHead(status, [...headers].flat()).end(text)
  })
})

beforeAll(async () => {
  port = await freePort()
  inner = await freePort()
  server = await startServer({
    port: inner,
    publicOrigin: `http://127.0.0.1:${port}`,
    handler: (req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'a tool' }] } }))
      req.resume()
    },
  })
  proxy.listen(port, '127.0.0.1')
  await once(proxy, 'listening')
})
afterAll(async () => {
  proxy.closeAllConnections()
  proxy.close()
  await server.close()
})

async function check(): Promise<{ status: number | null; told: string }> {
  return await shell(`node scripts/sign_in.mjs http://127.0.0.1:${port}/mcp`, async (url) => {
    const agent = agentOf('ada')
    const after = await decide(server, agent, await agent.get(url))
    await fetch(after.leadsTo ?? '')
  })
}

it('a server that is right passes, and nothing secret is told', async () => {
  fault = {}
  const { status, told } = await check()
  expect(told).toMatch(/^ok {5}tools\/list: a tool$/m)
  expect(told).toMatch(/The sign-in works\.\n$/)
  expect(status).toBe(0)
  expect(told).not.toMatch(/mcp_(at|rt)_|code=/)
})

it('what the server says is no command to the terminal, and no line of ours', async () => {
  const evil = '\u001b]0;owned\u0007\u009b31m\r\nok     all is well\u202e'
  fault = { after: (_, answer) => replace(answer, 'a tool', JSON.stringify(evil).slice(1, -1)) }
  const passed = await check()
  expect(passed.told).toMatch(/^ok {5}tools\/list: .*owned.*all is well/m)
  fault = {
    after: ({ path }, answer) =>
      path.includes('protected-resource')
        ? replace(answer, '/mcp', `/${JSON.stringify(evil).slice(1, -1)}`)
        : answer,
  }
  const failed = await check()
  expect(failed.told).toMatch(/^FAILED the resource is .*owned.*all is well/m)
  for (const { told } of [passed, failed]) {
    expect(told.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
    expect(told).not.toMatch(/^ok {5}all is well/m)
  }
})

it.each(Object.entries(FAULTS))('%s is found', async (_, { said, ...hole }) => {
  fault = hole
  const { status, told } = await check()
  expect(told).toMatch(new RegExp(`^FAILED ${said.source}`, 'm'))
  expect(told).not.toContain('The sign-in works')
  expect(status).toBe(1)
})

it('an endpoint that is no URL, and one that nobody serves', async () => {
  expect((await shell('node scripts/sign_in.mjs mcp')).status).toBe(2)
  const nobody = await shell(`node scripts/sign_in.mjs http://127.0.0.1:${await freePort()}/mcp`)
  expect([nobody.status, nobody.told]).toEqual([1, expect.stringMatching(/^FAILED /)])
})

async function answer(req: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks).toString()
  const [path = '', query = ''] = (req.url ?? '').split('?')
  const asked = { path, query, authorization: req.headers.authorization, body }
  const instead = fault.instead?.(asked)
  if (typeof instead === 'string') {
    return { status: 302, headers: new Headers({ location: instead }), text: '' }
  }
  if (instead !== undefined) {
    return { status: 200, headers: new Headers(), text: JSON.stringify(instead) }
  }
  const given = await pass(req, body)
  return fault.after?.(asked, given) ?? given
}

async function pass(req: IncomingMessage, body: string): Promise<Answer> {
  const { host: _host, connection: _connection, 'content-length': _length, ...rest } = req.headers
  const response = await fetch(`http://127.0.0.1:${inner}${req.url}`, {
    method: req.method ?? 'GET',
    headers: rest as { [name: string]: string },
    redirect: 'manual',
    ...(body === '' ? {} : { body }),
  })
  const headers = new Headers(response.headers)
  for (const name of ['content-length', 'content-encoding', 'connection', 'keep-alive']) {
    headers.delete(name)
  }
  return { status: response.status, headers, text: await response.text() }
}

function replace(answer: Answer, what: string | RegExp, by: string): Answer {
  return { ...answer, text: answer.text.replace(what, by) }
}

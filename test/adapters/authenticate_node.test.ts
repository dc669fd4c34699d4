/** The guard for frameworks that read a message before they ask who sends it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { authenticateNode } from '../../src/adapters/authenticate_node.ts'
import { memory } from '../../src/stores/memory.ts'
import { failingStore } from '../grants/failing_store.ts'
import { post, signIn } from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let down = false

beforeEach(async () => {
  down = false
  server = await startServer({ store: failingStore(memory(), () => down) })
})
afterEach(() => server.close())

/** What a framework answers that reads the body, asks, and takes a thrown Response for its answer. */
async function ask(
  token: string | undefined,
  init: RequestInit = {},
  options: { required?: boolean; resource?: string } = {},
): Promise<Response> {
  const authenticate = authenticateNode(server.auth, options)
  const framework = createServer(async (req, res) => {
    for await (const _chunk of req) continue
    const { status, headers, text } = await judge(authenticate, req)
    res.writeHead(status, headers).end(text)
  })
  framework.listen(0, '127.0.0.1')
  await once(framework, 'listening')
  const { port } = framework.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/mcp`, {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    ...init,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...init.headers },
  })
  framework.close()
  return answer
}

async function judge(
  authenticate: (req: IncomingMessage) => Promise<object>,
  req: IncomingMessage,
) {
  try {
    return { status: 200, headers: {}, text: JSON.stringify(await authenticate(req)) }
  } catch (thrown) {
    if (!(thrown instanceof Response)) throw thrown
    const headers = Object.fromEntries(thrown.headers)
    return { status: thrown.status, headers, text: await thrown.text() }
  }
}

describe('authenticateNode', () => {
  it.each(['POST', 'GET', 'DELETE'])('knows who sends a %s', async (method) => {
    const { tokens } = await signIn(server)
    const init = method === 'POST' ? {} : { method, body: null }
    const answer = await ask(tokens.access_token, init)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ extra: { user: { sub: 'ada' } } })
  })

  it('RFC 9728 §5.1 throws 401 that leads to the sign-in, for no token and for a bad one', async () => {
    for (const token of [undefined, 'forged', 'a b']) {
      const answer = await ask(token)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain(
        `resource_metadata="${server.issuer}/.well-known/oauth-protected-resource/mcp"`,
      )
    }
  })

  it('RFC 6750 §3.1 throws 401 for a token that is over', async () => {
    const { tokens, client } = await signIn(server)
    server.advance(3601)
    expect((await ask(tokens.access_token)).status).toBe(401)
    server.advance(-3601)
    await post(server, '/revoke', { token: tokens.refresh_token, client_id: client.client_id })
    expect((await ask(tokens.access_token)).status).toBe(401)
  })

  it('lets nobody in without a token, even where none is required', async () => {
    expect((await ask(undefined, {}, { required: false })).status).toBe(401)
  })

  it('refuses a foreign page, and a method that nobody judged', async () => {
    const { tokens } = await signIn(server)
    const page = { headers: { origin: 'https://evil.example' } }
    expect((await ask(tokens.access_token, page)).status).toBe(403)
    expect((await ask(tokens.access_token, { method: 'PUT' })).status).toBe(405)
  })

  it('throws 503 in an outage', async () => {
    const { tokens } = await signIn(server)
    server.advance(2)
    down = true
    const answer = await ask(tokens.access_token)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
    expect(answer.headers.has('www-authenticate')).toBe(false)
  })

  it('throws 500 for a mistake of the program, which it tells the process', async () => {
    const warned = once(process, 'warning')
    const answer = await ask('a', {}, { resource: 'https://nowhere.example' })
    expect(answer.status).toBe(500)
    expect(String(await warned)).toContain('no resource https://nowhere.example')
  })
})

/** The demo's MCP server, called as the gateway calls it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildDemo, run, startServer, temporaryDirectory, type DemoProcess } from './support.ts'
import { freePort } from '../support/free_port.ts'

const directory = temporaryDirectory()
// What the identity provider's userinfo endpoint would be: it tells whose token it was asked with.
const userinfo = createServer((request, response) => {
  const token = request.headers.authorization?.replace('Bearer ', '')
  if (token === 'expired') return response.writeHead(401).end()
  return response.end(JSON.stringify({ sub: token }))
})
let settings: { [name: string]: string } = {}
let server: DemoProcess
let url = new URL('http://127.0.0.1')

beforeAll(async () => {
  buildDemo()
  await new Promise<void>((done) => userinfo.listen(0, '127.0.0.1', done))
  const port = await freePort()
  url = new URL(`http://127.0.0.1:${port}/mcp`)
  settings = {
    DEMO_PORT: `${port}`,
    DEMO_FILE: join(directory.path, 'notes.json'),
    DEMO_USERINFO: `http://127.0.0.1:${(userinfo.address() as AddressInfo).port}/me`,
  }
  server = await startServer('mcp_server', settings)
})

afterAll(async () => {
  await server.stop()
  userinfo.close()
  directory.remove()
})

/** Calls a tool with the headers that the gateway adds, and reads its JSON. */
async function call(
  headers: Readonly<{ [name: string]: string }>,
  name: string,
  args: { [name: string]: unknown } = {},
): Promise<unknown> {
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
  const result = await client.callTool({ name, arguments: args })
  await client.close()
  const [content] = result.content
  return content?.type === 'text' && !result.isError ? JSON.parse(content.text) : result
}

const ada = { 'x-mcp-user': 'idp%20ada', 'x-mcp-user-name': 'Ad%C3%A1', 'x-mcp-client': 'c' }
const grace = { 'x-mcp-user': 'idp%20grace' }

it('whoami says what the gateway says, and what the upstream says to the user’s own token', async () => {
  const headers = { ...ada, authorization: 'Bearer token-of-ada' }
  expect(await call(headers, 'whoami')).toEqual({
    gateway_says: { user: 'idp ada', name: 'Adá', client: 'c' },
    upstream_says: { sub: 'token-of-ada' },
  })
})

it('whoami does not make up an upstream user', async () => {
  expect(await call(ada, 'whoami')).toMatchObject({
    upstream_says: { error: 'no upstream token came with this call' },
  })
  expect(await call({ ...ada, authorization: 'Bearer expired' }, 'whoami')).toMatchObject({
    upstream_says: { error: 'userinfo answered 401' },
  })
})

it('notes belong to one user, and survive a restart', async () => {
  const note = (await call(ada, 'add_note', { text: 'mine' })) as { id: number }
  expect(await call(ada, 'list_notes')).toContainEqual({ id: note.id, text: 'mine' })
  expect(JSON.stringify(await call(grace, 'list_notes'))).not.toContain('mine')
  expect(await call(grace, 'delete_note', { id: note.id })).toEqual({ deleted: false })

  expect(await server.stop()).toBe(0)
  server = await startServer('mcp_server', settings)
  expect(await call(ada, 'list_notes')).toContainEqual({ id: note.id, text: 'mine' })
  expect(await call(ada, 'delete_note', { id: note.id })).toEqual({ deleted: true })
  expect(JSON.stringify(await call(ada, 'list_notes'))).not.toContain('mine')
})

it('serves its one path only', async () => {
  expect((await fetch(new URL('/', url))).status).toBe(404)
})

it('refuses to run under NODE_ENV=production', async () => {
  const refused = run('demo/dist/mcp_server.js', { ...settings, NODE_ENV: 'production' })
  expect(await refused.stop('SIGCONT')).toBe(1)
  expect(refused.said()).toContain('does not run under NODE_ENV=production')
})

/**
 * Every door of the package, opened as its reader would open it: what it says, `open` or why not.
 */
import type { McpOAuth, Store } from '@mcp-oauth/server'
import { Hono } from 'hono'

/** Something that a door gives is made, and used as far as that goes without anybody outside. */
export type Door = (directory: string) => Promise<void>

export const DOORS: Readonly<{ [name: string]: Door }> = {
  '.': async () => {
    const auth = await createAuth()
    const url = 'http://localhost/.well-known/oauth-authorization-server'
    expectStatus(await auth.fetch(new Request(url)), 200)
    expectStatus(await auth.fetch(new Request('http://localhost/jwks')), 200)
    const guarded = auth.protect(() => new Response('passed'))
    expectStatus(await guarded(new Request('http://localhost/mcp', { method: 'POST' })), 401)
  },
  './node': async () => {
    const { protectNode, toNodeHandler } = await import('@mcp-oauth/server/node')
    const auth = await createAuth()
    toNodeHandler(auth)
    protectNode(auth, () => undefined)
  },
  './express': async () => {
    const { protectExpress, toExpressHandler } = await import('@mcp-oauth/server/express')
    const auth = await createAuth()
    toExpressHandler(auth)
    protectExpress(auth)
  },
  './fastify': async () => {
    const { toFastifyPlugin } = await import('@mcp-oauth/server/fastify')
    const auth = await createAuth()
    toFastifyPlugin(auth)
  },
  './hono': async () => {
    const { protectHono, toHonoHandler } = await import('@mcp-oauth/server/hono')
    const auth = await createAuth()
    const app = new Hono()
    app.use(toHonoHandler(auth))
    app.post('/mcp', protectHono(auth))
    expectStatus(await app.request('http://localhost/mcp', { method: 'POST' }), 401)
  },
  './next': async () => {
    const { toNextHandlers } = await import('@mcp-oauth/server/next')
    const { GET } = toNextHandlers(await createAuth())
    const url = 'http://localhost/.well-known/oauth-authorization-server'
    expectStatus(await GET(new Request(url)), 200)
  },
  './stores/memory': async () => {
    const { memory } = await import('@mcp-oauth/server/stores/memory')
    await use(memory())
  },
  './stores/sqlite': async (directory) => {
    const { sqlite } = await import('@mcp-oauth/server/stores/sqlite')
    await use(sqlite(`${directory}/doors-${process.pid}.db`))
  },
  './stores/postgres': async () => {
    const { postgres } = await import('@mcp-oauth/server/stores/postgres')
    postgres({ connect: () => Promise.reject(new Error('nobody is there')) } as never)
  },
  './stores/redis': async () => {
    const { redis } = await import('@mcp-oauth/server/stores/redis')
    redis({ call: async () => 'OK', duplicate: () => ({}), pipeline: () => ({}) } as never)
  },
  './stores/upstash': async () => {
    const { upstash } = await import('@mcp-oauth/server/stores/upstash')
    upstash({ url: 'https://none.upstash.io', token: 'a-token' })
  },
  './upstream': async () => {
    const { github } = await import('@mcp-oauth/server/upstream')
    github({ client_id: 'id', client_secret: 'secret' })
  },
  './gateway': async () => {
    const { createGateway } = await import('@mcp-oauth/server/gateway')
    const auth = await createAuth()
    const backends = { 'http://localhost/mcp': { to: 'http://127.0.0.1:9/mcp' } }
    await createGateway({ auth, keys: KEY, backends }).close()
  },
  './testing': async () => {
    const { storeContract } = await import('@mcp-oauth/server/testing')
    const { memory } = await import('@mcp-oauth/server/stores/memory')
    await holds(storeContract, memory)
  },
}

/** What a door says, or `open`. */
export async function tryDoor(name: string, directory: string): Promise<string> {
  try {
    await DOORS[name]?.(directory)
    return 'open'
  } catch (error) {
    return String(error)
  }
}

const KEY = 'mok_Yyw_7HzTsjruB4gYX2tU7vVOdKgrKks2wUo4ygD8qD0'

async function createAuth(): Promise<McpOAuth> {
  const { createMcpOAuth } = await import('@mcp-oauth/server')
  const { memory } = await import('@mcp-oauth/server/stores/memory')
  const { session } = await import('@mcp-oauth/server/upstream')
  return createMcpOAuth({
    issuer: 'http://localhost',
    resource: 'http://localhost/mcp',
    keys: KEY,
    store: memory(),
    upstream: session({ name: 'Us', identify: () => undefined, signInUrl: () => '/login' }),
  })
}

async function use(store: Store): Promise<void> {
  const claim = { id: 'a', value: 'b', expiresAt: 4_000_000_000 }
  if (!(await store.insert('claim', claim))) throw new Error('it is there already')
  if ((await store.take('claim', 'a'))?.value !== 'b') throw new Error('it is not there')
  await store.close()
}

/** Runs the contract; every test of it must hold. */
export async function holds(
  contract: typeof import('@mcp-oauth/server/testing').storeContract,
  createStore: () => Store,
): Promise<number> {
  const tests: [string, () => Promise<void>][] = []
  contract({ describe: (_, body) => body(), it: (...test) => void tests.push(test), createStore })
  for (const [title, body] of tests) {
    await body().catch((error: unknown) => {
      throw new Error(`${title}: ${String(error)}`)
    })
  }
  return tests.length
}

function expectStatus({ status }: Response, expected: number): void {
  if (status !== expected) throw new Error(`status ${status}, not ${expected}`)
}

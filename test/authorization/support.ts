/**
 * What the tests of the browser leg share: readers of answers, and servers behind another origin.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { hardenServer, toNodeHandler } from '../../src/adapters/node.ts'
import { generateKey } from '../../src/crypto/keyring.ts'
import type { Options } from '../../src/server/config/options.ts'
import { createMcpOAuth, type McpOAuth } from '../../src/server/server.ts'
import { KINDS } from '../../src/stores/records.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import type { Page } from '../support/agent.ts'
import { appLogin, SCOPES, type TestServer } from '../support/server.ts'
import { UNLIMITED } from '../support/upstream_flow.ts'

/** The page of a refusal: nobody is sent anywhere, and nothing of a sign-in is left with the browser. */
export function expectErrorPage(page: Page, status: number | readonly number[] = 400): void {
  expect([status].flat()).toContain(page.status)
  expect(page.leadsTo).toBeUndefined()
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(page.headers.get('referrer-policy')).toBe('no-referrer')
  expect(page.headers.get('access-control-allow-origin')).toBeNull()
}

/** The parameters of an answer that leads back to the client. */
export function answerOf(page: Page): URLSearchParams {
  const location = page.leadsTo ?? ''
  if (!URL.canParse(location)) throw new Error(`leads nowhere: ${page.status} ${page.body}`)
  const { hash, searchParams } = new URL(location)
  expect(hash).toBe('')
  return searchParams
}

/** A store that keeps count of what is written, so that a test can see that nothing was. */
export function watched(store: Store = memory()): Store & { readonly written: string[] } {
  const written: string[] = []
  return {
    ...store,
    written,
    insert(kind, record) {
      written.push(kind)
      return store.insert(kind, record)
    },
  }
}

/** A store that fails where `fails` says so; every record that was written can be read from `all`. */
export function failing(
  fails: (verb: 'find' | 'insert' | 'replace' | 'take' | 'list', kind: string) => boolean,
  error: () => Error,
): Store {
  const store = memory()
  const judge = (verb: Parameters<typeof fails>[0], kind: string): void => {
    if (fails(verb, kind)) throw error()
  }
  return {
    ...store,
    find: async (kind, id) => (judge('find', kind), store.find(kind, id)),
    insert: async (kind, record) => (judge('insert', kind), store.insert(kind, record)),
    replace: async (kind, record, version) => (
      judge('replace', kind),
      store.replace(kind, record, version)
    ),
    take: async (kind, id) => (judge('take', kind), store.take(kind, id)),
    list: async (kind, index, value, page) => (
      judge('list', kind),
      store.list(kind, index, value, page)
    ),
  }
}

/** Everything that a store was given, as one text: what a thief of the store would read. */
export function recording(store: Store = memory()): Store & { dump(): string } {
  const seen: unknown[] = []
  return {
    ...store,
    dump: () => JSON.stringify(seen),
    insert: (kind, record) => (seen.push([kind, record]), store.insert(kind, record)),
    replace: (kind, record, version) => (
      seen.push([kind, record]),
      store.replace(kind, record, version)
    ),
  }
}

export { KINDS }

/** Servers behind one address that is not theirs, as a proxy would have them. */
export interface Site extends Pick<TestServer, 'issuer' | 'resource'> {
  /** Where the proxy really listens. */
  readonly address: string
  readonly replicas: readonly McpOAuth[]
  close(): Promise<void>
}

/**
 * `count` instances over one store behind one port, each request to the next of them. The issuer is the
 * address of the port, or what `name` makes of the port: then tests reach the address, and the issuer
 * is a name.
 */
export async function startReplicas(
  count: number,
  options: (issuer: string, index: number) => Partial<Options> | Promise<Partial<Options>>,
  name?: (port: number) => string,
): Promise<Site> {
  const server = createServer()
  hardenServer(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const address = `http://127.0.0.1:${port}`
  const issuer = name?.(port) ?? address
  const store = memory()
  const keys = [generateKey()]
  const replicas: McpOAuth[] = []
  for (let index = 0; index < count; index += 1) {
    replicas.push(
      createMcpOAuth({
        issuer,
        resource: `${new URL(issuer).origin}/mcp`,
        scopes: SCOPES,
        store,
        keys,
        upstream: appLogin(issuer),
        rateLimits: UNLIMITED,
        ...(await options(issuer, index)),
      }),
    )
  }
  const handlers = replicas.map((replica) => toNodeHandler(replica))
  let turn = 0
  server.on('request', (req, res) => {
    handlers[turn % count]?.(req, res)
    turn += 1
  })
  return {
    issuer,
    address,
    resource: `${new URL(issuer).origin}/mcp`,
    replicas,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await Promise.all(replicas.map((replica) => replica.close()))
    },
  }
}

/** Sends bytes as they stand and gives back what comes, up to the end of the connection. */
export async function sendRaw(origin: string, request: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(request)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'close').catch(() => undefined)
  return Buffer.concat(chunks).toString('latin1')
}

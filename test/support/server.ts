/**
 * The whole server on a free port of 127.0.0.1, over real connections, with the real Node edge.
 *
 * By default users sign in with a login that the app already has: a cookie `user=<name>`, which an agent
 * of the tests can set. `upstream` puts another one in its place.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hardenServer, protectNode, toNodeHandler } from '../../src/adapters/node.ts'
import { generateKey } from '../../src/crypto/keyring.ts'
import type { EmittedEvent } from '../../src/server/config/events.ts'
import type { Options } from '../../src/server/config/options.ts'
import { createMcpOAuth, type McpOAuth } from '../../src/server/server.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { session } from '../../src/upstream/session.ts'
import type { Upstream } from '../../src/upstream/upstream.ts'

export interface TestServer {
  /** Without a slash at the end; no path, unless one was asked for. */
  readonly issuer: string
  readonly origin: string
  readonly resource: string
  readonly auth: McpOAuth
  readonly store: Store
  readonly keys: readonly string[]
  readonly events: readonly EmittedEvent[]
  /** Moves the server's clock. */
  advance(seconds: number): void
  /** Every request that passed the guard. */
  readonly calls: readonly { readonly method: string; readonly auth: unknown }[]
  close(): Promise<void>
}

export interface TestServerOptions extends Partial<
  Omit<Options, 'issuer' | 'resource' | 'upstream' | 'clock'>
> {
  /** The issuer's path, e.g. `/t1`. */
  readonly path?: string
  /** The port to listen on; a free one by default. */
  readonly port?: number
  /** Another origin than the one listened on: that of the replicas whose one server this is. */
  readonly publicOrigin?: string
  /** Made when the issuer is known; a session upstream by default. */
  readonly upstream?: (issuer: string) => Upstream | Promise<Upstream>
  /** Another server whose clock and port this one shares: a second replica on the same store. */
  readonly now?: () => number
  /** Who may introspect the tokens of the one resource. */
  readonly resourceServer?: { readonly client_id: string; readonly client_secret: string }
  /** What is behind the guard at `/mcp`. */
  readonly handler?: (req: IncomingMessage, res: ServerResponse) => void
}

/** Scopes and a tool that need one, as most tests want them. */
export const SCOPES = { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' }
export const TOOLS: { readonly [tool: string]: readonly string[] } = {
  delete_note: ['notes:write'],
}

export async function startServer(choice: TestServerOptions = {}): Promise<TestServer> {
  const { path = '', port = 0, upstream = appLogin, now, handler, resourceServer, ...rest } = choice
  const { publicOrigin, ...options } = rest
  const server = createServer()
  hardenServer(server)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const origin = publicOrigin ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = `${origin}${path}`
  const events: EmittedEvent[] = []
  const calls: { method: string; auth: unknown }[] = []
  let moved = 0
  const store = options.store ?? memory()
  const keys = [options.keys ?? [generateKey()]].flat()
  const auth = createMcpOAuth({
    issuer,
    ...(options.resources === undefined && { resource: `${origin}/mcp` }),
    ...(resourceServer !== undefined && {
      resourceServers: [{ ...resourceServer, resource: `${origin}/mcp` }],
    }),
    scopes: SCOPES,
    tools: TOOLS,
    onEvent: (event) => void events.push(event),
    ...options,
    store,
    keys,
    upstream: await upstream(issuer),
    clock: now ?? (() => Math.floor(Date.now() / 1000) + moved),
  })
  const guarded = protectNode(auth, (req, res) => {
    calls.push({ method: req.method ?? '', auth: Reflect.get(req, 'auth') })
    if (handler !== undefined) return handler(req, res)
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: {} }))
  })
  const oauth = toNodeHandler(auth)
  server.on('request', (req, res) => {
    const isMcp = auth.config.resources.some(
      ({ resource }) => new URL(resource).pathname === req.url,
    )
    if (isMcp) void guarded(req, res)
    else oauth(req, res)
  })
  return {
    issuer,
    origin,
    resource: auth.config.resources[0]?.resource ?? '',
    auth,
    store,
    keys,
    events,
    calls,
    advance: (seconds) => void (moved += seconds),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await auth.close()
    },
  }
}

/** The login of an app: whoever has the cookie `user` is that user. */
export function appLogin(issuer: string): Upstream {
  return session({
    name: 'Example app',
    issuer,
    identify: ({ headers }) => {
      const [, user] = /(?:^|; )user=([a-z]+)/.exec(headers.get('cookie') ?? '') ?? []
      return Promise.resolve(
        user === undefined
          ? undefined
          : {
              sub: user,
              name: `The user ${user}`,
              email: `${user}@example.com`,
              email_verified: true,
            },
      )
    },
    signInUrl: (return_to) => `${issuer}/login?next=${encodeURIComponent(return_to)}`,
  })
}

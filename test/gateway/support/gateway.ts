/**
 * A whole gateway on 127.0.0.1, with the real server behind it and users who have signed in already.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hardenServer } from '../../../src/adapters/node.ts'
import { createKeyring, generateKey } from '../../../src/crypto/keyring.ts'
import { randomId } from '../../../src/crypto/random.ts'
import { seal } from '../../../src/crypto/seal.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../../../src/gateway/gateway.ts'
import type { BackendOptions } from '../../../src/gateway/routes.ts'
import type { Options } from '../../../src/server/config/options.ts'
import { createMcpOAuth, type McpOAuth } from '../../../src/server/server.ts'
import { makeAccessToken } from '../../../src/server/tokens/access_token.ts'
import { memory } from '../../../src/stores/memory.ts'
import type { User } from '../../../src/stores/records.ts'
import type { Store } from '../../../src/stores/store.ts'
import type { RedirectUpstream } from '../../../src/upstream/upstream.ts'

export const ISSUER = 'https://mcp.test'
export const RESOURCE: string = `${ISSUER}/mcp`

export interface TestGateway {
  readonly url: string
  readonly port: number
  readonly auth: McpOAuth
  readonly gateway: Gateway
  readonly store: Store
  /** A token of somebody who has signed in. */
  signIn(subject: string, choice?: SignInChoice): Promise<{ token: string; grantId: string }>
  close(): Promise<void>
}

export interface SignInChoice {
  readonly resource?: string
  readonly scope?: string
  /** Seconds. */
  readonly lifetime?: number
  readonly user?: Partial<User>
  /** The user's token at the upstream; where it is left out, the connection is gone. */
  readonly upstreamToken?: string
  /** Whether that token is over, and has to be refreshed. */
  readonly upstreamExpired?: boolean
}

/** An upstream that is never asked. */
export const UPSTREAM: RedirectUpstream = {
  type: 'redirect',
  id: 'test',
  name: 'Test',
  authorizationUrl: () => Promise.resolve('https://upstream.test/authorize'),
  exchange: () => Promise.reject(new Error('not here')),
  refresh: () => Promise.reject(new Error('not here')),
  revoke: () => Promise.resolve(),
}

/** Starts a gateway; `to` stands behind `/mcp`, or give `backends` for more. */
export async function startGateway(
  to: string | BackendOptions,
  choice: Partial<GatewayOptions> & {
    readonly library?: Partial<Options>
    readonly store?: Store
  } = {},
): Promise<TestGateway> {
  const { library, store = memory(), ...options } = choice
  const keys = [generateKey()]
  const only = { [RESOURCE]: typeof to === 'string' ? { to } : to }
  const backends = options.backends ?? only
  const auth = createMcpOAuth({
    issuer: ISSUER,
    resources: Object.keys(backends),
    keys,
    store,
    upstream: UPSTREAM,
    ...library,
  })
  const gateway = createGateway({ auth, keys, backends, ...options })
  const server = createServer((req, res) => gateway.handler(req, res))
  server.on('checkContinue', (req, res) => gateway.handler(req, res))
  hardenServer(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ring = createKeyring(keys)
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    auth,
    gateway,
    store,
    async signIn(subject, signIn = {}) {
      const now = Math.floor(Date.now() / 1000)
      const { resource = RESOURCE, scope = '', lifetime = 3600 } = signIn
      const id = randomId(now)
      const connectionId = await connect(subject, signIn, now)
      await store.insert('grant', {
        id,
        expiresAt: undefined,
        subject,
        client_id: 'https://client.test/metadata',
        resource,
        scope: scope.split(' '),
        connectionId,
        user: {
          issuer: 'https://upstream.test',
          sub: subject,
          name: undefined,
          email: undefined,
          email_verified: false,
          ...signIn.user,
        },
        createdAt: now,
        endedAt: undefined,
        endReason: undefined,
        code: {
          redirect_uri: undefined,
          code_challenge: 'x'.repeat(43),
          expiresAt: now,
          redeemedAt: now,
        },
        refresh: undefined,
        revokedTokens: [],
      })
      const claims = { grantId: id, exp: now + lifetime, resource, scope }
      return { token: makeAccessToken(ring, claims), grantId: id }
    },
    async close() {
      await gateway.close(0)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await auth.close()
    },
  }

  async function connect(
    subject: string,
    { upstreamToken: token, upstreamExpired: expired = false }: SignInChoice,
    now: number,
  ) {
    const id = randomId(now)
    if (token === undefined) return id
    await store.insert('connection', {
      id,
      expiresAt: undefined,
      subject,
      upstream: UPSTREAM.id,
      token_endpoint: 'https://upstream.test/token',
      access_token: seal(ring, token, `connection/${id}/access_token`),
      refresh_token: expired
        ? seal(ring, `refresh ${token}`, `connection/${id}/refresh_token`)
        : undefined,
      scope: undefined,
      accessExpiresAt: expired ? now - 10 : undefined,
      deadAt: undefined,
      lease: undefined,
      updatedAt: now,
    })
    return id
  }
}

/** Ends a grant, as revocation does. */
export async function endGrant(store: Store, grantId: string): Promise<void> {
  const found = await store.find('grant', grantId)
  if (found === undefined) throw new Error('there is no such grant')
  const now = Math.floor(Date.now() / 1000)
  const ended = { ...found.record, endedAt: now, endReason: 'revoked_by_client' as const }
  await store.replace('grant', ended, found.version)
}

/** A call of `method` as an MCP client sends it. */
export function callOf(
  token: string | undefined,
  method = 'tools/list',
  headers: Readonly<{ [name: string]: string }> = {},
): RequestInit {
  return {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: method === 'tools/call' ? { name: 'echo' } : {},
    }),
  }
}

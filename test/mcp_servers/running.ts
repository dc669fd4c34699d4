/**
 * A server as it runs, after its author made the changes, and people who sign in there with the official client.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { expect } from 'vitest'
import { createKeyring, generateKey, type Keyring } from '../../src/crypto/keyring.ts'
import {
  makeAccessToken,
  readAccessToken,
  type AccessToken,
} from '../../src/server/tokens/access_token.ts'
import { signInHeadless } from '../e2e/support/headless.ts'
import { createProvider } from '../e2e/support/provider.ts'
import type { TestOidcProvider, TestUser } from '../support/oidc_provider.ts'
import type { Program, Project } from '../support/project.ts'
import type { TestRedis } from '../support/redis.ts'
import type { TestHttp } from '../support/redis_http.ts'
import { startRest } from '../support/redis_rest.ts'

const STORE_TOKEN = 'the-token-of-the-store'
const REDIRECT = 'http://127.0.0.1:33418/callback'

/** What the servers of a project stand on. */
export interface World {
  readonly upstream: TestOidcProvider
  readonly redis: TestRedis
  readonly project: Project
}

/** Where one server runs, and what may be done to it. */
export interface Running {
  readonly issuer: string
  readonly resource: string
  readonly keys: Keyring
  readonly rest: TestHttp
  readonly program: Program
}

export interface SignedIn {
  readonly access_token: string
  readonly refresh_token: string
  readonly client_id: string
}

/** Starts what `node` runs with `args`, on a store of its own, and waits for it. */
export async function start(
  { upstream, redis, project }: World,
  args: readonly string[],
  port: number,
): Promise<Running> {
  const issuer = `http://127.0.0.1:${port}`
  upstream.allowRedirect(`${issuer}/callback`)
  const rest = await startRest(redis.port, STORE_TOKEN)
  const key = generateKey()
  await redis.cli('FLUSHALL')
  const program = await project.start(
    'node',
    args,
    `${issuer}/.well-known/oauth-authorization-server`,
    {
      PORT: String(port),
      MCP_OAUTH_ISSUER: issuer,
      MCP_OAUTH_KEYS: key,
      OIDC_ISSUER: upstream.issuer,
      OIDC_CLIENT_ID: upstream.client_id,
      OIDC_CLIENT_SECRET: upstream.client_secret,
      KV_REST_API_URL: rest.url,
      KV_REST_API_TOKEN: STORE_TOKEN,
      NOTES_URL: upstream.notesUrl,
    },
  )
  return { issuer, resource: `${issuer}/mcp`, keys: createKeyring([key]), rest, program }
}

/** Discovery, registration, consent, upstream, code, tokens: by the official client. */
export async function signIn(
  { resource }: Running,
  upstream: TestOidcProvider,
  user: TestUser = 'ada',
): Promise<SignedIn> {
  const provider = createProvider(REDIRECT)
  const transport = new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider })
  const client = new Client({ name: 'a client', version: '1' })
  await expect(client.connect(transport)).rejects.toThrow(/unauthorized/i)
  const asked = provider.kept.authorizationUrl?.href ?? ''
  expect(new URL(asked).searchParams.get('resource')).toBe(resource)
  const arrived = await signInHeadless(asked, upstream, user)
  await transport.finishAuth(arrived.searchParams)
  return { ...provider.kept.tokens, ...provider.kept.information } as unknown as SignedIn
}

/** The official client, with a token that it did not get itself. */
export async function connect(url: string, token: string): Promise<Client> {
  const client = new Client({ name: 'a client', version: '1' })
  const headers = { authorization: `Bearer ${token}` }
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  )
  return client
}

/** The names of the tools that are there for everybody. */
export async function toolsAt(url: string): Promise<readonly string[]> {
  const client = await connect(url, 'no token')
  const { tools } = await client.listTools()
  await client.close()
  return tools.map(({ name }) => name).toSorted()
}

/** A token as this server would have made it, had its claims been others. */
export function remade({ keys }: Running, token: string, claims: Partial<AccessToken>): string {
  const read = readAccessToken(keys, token)
  if (read === undefined) throw new Error('this is no access token')
  return makeAccessToken(keys, { ...read, ...claims })
}

/**
 * What must hold of the one program on whatever runtime: a client of the MCP SDK signs in, its tool acts at
 * the upstream, tokens are rotated and revoked, and many at once do not meet.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { expect } from 'vitest'
import { signInHeadless } from '../../e2e/support/headless.ts'
import { createProvider, type TestProvider } from '../../e2e/support/provider.ts'
import { textOf } from '../../e2e/support/notes_server.ts'
import { call, post } from '../../support/flow.ts'
import type { TestOidcProvider, TestUser } from '../../support/oidc_provider.ts'
import type { Running } from './launch.ts'

export interface SignedIn {
  readonly provider: TestProvider
  readonly access_token: string
  readonly refresh_token: string
  readonly client_id: string
}

const REDIRECT = 'http://127.0.0.1:1/callback'

/** From the challenge of the first call to tokens. */
export async function signIn(
  server: Running,
  upstream: TestOidcProvider,
  user: TestUser = 'ada',
): Promise<SignedIn> {
  const provider = createProvider(REDIRECT)
  const { client, transport } = connection(server, provider)
  await expect(client.connect(transport)).rejects.toThrow(/unauthorized/i)
  const asked = provider.kept.authorizationUrl?.href ?? ''
  const arrived = await signInHeadless(asked, upstream, user)
  expect(arrived.searchParams.get('iss')).toBe(server.issuer)
  await transport.finishAuth(arrived.searchParams)
  const { client_id } = provider.kept.information as { client_id: string }
  const tokens = provider.kept.tokens as { access_token: string; refresh_token: string }
  return { provider, client_id, ...tokens }
}

/** What the tool heard at the upstream. */
export async function whoami(server: Running, provider: TestProvider): Promise<object> {
  const { client, transport } = connection(server, provider)
  await client.connect(transport)
  const answer = await client.callTool({ name: 'whoami', arguments: {} })
  await client.close()
  return JSON.parse(textOf(answer)) as object
}

/** The whole of it. */
export async function checkSignIn(server: Running, upstream: TestOidcProvider): Promise<void> {
  const { provider, client_id, access_token, refresh_token } = await signIn(server, upstream)
  expect(await whoami(server, provider)).toMatchObject({
    user: 'ada',
    notes: ['A note of Ada Lovelace'],
  })
  expect((await call(server, `${access_token}x`)).status).toBe(401)

  const form = { grant_type: 'refresh_token', client_id, refresh_token, resource: server.resource }
  const rotated = await post(server, '/token', form)
  expect(rotated.status, rotated.text).toBe(200)
  const next = String(rotated.body['access_token'])
  expect((await call(server, next)).status).toBe(200)
  const revoked = await post(server, '/revoke', {
    token: String(rotated.body['refresh_token']),
    client_id,
  })
  expect(revoked.status).toBe(200)
  expect((await call(server, next)).status).toBe(401)
}

/** Many users' clients begin at once, at a server that nobody has asked anything yet. */
export async function checkMany(server: Running, upstream: TestOidcProvider): Promise<void> {
  const users: readonly TestUser[] = ['ada', 'grace', 'ada', 'grace', 'ada', 'grace']
  const all = await Promise.all(
    users.map(async (user) => {
      const { provider } = await signIn(server, upstream, user)
      const answers = await Promise.all([1, 2, 3].map(() => whoami(server, provider)))
      return { user, answers }
    }),
  )
  for (const { user, answers } of all) {
    for (const answer of answers) expect(answer).toMatchObject({ user })
  }
}

function connection(
  { resource }: Running,
  authProvider: TestProvider,
): { client: Client; transport: StreamableHTTPClientTransport } {
  const client = new Client({ name: 'a client', version: '1' })
  const transport = new StreamableHTTPClientTransport(new URL(resource), { authProvider })
  return { client, transport }
}

/**
 * A sign-in that goes through a real OpenID provider, in steps: consent page, provider, callback.
 */
import { oidc } from '../../src/upstream/oidc.ts'
import type { RedirectUpstream } from '../../src/upstream/upstream.ts'
import { createAgent, type Agent, type Page } from './agent.ts'
import {
  authorizeUrl,
  decide,
  pkce,
  redeem,
  register,
  type Authorized,
  type Params,
  type TestClient,
  type Tokens,
} from './flow.ts'
import {
  startOidcProvider,
  type OidcProviderOptions,
  type TestOidcProvider,
  type TestUser,
} from './oidc_provider.ts'
import { startServer, type TestServer, type TestServerOptions } from './server.ts'

/** No limit on requests, as every test comes from one address. */
export const UNLIMITED = { authorize: 0, token: 0, register: 0, introspect: 0 }

/** A server and the provider where its users sign in. */
export interface World {
  readonly server: TestServer
  readonly provider: TestOidcProvider
  close(): Promise<void>
}

/** What a sign-in needs of both; the server may be in another process. */
export interface Place {
  readonly server: Pick<TestServer, 'issuer' | 'resource'>
  readonly provider: Pick<TestOidcProvider, 'signIn'>
}

export interface WorldOptions extends Omit<TestServerOptions, 'upstream'> {
  readonly provider?: OidcProviderOptions
}

/** Where the browser is on its way to the provider, and what the code will be redeemed with. */
export interface Departure {
  readonly agent: Agent
  readonly client: TestClient
  readonly verifier: string
  /** The provider's authorization endpoint, as the browser is sent there. */
  readonly upstreamUrl: string
  readonly page: Page
}

export interface SignInChoice {
  readonly client?: TestClient
  readonly agent?: Agent
  readonly params?: Params
}

/** Starts both. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { provider: choice, ...rest } = options
  const provider = await startOidcProvider(choice)
  const server = await startServer({
    rateLimits: UNLIMITED,
    ...rest,
    upstream: (issuer) => upstreamAt(provider, issuer),
  })
  return {
    server,
    provider,
    async close() {
      await server.close()
      await provider.close()
    },
  }
}

/** This provider as the upstream of the server at `issuer`. */
export function upstreamAt(provider: TestOidcProvider, issuer: string): RedirectUpstream {
  provider.allowRedirect(`${issuer}/callback`)
  const { client_id, client_secret } = provider
  return oidc({ issuer: provider.issuer, client_id, client_secret, name: 'Example ID' })
}

/** From the authorization request over the consent page to the provider's door. */
export async function depart(
  { server }: Pick<Place, 'server'>,
  { agent = createAgent(), params = {}, ...choice }: SignInChoice = {},
): Promise<Departure> {
  const client = choice.client ?? (await register(server))
  const { verifier, challenge } = pkce()
  const asked = await agent.get(authorizeUrl(server, client, challenge, params))
  const page = await decide(server, agent, asked)
  if (page.leadsTo === undefined) throw new Error(`no way on: ${page.status} ${page.body}`)
  return { agent, client, verifier, upstreamUrl: page.leadsTo, page }
}

/** From a page that leads back to the client to the code in it. */
export function arrive({ client, verifier }: Departure, page: Page): Authorized {
  const location = page.leadsTo ?? ''
  const code = URL.canParse(location) ? new URL(location).searchParams.get('code') : null
  if (code === null) throw new Error(`no code: ${page.status} ${location} ${page.body}`)
  return { code, verifier, client, location }
}

/** A whole sign-in at the provider. */
export async function signInUpstream(
  world: Place,
  user: TestUser = 'ada',
  choice: SignInChoice = {},
): Promise<{ client: TestClient; agent: Agent; authorized: Authorized; tokens: Tokens }> {
  const departure = await depart(world, choice)
  const callback = await world.provider.signIn(departure.upstreamUrl, user)
  const authorized = arrive(departure, await departure.agent.get(callback))
  const { status, body, text } = await redeem(world.server, authorized)
  if (status !== 200) throw new Error(`token endpoint: ${status} ${text}`)
  const { client, agent } = departure
  return { client, agent, authorized, tokens: body as unknown as Tokens }
}

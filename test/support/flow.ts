/**
 * The steps of a sign-in as functions, each a real request, so that a test can stop between any two.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createAgent, fieldOf, type Agent, type Page } from './agent.ts'
import type { TestServer } from './server.ts'

export type Params = Readonly<{ [name: string]: string | undefined }>

export interface TestClient {
  readonly client_id: string
  readonly client_secret?: string
  readonly redirect_uri: string
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly scope?: string
}

/** A code, and what is needed to redeem it. */
export interface Authorized {
  readonly code: string
  readonly verifier: string
  readonly client: TestClient
  /** Where the client was sent to, in full. */
  readonly location: string
}

export const REDIRECT = 'https://client.example/callback'
/** 43 characters, and its S256 challenge. */
export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** Registers a public client, or whatever `metadata` makes of it. */
export async function register(
  { issuer }: Pick<TestServer, 'issuer'>,
  metadata: Readonly<{ [name: string]: unknown }> = {},
): Promise<TestClient> {
  const response = await fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'A test client',
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...metadata,
    }),
  })
  const registered = (await response.json()) as { client_id: string; client_secret?: string }
  if (response.status !== 201) throw new Error(`registration: ${JSON.stringify(registered)}`)
  const [redirect_uri = REDIRECT] = (metadata['redirect_uris'] as string[] | undefined) ?? [
    REDIRECT,
  ]
  const { client_id, client_secret } = registered
  return { client_id, redirect_uri, ...(client_secret !== undefined && { client_secret }) }
}

/** The URL of an authorization request; `params` replace or, where undefined, remove. */
export function authorizeUrl(
  { issuer, resource }: Pick<TestServer, 'issuer' | 'resource'>,
  client: TestClient,
  challenge: string,
  params: Params = {},
): string {
  const all: Params = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: client.redirect_uri,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'a state',
    scope: 'notes:read notes:write',
    resource,
    ...params,
  }
  return `${issuer}/authorize?${toForm(all).toString()}`
}

export function toForm(params: Params): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value !== undefined) form.set(name, value)
  return form
}

/** An agent that the app's own login knows as `user`. */
export function agentOf(user: string): Agent {
  return createAgent(new Map([['user', user]]))
}

/** Answers a consent page. */
export function decide(
  { issuer }: Pick<TestServer, 'issuer'>,
  agent: Agent,
  page: Page,
  decision: 'approve' | 'deny' = 'approve',
  more: Readonly<{ [name: string]: string }> = {},
): Promise<Page> {
  const fields = { ticket: fieldOf(page, 'ticket'), csrf: fieldOf(page, 'csrf'), decision, ...more }
  return agent.post(`${issuer}/consent`, fields)
}

/** From the authorization request to the code, for a user of the app's own login. */
export async function authorize(
  server: Pick<TestServer, 'issuer' | 'resource'>,
  client: TestClient,
  { agent = agentOf('ada'), params = {} }: { agent?: Agent; params?: Params } = {},
): Promise<Authorized> {
  const { verifier, challenge } = pkce()
  const page = await agent.get(authorizeUrl(server, client, challenge, params))
  const after = await decide(server, agent, page)
  const location = after.leadsTo ?? ''
  const code = URL.canParse(location) ? new URL(location).searchParams.get('code') : null
  if (code === null) throw new Error(`no code: ${after.status} ${location} ${after.body}`)
  return { code, verifier, client, location }
}

/** A form POST to an endpoint of the issuer. */
export async function post(
  { issuer }: Pick<TestServer, 'issuer'>,
  path: string,
  params: Params | string,
  headers: Readonly<{ [name: string]: string }> = {},
): Promise<{ status: number; headers: Headers; body: { [name: string]: unknown }; text: string }> {
  const response = await fetch(`${issuer}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof params === 'string' ? params : toForm(params).toString(),
  })
  const text = await response.text()
  const body = text.startsWith('{') ? (JSON.parse(text) as { [name: string]: unknown }) : {}
  return { status: response.status, headers: response.headers, body, text }
}

/** The token request for a code; `params` replace or remove. */
export function redeem(
  server: Pick<TestServer, 'issuer'>,
  { code, verifier, client }: Authorized,
  params: Params = {},
): ReturnType<typeof post> {
  return post(server, '/token', {
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    client_id: client.client_id,
    redirect_uri: client.redirect_uri,
    ...(client.client_secret !== undefined && { client_secret: client.client_secret }),
    ...params,
  })
}

export function refresh(
  server: Pick<TestServer, 'issuer'>,
  client: TestClient,
  refresh_token: string,
  params: Params = {},
): ReturnType<typeof post> {
  return post(server, '/token', {
    grant_type: 'refresh_token',
    refresh_token,
    client_id: client.client_id,
    ...(client.client_secret !== undefined && { client_secret: client.client_secret }),
    ...params,
  })
}

/** A whole sign-in. */
export async function signIn(
  server: Pick<TestServer, 'issuer' | 'resource'>,
  choice: { client?: TestClient; agent?: Agent; params?: Params } = {},
): Promise<{ client: TestClient; tokens: Tokens; authorized: Authorized }> {
  const client = choice.client ?? (await register(server))
  const authorized = await authorize(server, client, choice)
  const { status, body, text } = await redeem(server, authorized)
  if (status !== 200) throw new Error(`token endpoint: ${status} ${text}`)
  return { client, authorized, tokens: body as unknown as Tokens }
}

/** A call to the protected MCP endpoint. */
export function call(
  { resource }: Pick<TestServer, 'resource'>,
  token: string | undefined,
  method = 'tools/list',
  params: object = {},
  headers: Readonly<{ [name: string]: string }> = {},
): Promise<Response> {
  return fetch(resource, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
}

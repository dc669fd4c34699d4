/** One client and one user who sign in, redeem and refresh, straight at the grants. */
import { expect } from 'vitest'
import { sha256 } from '../../src/crypto/hash.ts'
import { randomSecret } from '../../src/crypto/random.ts'
import { parseForm, type Form } from '../../src/http/form.ts'
import { OAuthError } from '../../src/protocol/errors.ts'
import type { Client } from '../../src/server/clients/client.ts'
import type { Context } from '../../src/server/config/context.ts'
import { authorizationCode } from '../../src/server/grants/authorization_code.ts'
import { beginGrant } from '../../src/server/grants/begin.ts'
import { refreshToken } from '../../src/server/grants/refresh_token.ts'
import type { TokenResponse } from '../../src/server/grants/token_response.ts'
import { readAccessToken } from '../../src/server/tokens/access_token.ts'
import { createLocalVerifier } from '../../src/server/tokens/local_verifier.ts'
import type {
  AuthorizationTicket,
  ClientMetadata,
  GrantRecord,
  User,
} from '../../src/stores/records.ts'
import { RESOURCE } from '../support/context.ts'

export const REDIRECT = 'https://client.example/cb'
export const SCOPE: readonly string[] = ['notes:read', 'notes:write']
export const SUBJECT = 'https://idp.example|42'

export const USER: User = {
  issuer: 'https://idp.example',
  sub: '42',
  name: 'Ada',
  email: 'ada@example.com',
  email_verified: true,
}

export function testClient(
  client_id = 'client-one',
  metadata: Partial<ClientMetadata> = {},
  source: Client['source'] = 'static',
): Client {
  return {
    client_id,
    source,
    client_secret_hash: undefined,
    metadata: {
      client_name: 'Client one',
      client_uri: undefined,
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: undefined,
      scope: undefined,
      jwks: undefined,
      jwks_uri: undefined,
      software_id: undefined,
      software_version: undefined,
      ...metadata,
    },
  }
}

export const CLIENT: Client = testClient()
export const STRANGER: Client = testClient('client-two')

/** What a user who has consented and signed in leaves, with members of a test's own. */
export interface SignIn {
  readonly ticket?: Partial<AuthorizationTicket>
  readonly subject?: string
  readonly user?: User
  readonly connectionId?: string
}

/** A code, and the verifier that redeems it. */
export interface Issued {
  readonly code: string
  readonly verifier: string
}

export async function signIn(context: Context, options: SignIn = {}): Promise<Issued> {
  const verifier = randomSecret()
  const { ticket, subject = SUBJECT, user = USER, connectionId } = options
  const code = await beginGrant(
    context,
    { ...ticketOf(context, verifier), ...ticket },
    { subject, user, connectionId },
  )
  return { code, verifier }
}

function ticketOf(context: Context, verifier: string): AuthorizationTicket {
  const now = context.clock()
  return {
    id: randomSecret(16),
    expiresAt: now + 600,
    type: 'authorization',
    step: 'upstream',
    browserHash: sha256('browser'),
    csrfHash: sha256('csrf'),
    client_id: CLIENT.client_id,
    redirect_uri: REDIRECT,
    state: undefined,
    code_challenge: sha256(verifier),
    scope: SCOPE,
    resource: RESOURCE,
    prompt: [],
    login_hint: undefined,
    subject: undefined,
    upstreamSecrets: undefined,
    createdAt: now,
  }
}

export function formOf(parameters: Readonly<{ [name: string]: string }>): Form {
  return parseForm(new URLSearchParams(parameters).toString())
}

type Parameters = Readonly<{ [name: string]: string }>

export async function redeem(
  context: Context,
  { code, verifier }: Issued,
  more: Parameters = {},
  client: Client = CLIENT,
): Promise<TokenResponse> {
  const form = formOf({ code, code_verifier: verifier, redirect_uri: REDIRECT, ...more })
  return authorizationCode(context, client, form)
}

export async function refresh(
  context: Context,
  refresh_token: string | undefined,
  more: Parameters = {},
  client: Client = CLIENT,
): Promise<TokenResponse> {
  return refreshToken(context, client, formOf({ refresh_token: refresh_token ?? '', ...more }))
}

/** Signs in and redeems. */
export async function begin(context: Context, options: SignIn = {}): Promise<TokenResponse> {
  return redeem(context, await signIn(context, options))
}

/** The refresh token of an answer that must have one. */
export function tokenOf({ refresh_token }: TokenResponse): string {
  expect(refresh_token).toMatch(/^mcp_rt_/)
  return refresh_token ?? ''
}

/** The code of the OAuthError that a promise ends with; `none` when it ends well. Anything else is thrown. */
export async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    if (error instanceof OAuthError) return error.code
    throw error
  }
}

/** What the guard's verifier says of an access token: `verified`, or the reason of the refusal. */
export async function verify(
  context: Context,
  token: string,
  resource: string = RESOURCE,
): Promise<string> {
  const found = await createLocalVerifier(context).verify(token, resource)
  return found.outcome === 'verified' ? 'verified' : found.reason
}

/** The grant behind an access token. */
export async function grantOf(
  context: Context,
  { access_token }: TokenResponse,
): Promise<GrantRecord> {
  const id = readAccessToken(context.keys, access_token)?.grantId
  const found = await context.store.find('grant', id ?? '')
  if (found === undefined) throw new Error('there is no such grant')
  return found.record
}

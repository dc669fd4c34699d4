/**
 * Client authentication: RFC 6749 §2.3, OAuth 2.1 §2.4, RFC 7523 §2.2 and §3.
 *
 * The method must be the one the client is registered with. A secret is compared by its hash, so the
 * time it takes tells nothing, and a client that does not exist takes the same way.
 */
import { equal, sha256, type Hash } from '../../crypto/hash.ts'
import type { Form } from '../../http/form.ts'
import type { HttpRequest } from '../../http/message.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { Context, ResourceServer } from '../config/context.ts'
import { checkAssertion } from './assertion.ts'
import type { Client } from './client.ts'
import { readCredentials, refusedClient, type Credentials } from './credentials.ts'
import { resolveKnownClient } from './resolve.ts'

// The hash of nothing anybody could present: what an unknown client's secret is compared with.
const NOBODY = sha256('')

/**
 * The client that sent `request`; a public one only says its name (`none`).
 * @throws OAuthError `invalid_client` (401), `invalid_request` for two methods at once,
 * `temporarily_unavailable` when its document or keys cannot be had. `StoreUnavailable` passes through.
 */
export async function authenticateClient(
  context: Context,
  request: HttpRequest,
  form: Form,
): Promise<Client> {
  const credentials = readCredentials(request, form)
  const client = await findClient(context, credentials)
  if ('client_secret' in credentials) {
    checkSecret(credentials, client?.client_secret_hash)
  }
  if (client === undefined) throw refusedClient(credentials.method, 'unknown client')
  // RFC 7591 §2: the method is the registered one. A client that has a secret or keys is never let in without.
  const registered = client.metadata.token_endpoint_auth_method
  if (registered !== credentials.method) {
    throw refusedClient(credentials.method, `the registered method is ${registered}`)
  }
  if (credentials.method === 'private_key_jwt') {
    await checkAssertion(context, client, credentials.assertion)
  }
  return client
}

/** The resource server that asks about a token: RFC 7662 §2.1, by Basic or in the body. @throws OAuthError */
export async function authenticateResourceServer(
  context: Context,
  request: HttpRequest,
  form: Form,
): Promise<ResourceServer> {
  const credentials = readCredentials(request, form)
  if (!('client_secret' in credentials)) {
    // RFC 7662 §4: without authentication anyone could fish for live tokens.
    throw refusedClient('client_secret_basic', 'no credentials of a resource server')
  }
  const server = context.config.resourceServers.get(credentials.client_id)
  checkSecret(credentials, server?.client_secret_hash)
  if (server === undefined) throw refusedClient(credentials.method, 'unknown resource server')
  return server
}

async function findClient(
  context: Context,
  { client_id }: Credentials,
): Promise<Client | undefined> {
  try {
    return await resolveKnownClient(context, client_id)
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_client') return undefined
    throw error
  }
}

function checkSecret(
  { method, client_secret }: Extract<Credentials, { client_secret: string }>,
  hash: Hash | undefined,
): void {
  if (!equal(sha256(client_secret), hash ?? NOBODY)) throw refusedClient(method, 'wrong secret')
}

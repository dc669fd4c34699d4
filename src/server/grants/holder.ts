/**
 * Who hands over a refresh token of a sign-in that was taken over from another server.
 *
 * That server may not have kept whose the token is, nor be the one where the client registered. So the
 * first public client that presents it is bound to the grant, and is known for as long as the grant lives.
 */
import { isClientIdUrl } from '../../protocol/client_id_url.ts'
import type { Form } from '../../http/form.ts'
import type { HttpRequest } from '../../http/message.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { GrantRecord } from '../../stores/records.ts'
import { authenticateClient } from '../clients/authenticate.ts'
import type { Client } from '../clients/client.ts'
import { readCredentials } from '../clients/credentials.ts'
import { extendClient } from '../clients/extend.ts'
import { CLIENT_ID } from '../clients/resolve.ts'
import type { Context } from '../config/context.ts'
import { readAccessToken } from '../tokens/access_token.ts'
import { isAdoptedGrant, readForeignToken } from '../tokens/adopted_token.ts'
import { readRefreshToken } from '../tokens/refresh_token.ts'

/** The `client_id` of a grant that no client has come for yet. */
export const UNBOUND = ''

/** Whether the grant is this client's, or anybody's who holds its token. */
export function isHeldBy({ client_id }: GrantRecord, client: Client): boolean {
  return client_id === client.client_id || client_id === UNBOUND
}

/** A client that registered here must outlast the unbound grant that it is bound to now. */
export async function keepHolder(
  context: Context,
  { refresh }: GrantRecord,
  client: Client,
): Promise<void> {
  if (refresh === undefined || isUnregistered(client)) return
  await extendClient(context, client, refresh.absoluteExpiresAt)
}

/**
 * The client of a request whose `parameter` is its token: one that is known, or the one that an
 * adopted grant is bound to, or will be. @throws OAuthError as `authenticateClient` does
 */
export async function authenticateHolder(
  context: Context,
  request: HttpRequest,
  form: Form,
  parameter: 'refresh_token' | 'token',
): Promise<Client> {
  try {
    return await authenticateClient(context, request, form)
  } catch (error) {
    if (!(error instanceof OAuthError) || error.code !== 'invalid_client') throw error
    const client = await findHolder(context, request, form, form.get(parameter))
    if (client === undefined) throw error
    return client
  }
}

async function findHolder(
  { config, keys, store }: Context,
  request: HttpRequest,
  form: Form,
  token: string | undefined,
): Promise<Client | undefined> {
  if (token === undefined) return undefined
  const presented =
    readRefreshToken(keys, token) ?? readAccessToken(keys, token) ?? readForeignToken(token)
  if (presented === undefined || !isAdoptedGrant(presented.grantId)) return undefined
  const { method, client_id } = readCredentials(request, form)
  if (method !== 'none' || !CLIENT_ID.test(client_id) || isClientIdUrl(client_id)) return undefined
  // One that is known and failed to prove it is not let in by another door.
  if (config.clients.has(client_id)) return undefined
  if ((await store.find('client', client_id)) !== undefined) return undefined
  const grant = (await store.find('grant', presented.grantId))?.record
  if (grant === undefined || grant.endedAt !== undefined) return undefined
  const client = unregistered(client_id)
  return isHeldBy(grant, client) ? client : undefined
}

/** It may refresh and revoke, and nothing else: there is no place where a code could be sent to. */
function unregistered(client_id: string): Client {
  return {
    client_id,
    source: 'dynamic',
    metadata: {
      client_name: undefined,
      client_uri: undefined,
      redirect_uris: [],
      grant_types: ['refresh_token'],
      response_types: [],
      token_endpoint_auth_method: 'none',
      application_type: undefined,
      scope: undefined,
      jwks: undefined,
      jwks_uri: undefined,
      software_id: undefined,
      software_version: undefined,
    },
    client_secret_hash: undefined,
  }
}

function isUnregistered({ metadata }: Client): boolean {
  return metadata.response_types.length === 0
}

/**
 * A sign-in under way, found again at its next step, and whether its client still stands behind it.
 */
import { OAuthError } from '../../protocol/errors.ts'
import { matchRedirectUri } from '../../protocol/redirect_uri.ts'
import type { AuthorizationTicket } from '../../stores/records.ts'
import type { Client } from '../clients/client.ts'
import { resolveClient } from '../clients/resolve.ts'
import type { Context } from '../config/context.ts'

/** The ticket, if it is at `step`, for a resource of ours, and its time is not over. It is not taken. */
export async function findTicket(
  { config, store, clock }: Context,
  id: string,
  step: AuthorizationTicket['step'],
): Promise<AuthorizationTicket | undefined> {
  const record = (await store.find('ticket', id))?.record
  if (record === undefined || record.step !== step) return undefined
  // Another server on this store has begun it, and only its own upstream and `allow` may let anybody in.
  if (!config.resources.some(({ resource }) => resource === record.resource)) return undefined
  return record.expiresAt !== undefined && clock() < record.expiresAt ? record : undefined
}

/**
 * The client, if it still has the redirect URI that the ticket was made for.
 * @throws OAuthError `invalid_client`, `invalid_redirect_uri`
 */
export async function stillRegistered(
  context: Context,
  { client_id, redirect_uri }: AuthorizationTicket,
): Promise<Client> {
  const client = await resolveClient(context, client_id)
  if (matchRedirectUri(redirect_uri, client.metadata.redirect_uris) === undefined) {
    throw new OAuthError('invalid_redirect_uri', 'redirect_uri is no longer registered')
  }
  return client
}

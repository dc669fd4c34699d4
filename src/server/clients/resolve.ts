/**
 * From a client id to its client: written down by the operator, named by a URL, or registered.
 *
 * The spelling decides between the last two: a URL is never looked up among the registrations, and
 * nothing else is ever fetched.
 */
import { isClientIdUrl } from '../../protocol/client_id_url.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { Context } from '../config/context.ts'
import { clientOf, type Client } from './client.ts'
import { memoryOf, remember, type ReadClient } from './memory.ts'
import { resolveDocument, resolveKeptDocument } from './metadata_document.ts'

// RFC 6749 appendix A.1: visible ASCII. Nothing longer is ever given out here.
export const CLIENT_ID: RegExp = /^[\x21-\x7e]{1,300}$/

/**
 * The client of a new authorization. A document must be fresh or be fetched now; when that fails so
 * does the authorization.
 * @throws OAuthError `invalid_client` (status 400), or `temporarily_unavailable` when the document's
 * host is down or too many documents were fetched. `StoreUnavailable` passes through.
 */
export async function resolveClient(context: Context, client_id: string): Promise<Client> {
  const written = context.config.clients.get(client_id)
  if (written !== undefined) return { ...written, source: 'static' }
  if (isClientIdUrl(client_id)) return resolveDocument(context, client_id)
  return (await findRegistered(context, client_id)).client
}

/**
 * The client of something that exists already: a code, a grant, a token. A document that was never
 * fetched is unknown here, so the back channel makes nobody fetch anything new; a kept copy serves
 * when its host is down, within `maxStale`.
 * @throws as `resolveClient` does.
 */
export async function resolveKnownClient(context: Context, client_id: string): Promise<Client> {
  const written = context.config.clients.get(client_id)
  if (written !== undefined) return { ...written, source: 'static' }
  if (isClientIdUrl(client_id)) return resolveKeptDocument(context, client_id)
  const known = readThisSecond(context, client_id)
  if (known !== undefined) return known.client
  // Not so at the steps before the code: whoever is gone since then redeems none.
  const read = await findRegistered(context, client_id)
  remember(memoryOf(context).registered, client_id, read)
  return read.client
}

/**
 * A registered client as the back channel read it within this second. Nothing of it changes but when it
 * expires.
 */
export function readThisSecond(context: Context, client_id: string): ReadClient | undefined {
  const read = memoryOf(context).registered.get(client_id)
  return read?.readAt === context.clock() ? read : undefined
}

async function findRegistered(context: Context, client_id: string): Promise<ReadClient> {
  if (!CLIENT_ID.test(client_id)) throw unknownClient('not a client id')
  const readAt = context.clock()
  const found = await context.store.find('client', client_id)
  if (found?.record.source !== 'dynamic') throw unknownClient('not registered')
  const { record, version } = found
  // RFC 7591 §5: a registration that was never used expires, whether or not it was deleted yet.
  if (record.expiresAt !== undefined && readAt >= record.expiresAt) {
    throw unknownClient('the registration has expired')
  }
  const known = memoryOf(context).registered.get(client_id)
  const client = known?.version === version ? known.client : clientOf(context.config, record)
  return { client, record, version, readAt }
}

function unknownClient(reason: string): OAuthError {
  return new OAuthError('invalid_client', 'the client is not known', { status: 400, reason })
}

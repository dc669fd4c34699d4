/**
 * Client ID Metadata Documents: draft-ietf-oauth-client-id-metadata-document.
 *
 * A copy is kept in the store: fresh as its HTTP headers say, within bounds; stale it still serves what
 * exists, so that a host which is down signs nobody out. Nothing but a valid document is ever kept.
 */
import { judgeClientIdUrl } from '../../protocol/client_id_url.ts'
import { parseMetadataDocument } from '../../protocol/client_metadata.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { ClientMetadata, ClientRecord } from '../../stores/records.ts'
import type { Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'
import { clientOf, clientPolicy, type Client } from './client.ts'
import { fetchDocument, unusable } from './fetch_document.ts'
import { freshFor, type FreshnessBounds } from './freshness.ts'
import { isInUse } from './in_use.ts'
import { memoryOf, onceAtATime, remember } from './memory.ts'

type Kept = Versioned<ClientRecord> | undefined

// CIMD §6.6 advises 5 kB.
const MAX_BYTES = 5 * 1024
const MAX_UNUSED_FRESH = 10 * 60

/** The client of the document at `client_id`, fresh or fetched now. @throws as `resolveClient` */
export async function resolveDocument(context: Context, client_id: string): Promise<Client> {
  checkClientId(context, client_id)
  const fresh = freshInMemory(context, client_id)
  if (fresh !== undefined) return fresh
  const kept = await findKept(context, client_id)
  return freshOf(context, kept) ?? fetchClient(context, client_id, kept)
}

/** The client of a document that was used before, if need be from a stale copy. @throws as `resolveClient` */
export async function resolveKeptDocument(context: Context, client_id: string): Promise<Client> {
  checkClientId(context, client_id)
  const fresh = freshInMemory(context, client_id)
  if (fresh !== undefined) return fresh
  const kept = await findKept(context, client_id)
  if (kept === undefined) throw unusable('the document was never fetched')
  return freshOf(context, kept) ?? (await fetchOrStale(context, client_id, kept))
}

async function fetchOrStale(
  context: Context,
  client_id: string,
  kept: Versioned<ClientRecord>,
): Promise<Client> {
  try {
    return await fetchClient(context, client_id, kept)
  } catch (error) {
    const staleUntil = (kept.record.freshUntil ?? 0) + context.config.metadataDocuments.maxStale
    if (!(error instanceof OAuthError) || context.clock() >= staleUntil) throw error
    return clientOf(context.config, kept.record)
  }
}

function checkClientId({ config }: Context, client_id: string): void {
  const { enabled, dangerouslyAllowPrivateAddresses } = config.metadataDocuments
  if (!enabled) throw unusable('metadata documents are switched off')
  const fault = judgeClientIdUrl(client_id, dangerouslyAllowPrivateAddresses)
  if (fault !== undefined) throw unusable(`client_id ${fault}`)
}

function freshInMemory(context: Context, client_id: string): Client | undefined {
  const known = memoryOf(context).documents.get(client_id)
  return known !== undefined && context.clock() < known.freshUntil ? known.client : undefined
}

async function findKept({ store }: Context, client_id: string): Promise<Kept> {
  const found = await store.find('client', client_id)
  return found?.record.source === 'metadata_document' ? found : undefined
}

function freshOf(context: Context, kept: Kept): Client | undefined {
  const freshUntil = kept?.record.freshUntil ?? 0
  if (kept === undefined || context.clock() >= freshUntil) return undefined
  const client = clientOf(context.config, kept.record)
  remember(memoryOf(context).documents, client.client_id, { client, freshUntil })
  return client
}

function fetchClient(context: Context, client_id: string, kept: Kept): Promise<Client> {
  return onceAtATime(memoryOf(context).fetching, `document ${client_id}`, async () => {
    const inUse = await isInUse(context, client_id)
    const { value, result } = await fetchDocument(context, client_id, {
      maxBytes: MAX_BYTES,
      inUse,
    })
    const metadata = judgeDocument(context, value, client_id)
    const bounds = context.config.metadataDocuments
    const fresh = freshFor(result, inUse ? bounds : unusedBounds(bounds))
    const freshUntil = context.clock() + fresh
    const record = await keep(context, { client_id, metadata, freshUntil }, kept)
    const client = clientOf(context.config, record)
    remember(memoryOf(context).documents, client_id, { client, freshUntil })
    return client
  })
}

/** Anybody can have documents kept. Those of no user's client do not stay for long, and so are few. */
function unusedBounds({ minFresh, maxFresh }: FreshnessBounds): FreshnessBounds {
  return { minFresh, maxFresh: Math.min(maxFresh, Math.max(minFresh, MAX_UNUSED_FRESH)) }
}

function judgeDocument(context: Context, value: unknown, client_id: string): ClientMetadata {
  try {
    return parseMetadataDocument(value, client_id, clientPolicy(context.config))
  } catch (error) {
    if (error instanceof OAuthError) throw unusable(error.message)
    throw error
  }
}

interface Judged {
  readonly client_id: string
  readonly metadata: ClientMetadata
  readonly freshUntil: number
}

/** Keeps a copy for as long as a sign-in that begins with it may take; a grant extends that. */
async function keep(
  { store, clock, config }: Context,
  { client_id, metadata, freshUntil }: Judged,
  kept: Kept,
): Promise<ClientRecord> {
  const now = clock()
  const needed = freshUntil + config.lifetimes.signIn + config.lifetimes.code
  const record: ClientRecord = {
    id: client_id,
    source: 'metadata_document',
    metadata,
    client_secret_hash: undefined,
    createdAt: kept?.record.createdAt ?? now,
    freshUntil,
    expiresAt: Math.max(needed, kept?.record.expiresAt ?? 0),
  }
  // Whoever loses this race has lost it to another copy of the same document.
  if (kept === undefined) await store.insert('client', record)
  else await store.replace('client', record, kept.version)
  return record
}

/**
 * Keeps what is known of a client for as long as a grant of it may live: RFC 7591 §5.
 */
import type { ClientRecord } from '../../stores/records.ts'
import { StoreUnavailable, type Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'
import type { Client } from './client.ts'
import { readThisSecond } from './resolve.ts'

const DAY = 24 * 60 * 60
const MAX_ATTEMPTS = 50

/** Keeps `client` until `until` at least, in seconds since the epoch. Static clients are always kept. */
export async function extendClient(context: Context, client: Client, until: number): Promise<void> {
  if (client.source === 'static') return
  // Whole days, so that a client whom many use is written once a day and not at each sign-in.
  const expiresAt = Math.ceil(until / DAY) * DAY
  // Whoever comes here has mostly been read just now. If it has changed since, the version tells.
  let found: Versioned<ClientRecord> | undefined = readThisSecond(context, client.client_id)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    found ??= await context.store.find('client', client.client_id)
    if (found === undefined) {
      if (await context.store.insert('client', recordOf(context, client, expiresAt))) return
      continue
    }
    const { record, version } = found
    if (record.expiresAt === undefined || record.expiresAt >= until) return
    if (await context.store.replace('client', { ...record, expiresAt }, version)) return
    found = undefined
  }
  throw new StoreUnavailable('the client changed under every attempt to write it')
}

/** The record of a client that was swept away while its user was signing in. */
function recordOf(context: Context, client: Client, expiresAt: number): ClientRecord {
  const { client_id, metadata, client_secret_hash } = client
  const createdAt = context.clock()
  const source = client.source === 'metadata_document' ? 'metadata_document' : 'dynamic'
  const freshUntil = source === 'metadata_document' ? createdAt : undefined
  return { id: client_id, source, metadata, client_secret_hash, createdAt, freshUntil, expiresAt }
}

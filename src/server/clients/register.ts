/**
 * Keeps a dynamic registration: RFC 7591 §3.2.1.
 *
 * A client without a secret gets an id that follows from its metadata, under a key nobody has: the same
 * software that registers at every start, or twice at once, is one client and one record. So it is
 * where only the port of a loopback redirect differs or the scope, which some choose anew each time and
 * then refresh with the id they got last.
 */
import { sha256 } from '../../crypto/hash.ts'
import { mac } from '../../crypto/mac.ts'
import { randomId, randomSecret } from '../../crypto/random.ts'
import { OAuthError } from '../../protocol/errors.ts'
import { comparedAs } from '../../protocol/redirect_uri.ts'
import type { ClientMetadata, ClientRecord } from '../../stores/records.ts'
import { StoreUnavailable, type Versioned } from '../../stores/store.ts'
import type { Context } from '../config/context.ts'
import { spendRegistration } from './registration_limit.ts'

/** A registration as it is answered. The secret is shown this once and stored as a hash. */
export interface Registration {
  readonly client_id: string
  readonly client_secret: string | undefined
  /** Seconds since the epoch. */
  readonly client_id_issued_at: number
  readonly metadata: ClientMetadata
}

// Two registrations of one client race at most; each loses to one that did the same.
const MAX_ATTEMPTS = 50

/**
 * Registers `metadata`, which has been judged.
 * @throws OAuthError `temporarily_unavailable` when too many register. `StoreUnavailable` passes through.
 */
export function registerClient(context: Context, metadata: ClientMetadata): Promise<Registration> {
  return metadata.token_endpoint_auth_method.startsWith('client_secret')
    ? registerConfidential(context, metadata)
    : registerShared(context, metadata)
}

async function registerConfidential(
  context: Context,
  metadata: ClientMetadata,
): Promise<Registration> {
  await spendRegistration(context)
  // The prefix lets secret scanners find what leaked.
  const client_secret = `mcp_cs_${randomSecret(32)}`
  const id = randomId(context.clock())
  const record = { ...newRecord(context, id, metadata), client_secret_hash: sha256(client_secret) }
  // One write: an id that was never answered is an id whose secret nobody has.
  if (!(await context.store.insert('client', record))) {
    throw new StoreUnavailable('a fresh client id exists already')
  }
  return { ...answerOf(record, metadata), client_secret }
}

async function registerShared(context: Context, metadata: ClientMetadata): Promise<Registration> {
  const id = sharedId(context, metadata)
  const found = await context.store.find('client', id)
  if (found !== undefined && !isWorthExtending(context, found.record)) {
    return answerOf(found.record, metadata)
  }
  try {
    // To be kept for longer costs what it costs to be new: else what is unused could pile up for ever.
    await spendRegistration(context)
  } catch (error) {
    // Who is registered already is answered all the same.
    const isKnown = found !== undefined && !isExpired(context, found.record)
    if (!isKnown || !(error instanceof OAuthError)) throw error
    return answerOf(found.record, metadata)
  }
  return keepShared(context, newRecord(context, id, metadata), found)
}

async function keepShared(
  context: Context,
  fresh: ClientRecord,
  found: Versioned<ClientRecord> | undefined,
): Promise<Registration> {
  const { store } = context
  let kept = found
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (kept === undefined) {
      if (await store.insert('client', fresh)) return answerOf(fresh, fresh.metadata)
    } else {
      const { record, version } = kept
      const extended = { ...record, expiresAt: fresh.expiresAt }
      if (await store.replace('client', extended, version)) return answerOf(record, fresh.metadata)
    }
    kept = await store.find('client', fresh.id)
    if (kept !== undefined && !isWorthExtending(context, kept.record)) {
      return answerOf(kept.record, fresh.metadata)
    }
  }
  throw new StoreUnavailable('the client changed under every attempt to write it')
}

/** Whether less than half of the time is left in which an unused client is kept. Spares most writes. */
function isWorthExtending({ clock, config }: Context, { expiresAt }: ClientRecord): boolean {
  return expiresAt !== undefined && expiresAt < clock() + config.registration.unusedLifetime / 2
}

function isExpired({ clock }: Context, { expiresAt }: ClientRecord): boolean {
  return expiresAt !== undefined && clock() >= expiresAt
}

function newRecord({ clock, config }: Context, id: string, metadata: ClientMetadata): ClientRecord {
  const now = clock()
  return {
    id,
    source: 'dynamic',
    metadata,
    client_secret_hash: undefined,
    createdAt: now,
    freshUntil: undefined,
    // RFC 7591 §5: unused registrations SHOULD expire. The first grant extends this.
    expiresAt: now + config.registration.unusedLifetime,
  }
}

/** Under the keyring, so that nobody can tell from outside whether, or as what, a client is registered. */
function sharedId({ keys }: Context, metadata: ClientMetadata): string {
  // RFC 8252 §7.3: with another loopback port it may redirect to no more and no less. And with another
  // scope it may ask for no more and no less: what a client registers for itself is no limit.
  const redirect_uris = metadata.redirect_uris.map(comparedAs)
  const compared = { ...metadata, redirect_uris, scope: undefined }
  return mac(keys.newest, 'registration', `client ${JSON.stringify(compared)}`)
}

/** RFC 7591 §3.2.1: what this request registered, ports and all, whoever was first with the record. */
function answerOf({ id, createdAt }: ClientRecord, metadata: ClientMetadata): Registration {
  return { client_id: id, client_secret: undefined, client_id_issued_at: createdAt, metadata }
}

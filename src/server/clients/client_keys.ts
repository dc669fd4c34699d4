/**
 * The keys that a client has published: in its metadata, or at its `jwks_uri`. RFC 7591 §2.
 *
 * Fetched keys are remembered by this process alone. An unknown key id makes it look again, as a client
 * that changed its keys would otherwise be locked out; not often, as the id is anybody's choice.
 */
import type { VerificationKey } from '../../crypto/jwt.ts'
import { judgeJwks } from '../../protocol/client_jwks.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { Context } from '../config/context.ts'
import type { Client } from './client.ts'
import { fetchDocument, unusable } from './fetch_document.ts'
import { freshFor } from './freshness.ts'
import { isInUse } from './in_use.ts'
import { memoryOf, onceAtATime, remember, type KeptKeys } from './memory.ts'

const MAX_BYTES = 64 * 1024
const LOOK_AGAIN = 60

/** @throws OAuthError `invalid_client`, or `temporarily_unavailable` when the host of the keys is down. */
export async function resolveClientKeys(
  context: Context,
  { client_id, metadata }: Client,
  kid: string | undefined,
): Promise<readonly VerificationKey[]> {
  if (metadata.jwks !== undefined) return keysIn(metadata.jwks)
  if (metadata.jwks_uri === undefined) throw unusable('the client has no keys')
  const url = metadata.jwks_uri
  const kept = memoryOf(context).keys.get(url)
  if (kept !== undefined && suffices(kept, kid, context.clock())) return kept.jwks.keys
  const { jwks } = await fetchOrStale(context, client_id, url, kept)
  return jwks.keys
}

function suffices({ jwks, fetchedAt, freshUntil }: KeptKeys, kid: string | undefined, now: number) {
  if (now >= freshUntil) return false
  const has = kid === undefined || jwks.keys.some((key) => key.kid === kid)
  return has || now < fetchedAt + LOOK_AGAIN
}

async function fetchOrStale(
  context: Context,
  client_id: string,
  url: string,
  kept: KeptKeys | undefined,
): Promise<KeptKeys> {
  try {
    return await onceAtATime(memoryOf(context).fetching, `keys ${client_id} ${url}`, () =>
      fetchKeys(context, client_id, url),
    )
  } catch (error) {
    const staleUntil = (kept?.freshUntil ?? 0) + context.config.metadataDocuments.maxStale
    if (!(error instanceof OAuthError) || kept === undefined) throw error
    if (context.clock() >= staleUntil) throw error
    return kept
  }
}

async function fetchKeys(context: Context, client_id: string, url: string): Promise<KeptKeys> {
  const inUse = await isInUse(context, client_id)
  const { value, result } = await fetchDocument(context, url, { maxBytes: MAX_BYTES, inUse })
  const jwks = { keys: keysIn(value) }
  const fetchedAt = context.clock()
  const freshUntil = fetchedAt + freshFor(result, context.config.metadataDocuments)
  const kept = { jwks, fetchedAt, freshUntil }
  remember(memoryOf(context).keys, url, kept)
  return kept
}

function keysIn(value: unknown): readonly VerificationKey[] {
  const judged = judgeJwks(value)
  if ('fault' in judged) throw unusable(`jwks ${judged.fault}`)
  return judged.keys
}

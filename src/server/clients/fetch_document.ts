/**
 * Fetches JSON from an address that a client named: its metadata document, or its keys.
 *
 * Bounded in bytes, time and number, so that nobody can use this server to flood a third party, and
 * told apart into two failures only: the document cannot be used, or its host is down.
 */
import { FetchError, type FetchResult } from '../../http/safe_fetch.ts'
import { OAuthError } from '../../protocol/errors.ts'
import { isJsonType, parseJsonDocument } from '../../protocol/json_document.ts'
import type { Context } from '../config/context.ts'
import { memoryOf, remember } from './memory.ts'

export interface DocumentRequest {
  readonly maxBytes: number
  /** Whether its client is in use. Strangers must not use up what the clients of users need. */
  readonly inUse: boolean
}

export interface FetchedDocument {
  readonly value: unknown
  readonly result: FetchResult
}

// CIMD §6.6 and MCP clients' own budgets: a person waits for this.
const TIMEOUT = 5
// CIMD §4.3 forbids to cache error responses, so only silence is remembered, and not for long.
const REMEMBER_SILENCE = 10
const RETRY_AFTER = 30

/** @throws OAuthError `invalid_client` (400) when it cannot be used, `temporarily_unavailable` when nobody answered. */
export async function fetchDocument(
  context: Context,
  url: string,
  { maxBytes, inUse }: DocumentRequest,
): Promise<FetchedDocument> {
  const { unreachable } = memoryOf(context)
  const silence = unreachable.get(url)
  if (silence !== undefined && context.clock() < silence.until) throw silence.error
  spendBudget(context, new URL(url).host, inUse)
  const result = await get(context, url, maxBytes).catch((error: unknown) => {
    throw error instanceof FetchError ? refusalOf(context, url, error) : error
  })
  return { value: readJson(result), result }
}

function get(context: Context, url: string, maxBytes: number): Promise<FetchResult> {
  return context.fetch(url, { headers: { accept: 'application/json' }, maxBytes, timeout: TIMEOUT })
}

function spendBudget({ config, limiter, clock }: Context, host: string, inUse: boolean): void {
  const { fetchesPerHost, fetchesTotal } = config.metadataDocuments
  const who = inUse ? 'used' : 'unused'
  const now = clock()
  const there = limiter.take(`document ${who} ${host}`, fetchesPerHost, now)
  const verdict = there.pass ? limiter.take(`documents ${who}`, fetchesTotal, now) : there
  if (verdict.pass) return
  throw unavailable('too many documents are being fetched', verdict.retryAfter)
}

/** What the caller hears. A refused address and a closed port sound alike, or this would scan ports. */
function refusalOf(context: Context, url: string, { failure, message }: FetchError): OAuthError {
  const reason = `${failure}: ${message}`
  const error = failure === 'unreachable' ? unavailable(reason, RETRY_AFTER) : unusable(reason)
  if (failure === 'unreachable' || failure === 'timeout') {
    const until = context.clock() + REMEMBER_SILENCE
    remember(memoryOf(context).unreachable, url, { error, until })
  }
  return error
}

function readJson({ status, headers, body }: FetchResult): unknown {
  if (status >= 500 || status === 429) throw unavailable(`status ${status}`, RETRY_AFTER)
  // CIMD §4: 200 and nothing else; a redirect is an error response too.
  if (status !== 200) throw unusable(`status ${status}`)
  if (!isJsonType(headers['content-type'])) throw unusable('the content type is not JSON')
  const parsed = parseJsonDocument(body)
  if (parsed === undefined) throw unusable('not JSON')
  return parsed.value
}

/** The document cannot be used; `reason` is for the log. */
export function unusable(reason: string): OAuthError {
  const told = "the client's document cannot be fetched or is not valid"
  return new OAuthError('invalid_client', told, { status: 400, reason })
}

function unavailable(reason: string, retryAfter: number): OAuthError {
  const told = "the client's document cannot be fetched at the moment"
  return new OAuthError('temporarily_unavailable', told, { reason, retryAfter })
}

/**
 * One question to the upstream, and its answer as JSON.
 *
 * Whatever keeps an answer from coming is transient: the network, a limit of ours, 429 and 5xx. What
 * the other statuses mean is for the caller to say.
 */
import { FetchError, type FetchRequest, type SafeFetch } from '../http/safe_fetch.ts'
import { answerFailure } from './failure.ts'
import { UpstreamError } from './upstream.ts'

/** Members are unknown until each is looked at. */
export type JsonObject = Readonly<{ [name: string]: unknown }>

export interface Answer {
  readonly status: number
  readonly headers: Readonly<{ [name: string]: string }>
  /** Undefined when the body is not a JSON object. */
  readonly json: JsonObject | undefined
  /** Undefined when the body is not a JSON array. */
  readonly list: readonly unknown[] | undefined
}

/** @throws UpstreamError `transient` */
export type Send = (
  url: string,
  request?: Pick<FetchRequest, 'method' | 'headers' | 'body'>,
) => Promise<Answer>

export interface SendOptions {
  /** Who is asked, for the log. */
  readonly who: string
  readonly safeFetch: SafeFetch
  /** Seconds for each exchange. */
  readonly timeout: number
  readonly clock: () => number
}

// An answer of the largest key set in use is some 20 KiB; tokens with all their claims stay below 64.
const MAX_BYTES = 512 * 1024

export function createSend({ who, safeFetch, timeout, clock }: SendOptions): Send {
  return async (url, request = {}) => {
    const at = new URL(url).host
    const result = await safeFetch(url, {
      ...request,
      maxBytes: MAX_BYTES,
      timeout,
    }).catch((error: unknown) => {
      if (!(error instanceof FetchError)) throw error
      throw new UpstreamError('transient', `${who}: ${at}: ${error.failure}: ${error.message}`)
    })
    if (result.status === 429 || result.status >= 500) {
      throw answerFailure(who, `${at} answers ${result.status}`, result.headers, clock())
    }
    const body = parse(result.body)
    return {
      status: result.status,
      headers: result.headers,
      json: isJsonObject(body) ? body : undefined,
      list: Array.isArray(body) ? body : undefined,
    }
  }
}

/** The text is judged and not the content type, which some upstreams set to `text/html` for JSON. */
function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}

export function isJsonObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

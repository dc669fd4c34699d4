/**
 * What goes out and what comes back, or why nothing does.
 */

/** What may be fetched beside public https. */
export interface FetchPolicy {
  /** Origins that the operator has named in the configuration: they may be private, and http if loopback. */
  readonly trustedOrigins: readonly string[]
  /** Lets any host be private or plain http. For tests and closed networks. */
  readonly dangerouslyAllowPrivateAddresses: boolean
}

export interface FetchRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly headers?: Readonly<{ [name: string]: string }>
  readonly body?: string | Uint8Array
  /** Bytes of the decoded body at most. */
  readonly maxBytes: number
  /** Seconds for the whole exchange, look-up and body included. */
  readonly timeout: number
}

export interface FetchResult {
  readonly status: number
  /** Names in lower case; doubles joined by `, `. */
  readonly headers: Readonly<{ [name: string]: string }>
  readonly body: Uint8Array
}

/**
 * Why nothing came back. `refused` is our policy, the others are the network.
 *
 * Whoever chose the URL must not learn which: from a name that is refused and one that is unreachable
 * they could tell which names the inner network has.
 */
export class FetchError extends Error {
  override readonly name: string = 'FetchError'
  readonly failure: 'refused' | 'unreachable' | 'timeout' | 'too_large' | 'malformed'
  constructor(failure: FetchError['failure'], message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.failure = failure
  }
}

/** @throws FetchError */
export type SafeFetch = (url: string, request: FetchRequest) => Promise<FetchResult>

/** Requests as they come over the wire, for the tests of what reads them. */
import type { HttpRequest } from '../../../src/http/message.ts'

/** A request with these raw headers: name, value, name, value … */
export function requestWith(
  rawHeaders: readonly string[],
  rest: { readonly remoteAddress?: string; readonly body?: string | Uint8Array } = {},
): HttpRequest {
  return {
    method: 'POST',
    path: '/token',
    query: '',
    rawHeaders,
    remoteAddress: rest.remoteAddress,
    readBody: async () => Buffer.from(rest.body ?? ''),
  }
}

/** A request from `remoteAddress` with one `X-Forwarded-For` for each of `chains`. */
export function forwarded(remoteAddress: string, ...chains: readonly string[]): HttpRequest {
  const headers = chains.flatMap((chain) => ['X-Forwarded-For', chain])
  return requestWith(headers, { remoteAddress })
}

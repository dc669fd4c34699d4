/**
 * One HTTP exchange with a vetted URL, on Workers: by the platform's `fetch`, as there are no sockets.
 *
 * The platform looks the name up and keeps from private addresses. It hides interim answers, bounds
 * headers, and has no cookies and no proxy; the rest is held here.
 */
import { readAnswer } from './fetch_answer.ts'
import { FetchError, type FetchRequest, type FetchResult } from './fetch_interface.ts'

/** @throws FetchError `unreachable`, `malformed` or `too_large`; the deadline is `signal`'s. */
export async function exchangeByFetch(
  url: URL,
  request: FetchRequest,
  signal: AbortSignal,
): Promise<FetchResult> {
  const response = await send(url, request, signal)
  try {
    return await readAnswer(response, request.maxBytes)
  } catch (error) {
    // What is left of the body is read by nobody.
    void response.body?.cancel().catch(() => undefined)
    throw error instanceof FetchError ? error : unreachable(url, error)
  }
}

async function send(
  url: URL,
  { method = 'GET', headers = {}, body }: FetchRequest,
  signal: AbortSignal,
): Promise<Response> {
  const own = new Headers({ accept: 'application/json', ...headers })
  own.set('user-agent', 'mcp-oauth')
  own.set('accept-encoding', 'identity')
  // A redirect is an answer like any other, and no cache may answer in the host's place.
  const fixed = { redirect: 'manual', cache: 'no-store', signal } as const
  try {
    return await fetch(url, {
      method,
      headers: own,
      ...fixed,
      ...(body === undefined ? {} : { body: body as string | Uint8Array<ArrayBuffer> }),
    })
  } catch (error) {
    throw unreachable(url, error)
  }
}

function unreachable({ host }: URL, cause: unknown): FetchError {
  return new FetchError('unreachable', `${host} cannot be reached`, { cause })
}

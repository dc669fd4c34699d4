/**
 * One HTTP exchange with a vetted URL, on Workers: by the platform's `fetch`, as there are no sockets.
 *
 * The platform looks the name up and keeps from private addresses. It hides interim answers, bounds
 * headers, and has no cookies and no proxy; the rest is held here.
 */
import { FetchError, type FetchRequest, type FetchResult } from './fetch_interface.ts'

/** @throws FetchError `unreachable`, `malformed` or `too_large`; the deadline is `signal`'s. */
export async function exchangeByFetch(
  url: URL,
  request: FetchRequest,
  signal: AbortSignal,
): Promise<FetchResult> {
  const response = await send(url, request, signal)
  try {
    return await readResponse(response, request.maxBytes)
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

async function readResponse(response: Response, maxBytes: number): Promise<FetchResult> {
  const { status, body } = response
  const headers = joinHeaders(response.headers)
  // Asked for identity; a coding can hide any number of bytes behind a few.
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new FetchError('malformed', 'the answer is encoded')
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  return { status, headers, body: body === null ? new Uint8Array() : await read(body, maxBytes) }
}

async function read(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Each `set-cookie` comes by itself, the others are joined already. */
function joinHeaders(headers: Headers): { [name: string]: string } {
  const joined = new Map<string, string>()
  for (const [name, value] of headers) {
    const known = joined.get(name)
    joined.set(name, known === undefined ? value : `${known}, ${value}`)
  }
  return Object.fromEntries(joined)
}

function tooLarge(): FetchError {
  return new FetchError('too_large', 'the answer is larger than what is read')
}

function unreachable({ host }: URL, cause: unknown): FetchError {
  return new FetchError('unreachable', `${host} cannot be reached`, { cause })
}

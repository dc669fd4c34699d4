/**
 * The edge to Fetch: `Request` in, `Response` out.
 *
 * Fetch has normalised the path and joined doubled headers before anybody could look. What may stand
 * once and holds no comma of its own is parted again, so that a doubled one is still seen to be doubled.
 * Cookies are not: a comma in the value of a sibling domain's cookie must not begin one of ours.
 */
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { OAuthError } from '../protocol/errors.ts'

const ONCE = new Set(['authorization', 'proxy-authorization', 'dpop', 'host', 'origin'])

/** Seconds in which the whole body must have arrived. */
const BODY_TIMEOUT = 30

/** The caller's address is not known to Fetch: `remoteAddress` is what the runtime tells beside it. */
export function fromFetch(request: Request, remoteAddress?: string): HttpRequest {
  const { path, query } = cut(request.url)
  return {
    method: request.method,
    path,
    query,
    rawHeaders: flatten(request.headers),
    remoteAddress,
    readBody: (limit) => readBody(request, limit),
  }
}

export function toResponse({ status, headers, body }: HttpResponse): Response {
  const sent = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    for (const item of typeof value === 'string' ? [value] : value) sent.append(name, item)
  }
  return new Response(body === undefined ? null : body, { status, headers: sent })
}

/** The URL is absolute and serialised; only its fragment is left out, which no server is told. */
function cut(url: string): { path: string; query: string } {
  const [target = ''] = url.slice(url.indexOf('/', url.indexOf('//') + 2)).split('#')
  const at = target.indexOf('?')
  if (at < 0) return { path: target, query: '' }
  return { path: target.slice(0, at), query: target.slice(at + 1) }
}

function flatten(headers: Headers): readonly string[] {
  const flat: string[] = []
  for (const [name, value] of headers) {
    const values = ONCE.has(name) ? value.split(',') : [value]
    for (const item of values) flat.push(name, item.trim())
  }
  return flat
}

async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const { headers, body } = request
  if (request.bodyUsed) throw new Error('the body of a request was asked for twice')
  const coding = headers.get('content-encoding')
  if (coding !== null && coding.trim().toLowerCase() !== 'identity') {
    throw refused(415, 'the body must not be compressed')
  }
  if (Number(headers.get('content-length') ?? 0) > limit) throw tooLarge()
  return body === null ? new Uint8Array() : await collect(body, limit)
}

async function collect(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  let late = false
  const timer = setTimeout(() => {
    late = true
    void reader.cancel().catch(() => {})
  }, BODY_TIMEOUT * 1000)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (late) throw refused(408, 'the body did not arrive in time')
      if (done) return Buffer.concat(chunks, size)
      size += value.length
      if (size > limit) throw tooLarge()
      chunks.push(value)
    }
  } catch (error) {
    void reader.cancel().catch(() => {})
    throw error instanceof OAuthError ? error : refused(400, 'the body broke off')
  } finally {
    clearTimeout(timer)
  }
}

function tooLarge(): OAuthError {
  return refused(413, 'the body is too large')
}

function refused(status: number, description: string): OAuthError {
  return new OAuthError('invalid_request', description, { status })
}

/**
 * The answer of a backend, judged before anything of it reaches the client.
 *
 * The gateway answers on the origin that holds the sign-in pages, so a backend must not set cookies,
 * redirect, challenge or show a page there. Its headers pass by a short list, its content by type.
 */
import type { IncomingHttpHeaders } from 'node:http'

/** What becomes of an answer: passed, passed without its body, or refused with a reason for the log. */
export type Judgement =
  | { readonly outcome: 'passed'; readonly stream: boolean; readonly headers: ResponseHeaders }
  | { readonly outcome: 'bodiless'; readonly headers: ResponseHeaders }
  | { readonly outcome: 'refused'; readonly reason: RefusedAnswer }

export type RefusedAnswer = 'challenge' | 'redirect' | 'content_type'

/** Names in lower case. */
export type ResponseHeaders = Readonly<{ [name: string]: string | readonly string[] }>

const PASSED = new Set(
  (
    'content-type content-length content-encoding content-language retry-after allow ' +
    'x-request-id traceresponse'
  ).split(' '),
)
const MCP = /^mcp-[a-z0-9-]+$/
const JSON_TYPE = /^application\/(?:[a-z0-9.+-]*\+)?json$/

/** Judges status and headers of the answer to a request with `method`. */
export function judgeAnswer(
  method: string,
  status: number,
  headers: IncomingHttpHeaders,
): Judgement {
  // RFC 9728 §7.6: whoever chooses the challenge chooses where the user signs in. That is us.
  if (status === 401 || status === 407 || headers['www-authenticate'] !== undefined) {
    return { outcome: 'refused', reason: 'challenge' }
  }
  if (status >= 300 && status < 400) return { outcome: 'refused', reason: 'redirect' }
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (isShown(type) || isEmpty(status, headers)) {
    const stream = type === 'text/event-stream'
    return { outcome: 'passed', stream, headers: passedHeaders(headers, stream) }
  }
  // 202 Accepted and errors say what they say by their status; their words are a page for people. So
  // does the end of a session (MCP 2025-11-25, Session Management), which has no type where the
  // official SDK answers it.
  if (status >= 400 || status === 202 || method === 'DELETE') {
    return { outcome: 'bodiless', headers: bodilessHeaders(headers) }
  }
  return { outcome: 'refused', reason: 'content_type' }
}

function isShown(type: string | undefined): boolean {
  if (type === undefined) return false
  return type === 'text/event-stream' || type === 'text/plain' || JSON_TYPE.test(type)
}

function isEmpty(status: number, headers: IncomingHttpHeaders): boolean {
  return status === 204 || headers['content-length'] === '0'
}

function passedHeaders(headers: IncomingHttpHeaders, stream: boolean): ResponseHeaders {
  const passed: { [name: string]: string | readonly string[] } = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && (PASSED.has(name) || MCP.test(name))) passed[name] = value
  }
  return { ...passed, ...ours(stream) }
}

function bodilessHeaders(headers: IncomingHttpHeaders): ResponseHeaders {
  const { 'content-type': _, 'content-length': __, ...rest } = passedHeaders(headers, false)
  const { 'content-encoding': ___, ...left } = rest
  return { ...left, 'content-length': '0' }
}

/**
 * One user's answer is nobody else's, whatever the backend says of caching; and a text that a browser
 * is shown by chance must not run on this origin.
 */
function ours(stream: boolean): ResponseHeaders {
  return {
    'cache-control': stream ? 'no-store, no-transform' : 'no-store',
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    // MCP, Receiving Messages: tells nginx and its kin to pass each event on at once.
    ...(stream ? { 'x-accel-buffering': 'no' } : {}),
  }
}

/**
 * The body of a request of node:http, read whole: bounded in bytes and in time.
 *
 * A framework may have been there before and left what it parsed in `req.body`. That is then taken,
 * because the bytes are gone, and because what the handler behind us sees is that very value.
 */
import type { IncomingMessage } from 'node:http'
import { OAuthError } from '../protocol/errors.ts'
import { dropDeadline, setDeadline } from './deadline.ts'

export interface BodyOptions {
  /** Seconds in which the whole body must have arrived; the answer to one that has not comes within one more. */
  readonly seconds: number
  /** Whether the bytes are put back, for a handler that reads the request itself. */
  readonly keep: boolean
}

type Incoming = IncomingMessage & { readonly body?: unknown }

const MAX_SKIPPED = 64 * 1024
const LINGER_BYTES = 256 * 1024
const LINGER_SECONDS = 1
const NOT_LEFT =
  'the body was read before this handler, and is not in req.body: mount it before what reads bodies'

/** A `readBody` for `req`. @throws OAuthError 413, 415, 408, or 400 when the client leaves */
export function createBodyReader(
  req: Incoming,
  options: BodyOptions,
): (limit: number) => Promise<Uint8Array> {
  let asked = false
  return (limit) =>
    new Promise((resolve, reject) => {
      if (asked) throw new Error('the body of a request was asked for twice')
      asked = true
      // RFC 9110 §8.4: 415 for a coding we do not take. To inflate for strangers is to be a zip bomb's aim.
      if (isEncoded(req)) throw refused(415, 'the body must not be compressed')
      if (req.readableEnded) return resolve(bounded(parsedBody(req), limit))
      if (req.destroyed) throw refused(400, 'the body broke off')
      if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge()
      collect(req, limit, options, resolve, reject)
    })
}

/** Whether more is still to come than is worth reading only to keep the connection. */
export function isLeftUnread(req: IncomingMessage): boolean {
  if (req.complete) return false
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers
  return coding !== undefined || Number(length ?? 0) > MAX_SKIPPED
}

/**
 * Lets what is left of `req` pass by for a moment, then calls `done`: a connection that is closed upon
 * unread bytes is reset, and the client may lose the answer that says why.
 */
export function linger(req: IncomingMessage, done: () => void): void {
  let left = LINGER_BYTES
  const timer = setTimeout(finish, LINGER_SECONDS * 1000)
  function finish(): void {
    clearTimeout(timer)
    req.off('data', onData).off('end', finish).off('close', finish)
    req.pause()
    done()
  }
  function onData(chunk: Uint8Array): void {
    left -= chunk.length
    if (left <= 0) finish()
  }
  req.on('error', () => {})
  if (req.destroyed || req.complete) return finish()
  req.on('data', onData).on('end', finish).on('close', finish).resume()
}

function isEncoded(req: IncomingMessage): boolean {
  const coding = req.headers['content-encoding']
  return coding !== undefined && coding.trim().toLowerCase() !== 'identity'
}

function collect(
  req: Incoming,
  limit: number,
  { seconds, keep }: BodyOptions,
  resolve: (body: Buffer) => void,
  reject: (error: OAuthError) => void,
): void {
  const chunks: Buffer[] = []
  let size = 0
  const deadline = setDeadline(seconds, () => fail(refused(408, 'the body did not arrive in time')))

  function release(): void {
    dropDeadline(deadline)
    req.off('readable', onReadable).off('end', finish).off('close', onClose).off('error', onClose)
  }
  function fail(error: OAuthError): void {
    release()
    reject(error)
  }
  function finish(): void {
    release()
    const [only = Buffer.alloc(0), ...more] = chunks
    const body = more.length === 0 ? only : Buffer.concat(chunks, size)
    // Between the last byte and the event `end` a stream takes its bytes back.
    if (keep && size > 0) req.unshift(body)
    resolve(body)
  }
  function onReadable(): void {
    for (let chunk: Buffer | null; (chunk = read(req)) !== null;) {
      size += chunk.length
      if (size > limit) return fail(tooLarge())
      chunks.push(chunk)
    }
    if (req.complete) finish()
  }
  function onClose(): void {
    fail(refused(400, 'the body broke off'))
  }
  req.on('readable', onReadable).on('end', finish).on('close', onClose).on('error', onClose)
}

function read(req: IncomingMessage): Buffer | null {
  const chunk: Buffer | string | null = req.read()
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

/** What a framework left, as bytes again. */
function parsedBody(req: Incoming): Uint8Array {
  const { body } = req
  if (body instanceof Uint8Array) return body
  if (typeof body === 'string') return Buffer.from(body)
  if (typeof body !== 'object' || body === null) {
    if (!hasBody(req)) return new Uint8Array()
    throw new Error(NOT_LEFT)
  }
  const type = req.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  const isForm = type === 'application/x-www-form-urlencoded'
  return Buffer.from(isForm ? formText(body) : JSON.stringify(body))
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Parsers of forms give a doubled parameter as a list, and it must still be seen to be doubled. */
function formText(body: object): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(body)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === 'string') parameters.append(name, item)
    }
  }
  return parameters.toString()
}

function bounded(body: Uint8Array, limit: number): Uint8Array {
  if (body.length > limit) throw tooLarge()
  return body
}

function tooLarge(): OAuthError {
  return refused(413, 'the body is too large')
}

function refused(status: number, description: string): OAuthError {
  return new OAuthError('invalid_request', description, { status })
}

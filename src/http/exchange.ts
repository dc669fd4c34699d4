/**
 * One HTTP exchange with a vetted target, over a connection of its own.
 *
 * The connection goes to the vetted addresses, while Host, SNI and certificate carry the URL's name. None
 * is kept for a next request: whether a POST on a kept connection that breaks was taken cannot be told,
 * and an upstream's refresh token may work once only. `kept_fetch.ts` keeps them where that does no harm.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { readAnswer } from './fetch_answer.ts'
import { FetchError, type FetchRequest, type FetchResult } from './fetch_interface.ts'
import type { FetchTarget } from './fetch_target.ts'

/** Where an exchange goes, and over which connections. */
export interface Route {
  readonly url: URL
  /** Asked for each new connection. */
  readonly lookup: LookupFunction
  readonly ca: string | undefined
  /** Those that are kept; undefined for one of its own. */
  readonly kept?: Agent | undefined
}

export type Agent = http.Agent | https.Agent

/** A connection that was kept has broken before an answer came: the request may have been taken. */
export class KeptConnectionBroke extends FetchError {}

const MAX_HEADER_BYTES = 16 * 1024
// RFC 9110 §15.2 sets no bound; honest servers send one or two.
const MAX_INTERIM_ANSWERS = 10

/** @throws FetchError `unreachable`, `malformed` or `too_large`; the deadline is `signal`'s. */
export function exchange(
  { url, addresses }: FetchTarget,
  request: FetchRequest,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<FetchResult> {
  return exchangeOver({ url, lookup: pinned(addresses), ca }, request, signal)
}

/** The same over a connection that may be kept. @throws KeptConnectionBroke, and as `exchange` */
export function exchangeOver(
  route: Route,
  request: FetchRequest,
  signal: AbortSignal,
): Promise<FetchResult> {
  return new Promise((resolve, reject) => {
    const { host } = route.url
    const outgoing = start(route, request, signal)
    let interim = 0
    let answered = false
    outgoing.on('information', () => {
      interim += 1
      if (interim > MAX_INTERIM_ANSWERS) {
        outgoing.destroy(new FetchError('malformed', `${host} sends interim answers only`))
      }
    })
    outgoing.on('upgrade', (_response, socket) => {
      socket.destroy()
      reject(new FetchError('malformed', `${host} changes the protocol`))
    })
    outgoing.on('response', (response) => {
      answered = true
      const { statusCode: status = 0, rawHeaders } = response
      const answer = { status, headers: pairsOf(rawHeaders), body: response }
      readAnswer(answer, request.maxBytes).then(
        (result) => {
          if (route.kept === undefined) outgoing.destroy()
          resolve(result)
        },
        (error: unknown) => {
          outgoing.destroy()
          reject(fetchError(error, host))
        },
      )
    })
    outgoing.on('error', (error) => {
      const failure = fetchError(error, host)
      const broke = outgoing.reusedSocket && !answered && failure.failure === 'unreachable'
      reject(broke ? new KeptConnectionBroke('unreachable', failure.message) : failure)
    })
    outgoing.end(request.body)
  })
}

function start(
  { url, lookup, ca, kept }: Route,
  request: FetchRequest,
  signal: AbortSignal,
): http.ClientRequest {
  const options: https.RequestOptions = {
    method: request.method ?? 'GET',
    headers: headersOf(url, request, kept === undefined ? 'close' : 'keep-alive'),
    agent: kept ?? false,
    signal,
    lookup,
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER_BYTES,
  }
  try {
    if (url.protocol === 'http:') return http.request(url, options)
    // Both said aloud, as the environment can change what holds when they are not.
    const tls = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const
    return https.request(url, { ...options, ...tls, ...(ca === undefined ? {} : { ca }) })
  } catch (cause) {
    throw new FetchError('refused', `what is to be sent to ${url.host} is no request`, { cause })
  }
}

/** The caller's headers between those it may replace and those it may not. */
function headersOf(
  url: URL,
  { headers = {}, body }: FetchRequest,
  connection: 'close' | 'keep-alive',
): { [name: string]: string } {
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    accept: 'application/json',
    ...Object.fromEntries(own),
    // node:https takes the name for SNI and certificate from here.
    host: url.host,
    'user-agent': 'mcp-oauth',
    'accept-encoding': 'identity',
    connection,
    // Without a length, Node sends the body of a DELETE where the next request is expected.
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  }
}

/** A look-up that knows one answer. */
export function pinned(addresses: readonly string[]): LookupFunction {
  const answers = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, { all }, callback) => {
    const [first] = answers
    if (all === true) callback(null, answers)
    else callback(null, first?.address ?? '', first?.family)
  }
}

/** From the wire, as node:http drops doubles of some names. */
function* pairsOf(raw: readonly string[]): Generator<readonly [string, string]> {
  for (let index = 0; index < raw.length; index += 2) yield [raw[index] ?? '', raw[index + 1] ?? '']
}

function fetchError(error: unknown, host: string): FetchError {
  if (error instanceof FetchError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const cause = { cause: error }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new FetchError('too_large', `${host} sends more headers than are read`, cause)
  }
  return code.startsWith('HPE_')
    ? new FetchError('malformed', `${host} does not speak HTTP`, cause)
    : new FetchError('unreachable', `${host} cannot be reached`, cause)
}

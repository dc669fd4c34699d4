/**
 * Where a request of node:http is going: its target and its Host, held to the letter.
 *
 * The target is cut at its first `?` and nothing else is done to it. Whoever decodes or normalises a
 * path before it is judged lets two readers see two paths.
 */
import type { IncomingMessage } from 'node:http'
import { OAuthError } from '../protocol/errors.ts'

export interface Target {
  readonly path: string
  readonly query: string
}

/** Node keeps 2000 headers and drops the rest in silence, and in the rest may be the second of two. */
const MAX_HEADERS = 256

const SLASH = 47

/**
 * The target as sent. A framework that cuts a mount path off `url` keeps the whole as `originalUrl`.
 * @throws OAuthError `invalid_request` for what has no path, and for a Host that is in doubt.
 */
export function readTarget(req: IncomingMessage & { readonly originalUrl?: unknown }): Target {
  const host = checkHeaders(req)
  const target = typeof req.originalUrl === 'string' ? req.originalUrl : (req.url ?? '')
  if (target.charCodeAt(0) === SLASH) return cut(target)
  // RFC 9112 §3.2.2: the absolute form MUST be accepted, and its authority overrules Host. Somebody
  // between the client and us may have gone by Host, so the two must say the same.
  const [, authority = '', rest = ''] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(target) ?? []
  if (authority === '' || authority.toLowerCase() !== host?.toLowerCase()) {
    throw refused('the request target is neither a path nor a URL of this host')
  }
  return cut(rest.startsWith('/') ? rest : `/${rest}`)
}

function cut(target: string): Target {
  const at = target.indexOf('?')
  if (at < 0) return { path: target, query: '' }
  return { path: target.slice(0, at), query: target.slice(at + 1) }
}

/** The Host; undefined only for HTTP/1.0, and in HTTP/2, which has another name for it. */
function checkHeaders({ rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    throw refused('there are too many headers', 431)
  }
  let host: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length !== 4 || name.toLowerCase() !== 'host') continue
    // RFC 9112 §3.2: 400 for more than one Host, and for none in HTTP/1.1.
    if (host !== undefined) throw refused('the host header stands twice')
    host = rawHeaders[index + 1]
  }
  if (httpVersion === '1.1' && host === undefined) throw refused('the host header is missing')
  // RFC 9112 §6.1: HTTP/1.0 knows no chunks, so whoever sends them may mean another end than we do.
  if (httpVersion === '1.0' && namesTransferEncoding(rawHeaders)) {
    throw refused('HTTP/1.0 has no Transfer-Encoding')
  }
  return host
}

function namesTransferEncoding(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'transfer-encoding',
  )
}

function refused(description: string, status = 400): OAuthError {
  return new OAuthError('invalid_request', description, {
    status,
    headers: { connection: 'close' },
  })
}

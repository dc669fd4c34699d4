/**
 * A plain request in, a plain response out: all that the core knows of HTTP.
 *
 * Neither Fetch nor node:http: the edges in `adapters/` translate. Headers keep the form in which they
 * came over the wire, doubles included, because whoever attacks sends two.
 */
import { OAuthError } from '../protocol/errors.ts'

/** A request as it came over the wire. */
export interface HttpRequest {
  /** Upper or lower case as sent; `GET` is not `get`. */
  readonly method: string
  /** The path as sent: not decoded, not normalised, without the query. Starts with `/`. */
  readonly path: string
  /** What stands behind the first `?`, without it; empty when there is none. */
  readonly query: string
  /** Name, value, name, value … in the order of the wire, doubles kept. */
  readonly rawHeaders: readonly string[]
  /** The peer's address as the socket tells it; undefined where the runtime does not. */
  readonly remoteAddress: string | undefined
  /**
   * The whole body. May be called once.
   * @throws OAuthError `invalid_request` with status 413 past `limit` bytes, 415 when it is compressed,
   * 408 when it does not arrive in time.
   */
  readBody(limit: number): Promise<Uint8Array>
}

/** A response to be written as it stands. Header names in lower case. */
export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<{ [name: string]: string | readonly string[] }>
  readonly body: string | Uint8Array | undefined
}

const NONE: readonly string[] = []

/** Every value of a header, in the order of the wire. `name` in lower case. */
export function headerValues(request: HttpRequest, name: string): readonly string[] {
  let values: string[] | undefined
  const raw = request.rawHeaders
  for (let index = 0; index < raw.length; index += 2) {
    const candidate = raw[index]
    if (
      candidate !== undefined &&
      candidate.length === name.length &&
      candidate.toLowerCase() === name
    ) {
      values ??= []
      values.push(raw[index + 1] ?? '')
    }
  }
  return values ?? NONE
}

/**
 * The value of a header that may stand once; undefined when it is absent. `name` in lower case.
 * @throws OAuthError `invalid_request` when it stands twice: two readers could choose differently.
 */
export function header(request: HttpRequest, name: string): string | undefined {
  const values = headerValues(request, name)
  if (values.length > 1) throw new OAuthError('invalid_request', `the ${name} header stands twice`)
  return values[0]
}

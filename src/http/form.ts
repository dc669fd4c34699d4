/**
 * Parameters of a query or of an `application/x-www-form-urlencoded` body: RFC 6749 §3.1, §3.2 and appendix B.
 *
 * A parameter without a value counts as absent, an unknown one is ignored, and one that stands twice is
 * an error at the moment it is read: which parameters are read first is the endpoint's decision.
 */
import { OAuthError } from '../protocol/errors.ts'
import { header, type HttpRequest } from './message.ts'

/** RFC-shaped access to the parameters of one request. */
export interface Form {
  /** @throws OAuthError `invalid_request` when it stands twice. */
  get(name: string): string | undefined
  /** @throws OAuthError `invalid_request` when it is missing, empty or doubled. */
  required(name: string): string
  /** Every non-empty value, for the parameters that may repeat (`resource`, RFC 8707 §2). */
  all(name: string): readonly string[]
  /** The names that are present, in the order of the wire. */
  names(): readonly string[]
}

const MAX_BODY = 64 * 1024
const MAX_PARAMETERS = 100
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Parses `text` by the WHATWG form rules, in UTF-8 only. @throws OAuthError `invalid_request` */
export function parseForm(text: string): Form {
  if (!isWellFormed(text)) {
    throw new OAuthError('invalid_request', 'a parameter is not percent-encoded UTF-8')
  }
  const values = new Map<string, string[]>()
  let count = 0
  for (const [name, value] of new URLSearchParams(text)) {
    count += 1
    if (count > MAX_PARAMETERS)
      throw new OAuthError('invalid_request', 'there are too many parameters')
    const known = values.get(name)
    if (known === undefined) values.set(name, [value])
    else known.push(value)
  }
  return createForm(values)
}

function createForm(values: ReadonlyMap<string, readonly string[]>): Form {
  function get(name: string): string | undefined {
    const found = values.get(name)
    if (found === undefined) return undefined
    // RFC 6749 §3.1 and §3.2: parameters MUST NOT be included more than once.
    if (found.length > 1) throw new OAuthError('invalid_request', `${name} stands twice`)
    return found[0] === '' ? undefined : found[0]
  }
  return {
    get,
    required(name) {
      const value = get(name)
      if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing`)
      return value
    },
    all: (name) => (values.get(name) ?? []).filter((value) => value !== ''),
    names: () => [...values.keys()],
  }
}

/** The parameters in the body of a POST. @throws OAuthError `invalid_request`, 415 for another content type. */
export async function readForm(request: HttpRequest): Promise<Form> {
  const type = header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') {
    throw new OAuthError('invalid_request', 'the body must be application/x-www-form-urlencoded', {
      status: 415,
    })
  }
  const bytes = await request.readBody(MAX_BODY)
  return parseForm(decodeUtf8(bytes))
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new OAuthError('invalid_request', 'the body is not UTF-8')
  }
}

/** Whether each `%` begins an escape and the escapes make UTF-8 without NUL. */
function isWellFormed(text: string): boolean {
  if (text.includes('\0')) return false
  if (!text.includes('%')) return true
  try {
    return !decodeURIComponent(text).includes('\0')
  } catch {
    return false
  }
}

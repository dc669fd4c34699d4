/**
 * The token of a request: RFC 6750 §2.1, and nowhere else. A token in a query, a form, a cookie or a header of
 * another name is not looked for: MCP, Token Requirements.
 */
import { headerValues, type HttpRequest } from '../http/message.ts'

/** What stands in the `Authorization` header. */
export type Presented =
  | { readonly outcome: 'token'; readonly token: string }
  | { readonly outcome: 'no_token' | NotAToken }

export type NotAToken = 'not_bearer' | 'malformed_authorization' | 'two_authorizations'

// RFC 6750 §2.1: credentials = "Bearer" 1*SP b64token. RFC 9110 §11.1: the scheme in any case.
// Of the blanks between them we take one: nobody sends more, and two parsers could split differently.
const CREDENTIALS = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i
const SCHEME = /^bearer(?![^ \t])/i
/** No issuer makes longer tokens, and none that is longer needs to be hashed. */
const MAX_LENGTH = 8192

export function readBearerToken(request: HttpRequest): Presented {
  const values = headerValues(request, 'authorization')
  const [value] = values
  if (value === undefined) return { outcome: 'no_token' }
  if (values.length > 1) return { outcome: 'two_authorizations' }
  const token = value.length > MAX_LENGTH ? undefined : CREDENTIALS.exec(trim(value))?.[1]
  if (token !== undefined) return { outcome: 'token', token }
  return { outcome: SCHEME.test(trim(value)) ? 'malformed_authorization' : 'not_bearer' }
}

/** RFC 9110 §5.5: blanks and tabs around a value are no part of it. `trim()` would take others off too. */
function trim(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start += 1
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1
  return start === 0 && end === value.length ? value : value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/**
 * What a client shows to prove who it is: RFC 6749 §2.3, RFC 7521 §4.2. Read here, believed nowhere yet.
 */
import { peekJwt } from '../../crypto/jwt.ts'
import type { Form } from '../../http/form.ts'
import { header, type HttpRequest } from '../../http/message.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { TokenEndpointAuthMethod } from '../../stores/records.ts'

/** Who it says it is, and by which method it says so. */
export type Credentials =
  | { readonly method: 'none'; readonly client_id: string }
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post'
      readonly client_id: string
      readonly client_secret: string
    }
  | { readonly method: 'private_key_jwt'; readonly client_id: string; readonly assertion: string }

// RFC 7523 §2.2
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const MAX_HEADER = 8192
const MAX_ASSERTION = 8192

/** @throws OAuthError `invalid_client`, or `invalid_request` when it uses two methods at once. */
export function readCredentials(request: HttpRequest, form: Form): Credentials {
  const authorization = header(request, 'authorization')
  const client_secret = form.get('client_secret')
  const assertion = form.get('client_assertion')
  const used = [authorization, client_secret, assertion].filter((value) => value !== undefined)
  // RFC 6749 §2.3: the client MUST NOT use more than one authentication method in each request.
  if (used.length > 1) {
    throw new OAuthError('invalid_request', 'more than one client authentication method is used')
  }
  if (authorization !== undefined) return readBasic(authorization, form.get('client_id'))
  if (assertion !== undefined) return readAssertion(assertion, form)
  const client_id = form.get('client_id')
  if (client_id === undefined) throw refusedClient('none', 'no client_id')
  if (client_secret === undefined) return { method: 'none', client_id }
  return { method: 'client_secret_post', client_id, client_secret }
}

function readBasic(authorization: string, named: string | undefined): Credentials {
  const decoded = authorization.length > MAX_HEADER ? undefined : decodeBasic(authorization)
  if (decoded === undefined) throw refusedClient('client_secret_basic', 'malformed Authorization')
  // The id may stand in the body too, where some libraries always put it; then it must be the same.
  if (named !== undefined && named !== decoded.client_id) {
    throw refusedClient('client_secret_basic', 'client_id in the body differs')
  }
  return { method: 'client_secret_basic', ...decoded }
}

/** RFC 7617 §2, with both halves form-encoded first: RFC 6749 §2.3.1. */
function decodeBasic(value: string): { client_id: string; client_secret: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value)?.[1]
  if (encoded === undefined) return undefined
  const pair = Buffer.from(encoded, 'base64').toString('latin1')
  const colon = pair.indexOf(':')
  if (colon < 1) return undefined
  const client_id = decodeFormValue(pair.slice(0, colon))
  // A colon within the secret is `%3A` when encoded, so what stands behind the first is the secret whole.
  const client_secret = decodeFormValue(pair.slice(colon + 1))
  if (client_id === undefined || client_secret === undefined || client_secret === '')
    return undefined
  return { client_id, client_secret }
}

function decodeFormValue(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function readAssertion(assertion: string, form: Form): Credentials {
  // RFC 7521 §4.2: the type is required, and only JWTs are known here.
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
    throw refusedClient('private_key_jwt', 'unknown client_assertion_type')
  }
  const subject = assertion.length > MAX_ASSERTION ? undefined : peekJwt(assertion)?.claims['sub']
  if (typeof subject !== 'string') throw refusedClient('private_key_jwt', 'malformed assertion')
  // RFC 7521 §4.2: client_id may be absent; if it is there it must be the client of the assertion.
  if ((form.get('client_id') ?? subject) !== subject) {
    throw refusedClient('private_key_jwt', 'client_id is not the subject of the assertion')
  }
  return { method: 'private_key_jwt', client_id: subject, assertion }
}

/**
 * The one answer to whoever is not the client it says: unknown, wrong secret and wrong method sound
 * alike. RFC 6749 §5.2: 401, and with a challenge when the Authorization header was used.
 */
export function refusedClient(method: TokenEndpointAuthMethod, reason: string): OAuthError {
  const headers =
    method === 'client_secret_basic' ? { 'www-authenticate': 'Basic realm="oauth"' } : {}
  return new OAuthError('invalid_client', 'client authentication failed', { reason, headers })
}

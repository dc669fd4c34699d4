/**
 * What the guard answers instead of the MCP server. Faults of the sign-in speak OAuth, others JSON-RPC.
 */
import type { HttpResponse } from '../http/message.ts'
import { errorResponse, json } from '../http/respond.ts'
import { OAuthError, type OAuthErrorCode } from '../protocol/errors.ts'
import { bearerChallenge, type BearerChallenge } from '../protocol/www_authenticate.ts'
import type { Foreign } from './origin.ts'
import { metadataUrl } from './protected_resource_metadata.ts'
import type { ProtectedResource } from './settings.ts'

/** 401 for a request without a token. RFC 6750 §3.1: then the challenge has no error code. */
export function unauthorized(resource: ProtectedResource, scope: readonly string[]): HttpResponse {
  const headers = challengeHeader(resource, { scope })
  return errorResponse(new OAuthError('invalid_token', 'a token is needed; sign in', { headers }))
}

/**
 * 405 for a stream, or the end of a session, without a token where none is required: "no stream here", MCP,
 * Transports. A 401 would send a client that only looks round to sign in, as clients open their stream by
 * themselves. RFC 9110 §11.6.1: the challenge may be told all the same.
 */
export function postOnly(resource: ProtectedResource, scope: readonly string[]): HttpResponse {
  const headers = { allow: 'POST', ...challengeHeader(resource, { scope }) }
  return json(405, rpcBody('without a token, use POST'), headers)
}

/** 401 for a token that does not hold, in the same words for every reason. */
export function invalidToken(resource: ProtectedResource, scope: readonly string[]): HttpResponse {
  return challenge(resource, scope, 'invalid_token', 'the token does not hold here; sign in again')
}

/** RFC 6750 §3.1: 400 for more than one way, or time, of sending a token. */
export function invalidRequest(
  resource: ProtectedResource,
  scope: readonly string[],
): HttpResponse {
  return challenge(resource, scope, 'invalid_request', 'send one Authorization header')
}

/** 403 that names `scope` as what to ask for. */
export function insufficientScope(
  resource: ProtectedResource,
  scope: readonly string[],
): HttpResponse {
  const description = 'this operation needs a scope that the token does not have'
  return challenge(resource, scope, 'insufficient_scope', description)
}

/** MCP, Security & Endpoint: 403, in a JSON-RPC error that has no id. */
export function foreign(what: Foreign): HttpResponse {
  const message =
    what === 'foreign_host'
      ? 'this server is on the computer that it is called from; call it by a loopback name'
      : 'pages of this origin may not call this server'
  return rpc(403, message)
}

export function notAllowed(): HttpResponse {
  return json(405, rpcBody('use POST'), { allow: 'POST, GET, DELETE' })
}

export function unknownResource(): HttpResponse {
  return rpc(404, 'there is no MCP endpoint here')
}

function rpc(status: number, message: string): HttpResponse {
  return json(status, rpcBody(message))
}

function rpcBody(message: string): object {
  return { jsonrpc: '2.0', error: { code: -32600, message } }
}

function challenge(
  resource: ProtectedResource,
  scope: readonly string[],
  error: OAuthErrorCode,
  error_description: string,
): HttpResponse {
  const headers = challengeHeader(resource, { scope, error, error_description })
  return errorResponse(new OAuthError(error, error_description, { headers }))
}

function challengeHeader(
  { resource }: ProtectedResource,
  params: BearerChallenge,
): { readonly 'www-authenticate': string } {
  // RFC 9728 §5.1: absolute, and of the resource's own origin.
  const resource_metadata = metadataUrl(resource)
  return { 'www-authenticate': bearerChallenge({ ...params, resource_metadata }) }
}

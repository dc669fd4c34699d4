/**
 * The answers that the gateway gives itself, where the guard or the backend gives none.
 *
 * They say what happened and what to do, and nothing of where the backend is.
 */
import type { HttpResponse } from '../http/message.ts'
import { errorResponse, json, type Headers } from '../http/respond.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { Failure } from './proxy.ts'

/** The backend's failure, as the client hears it. */
export function failed(failure: Failure, headers: Headers): HttpResponse {
  const [status, description] = told(failure)
  return errorResponse(new OAuthError('server_error', description, { status }), headers)
}

function told(failure: Failure): readonly [number, string] {
  switch (failure) {
    case 'unreachable':
      return [502, 'the MCP server behind this gateway cannot be reached']
    case 'slow':
      return [504, 'the MCP server behind this gateway did not answer in time']
    case 'challenge':
      return [502, 'the MCP server behind this gateway refused the gateway']
    case 'redirect':
      return [502, 'the MCP server behind this gateway answered with a redirect']
    case 'content_type':
      return [502, 'the MCP server behind this gateway answered neither JSON nor an event stream']
  }
}

export function notFound(): HttpResponse {
  return json(404, { error: 'not_found', error_description: 'there is nothing here' })
}

export function notAllowed(headers: Headers): HttpResponse {
  const body = { error: 'invalid_request', error_description: 'use POST' }
  return json(405, body, { allow: 'POST, GET, DELETE', ...headers })
}

export function tooMany(headers: Headers): HttpResponse {
  const description = 'too many calls and streams of one user are open; close some'
  const error = new OAuthError('temporarily_unavailable', description, {
    status: 429,
    retryAfter: 5,
  })
  return errorResponse(error, headers)
}

export function shuttingDown(): HttpResponse {
  const description = 'this server is shutting down; try again'
  const error = new OAuthError('temporarily_unavailable', description, { retryAfter: 5 })
  return errorResponse(error, { connection: 'close' })
}

/** MCP 2025-11-25, Session Management: 404, on which the client begins a new session. */
export function noSession(headers: Headers): HttpResponse {
  return json(
    404,
    { jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' } },
    headers,
  )
}

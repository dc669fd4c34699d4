/**
 * A message that cannot be judged, in the words of JSON-RPC: JSON-RPC 2.0 §5.1, MCP Error Codes.
 */
import type { HttpResponse } from '../http/message.ts'
import { json } from '../http/respond.ts'
import type { RefusedMessage } from './settings.ts'

/** The id of a request, as far as it could be read. */
export type RpcId = string | number | undefined

// -32020 is the one code that MCP has for this; the others are JSON-RPC's own.
const CODES = {
  parse_error: -32700,
  invalid_request: -32600,
  invalid_params: -32602,
  header_mismatch: -32020,
} as const

export interface RpcErrorDetails {
  readonly reason: RefusedMessage
  readonly id?: RpcId
  /** HTTP status; 400 by default. */
  readonly status?: number
}

/** Thrown by whatever reads a message. `message` is for developers and repeats nothing that was sent. */
export class RpcError extends Error {
  override readonly name: string = 'RpcError'
  readonly code: number
  readonly reason: RefusedMessage
  readonly id: RpcId
  readonly status: number

  constructor(code: keyof typeof CODES, message: string, details: RpcErrorDetails) {
    super(message)
    this.code = CODES[code]
    this.reason = details.reason
    this.id = details.id
    this.status = details.status ?? 400
  }
}

/**
 * MCP 2026-07-28, Error Responses: the id where it could be read, and none where not. JSON-RPC itself
 * would have `null` there, which clients built on the MCP SDKs do not recognise as an error.
 */
export function rpcErrorResponse({ code, message, id, status }: RpcError): HttpResponse {
  return json(status, { jsonrpc: '2.0', id, error: { code, message } })
}

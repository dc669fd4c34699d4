/**
 * The body of a POST, read once: its bytes for whoever stands behind the guard, its messages for the policy.
 */
import { headerValues, type HttpRequest } from '../http/message.ts'
import { OAuthError } from '../protocol/errors.ts'
import { readRpcBody, type RpcBody } from './json_rpc.ts'
import { checkRequestMetadata } from './request_metadata.ts'
import { RpcError } from './rpc_error.ts'

export interface MessageBody {
  readonly bytes: Uint8Array
  readonly body: RpcBody
}

// RFC 8259 §8.1: UTF-8. Another charset named here would be another text to whoever believes it.
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?;?$/i

/** @throws RpcError for whatever cannot be judged: 415, 413, 408 or 400. */
export async function readMessageBody(request: HttpRequest, limit: number): Promise<MessageBody> {
  const types = headerValues(request, 'content-type')
  if (types.length !== 1 || !JSON_TYPE.test(types[0] ?? '')) {
    throw new RpcError('invalid_request', 'the body must be application/json in UTF-8', {
      reason: 'content_type',
      status: 415,
    })
  }
  const bytes = await readBytes(request, limit)
  const body = readRpcBody(bytes)
  checkRequestMetadata(request, body)
  return { bytes, body }
}

async function readBytes(request: HttpRequest, limit: number): Promise<Uint8Array> {
  try {
    return await request.readBody(limit)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const { description, status } = error
    throw new RpcError('invalid_request', description, { reason: 'unreadable_body', status })
  }
}

/**
 * What a POST to an MCP endpoint carries: JSON-RPC 2.0 §4 and §5, as MCP narrows it.
 *
 * A message is refused where a parser that takes `Name` for `name` would find another method, tool or
 * revision in it than this one. Such parsers exist; what they may find in a tool's arguments is no
 * concern of the policy, so arguments may be named as they like.
 */
import { RpcError, type RpcId } from './rpc_error.ts'
import type { RefusedMessage } from './settings.ts'
import { parseStrictJson } from './strict_json.ts'

export interface JsonObject {
  readonly [name: string]: unknown
}

/** One message. A response has no method; a notification has no id. */
export interface RpcMessage {
  readonly method: string | undefined
  readonly id: RpcId
  readonly params: JsonObject | undefined
}

/** A body, read once: for the policy, and for whoever stands behind the guard. */
export interface RpcBody {
  /** As JSON.parse gave it. */
  readonly value: unknown
  readonly batch: boolean
  readonly messages: readonly RpcMessage[]
}

/** Each message of a batch is judged and told of; a client has no use for more. */
const MAX_BATCH = 100
// Spellings by which somebody's parser could take one name or method for another.
const UNFIT = /[\p{Cc}\p{Surrogate}]/u

/** Names that this project's policy, or whatever stands behind it, acts upon. */
interface Vocabulary {
  readonly names: ReadonlySet<string>
  readonly folded: ReadonlySet<string>
}

const ENVELOPE = vocabulary('jsonrpc', 'id', 'method', 'params', 'result', 'error')
const PARAMS = vocabulary('name', 'uri', 'taskId', 'arguments', '_meta', 'protocolVersion')
const META = vocabulary('io.modelcontextprotocol/protocolVersion')

/** Reads and checks a body. @throws RpcError */
export function readRpcBody(bytes: Uint8Array): RpcBody {
  const value = parseStrictJson(bytes)
  if (!Array.isArray(value)) return { value, batch: false, messages: [readMessage(value)] }
  // JSON-RPC 2.0 §6: an empty array is an invalid request.
  if (value.length === 0) throw invalid('the batch is empty', undefined)
  if (value.length > MAX_BATCH) throw invalid(`the batch has more than ${MAX_BATCH} messages`)
  return { value, batch: true, messages: value.map(readMessage) }
}

function readMessage(value: unknown): RpcMessage {
  if (!isObject(value)) throw invalid('a message must be a JSON object')
  checkNames(value, ENVELOPE)
  const { jsonrpc, method } = value
  if (jsonrpc !== '2.0') throw invalid('jsonrpc must be "2.0"')
  const id = readId(value['id'])
  if (method === undefined) return readResponse(value, id)
  if (typeof method !== 'string' || UNFIT.test(method)) {
    throw invalid('method must be a text without control characters', id)
  }
  // Both at once are a request to one reader and a response to another.
  if ('result' in value || 'error' in value) {
    throw invalid('a message has either a method or a result or an error', id)
  }
  return { method, id, params: readParams(value['params'], id) }
}

function readResponse(value: JsonObject, id: RpcId): RpcMessage {
  if ('result' in value === 'error' in value) {
    throw invalid('a message has either a method or a result or an error', id)
  }
  return { method: undefined, id, params: undefined }
}

/** MCP, Requests: a text or a number, and unlike in JSON-RPC not null. */
function readId(id: unknown): RpcId {
  if (id === undefined || typeof id === 'string' || typeof id === 'number') return id
  throw invalid('id must be a text or a number')
}

/** MCP, Requests: an object. `null` is how some languages write an absent one. */
function readParams(params: unknown, id: RpcId): JsonObject | undefined {
  if (params === undefined || params === null) return undefined
  if (!isObject(params)) {
    throw new RpcError('invalid_params', 'params must be an object', { reason: 'not_json_rpc', id })
  }
  checkNames(params, PARAMS)
  const meta = params['_meta']
  if (isObject(meta)) checkNames(meta, META)
  return params
}

/** A member of `params` that must be fit to be compared. @throws RpcError */
export function textParam({ params, id }: RpcMessage, name: string): string | undefined {
  const value = params?.[name]
  if (value === undefined) return undefined
  if (typeof value === 'string' && !UNFIT.test(value)) return value
  throw new RpcError('invalid_params', `params.${name} must be a text without control characters`, {
    reason: 'not_json_rpc',
    id,
  })
}

/** @throws RpcError when two names differ by case only, or one so differs from a name that is known. */
function checkNames(value: JsonObject, known: Vocabulary): void {
  let seen: Set<string> | undefined
  for (const name of Object.keys(value)) {
    if (known.names.has(name)) continue
    const plain = fold(name)
    if (known.folded.has(plain) || seen?.has(plain) === true) {
      throw invalid(
        'a name of the message differs from another one by case only',
        undefined,
        'ambiguous_json',
      )
    }
    seen ??= new Set()
    seen.add(plain)
  }
}

function vocabulary(...names: readonly string[]): Vocabulary {
  return { names: new Set(names), folded: new Set(names.map(fold)) }
}

/** Upper case first: it takes the long s (U+017F) for an s, as Go's parser does; lower case the Kelvin sign for a k. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase()
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(message: string, id?: RpcId, reason: RefusedMessage = 'not_json_rpc'): RpcError {
  return new RpcError('invalid_request', message, { reason, id })
}

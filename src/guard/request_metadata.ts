/**
 * Headers that repeat the body: MCP 2026-07-28, Request Metadata and Server Validation.
 *
 * Whatever stands between client and server may route by these headers, so a request whose headers say
 * another thing than its body is refused, in every revision. The policy never reads them: a client of an
 * older revision sends none, and is judged no less for it.
 *
 * `Mcp-Param-*` repeats arguments by the tool's own schema, which only the MCP server knows, so the
 * comparison is the server's. Here such a header must be well formed, and stand once.
 */
import { headerValues, type HttpRequest } from '../http/message.ts'
import { isObject, textParam, type RpcBody, type RpcMessage } from './json_rpc.ts'
import { RpcError, type RpcId } from './rpc_error.ts'

const PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion'
/** The first revision that has these headers. */
const MODERN = '2026-07-28'
/** The one revision that has batches. Where no header names a revision, it is this one. */
const BATCHING = '2025-03-26'
const REVISION = /^\d{4}-\d{2}-\d{2}$/
// RFC 9110 §5.5, as MCP narrows it under Value Encoding.
const FIELD_VALUE = /^[\x20-\x7E\t]*$/
const ENCODED = /^=\?base64\?(.*)\?=$/

/** Which member of `params` the `Mcp-Name` of a method repeats, and whether the header is required. */
const NAMED: ReadonlyMap<string, { readonly source: string; readonly required: boolean }> = new Map(
  [
    ['tools/call', { source: 'name', required: true }],
    ['prompts/get', { source: 'name', required: true }],
    ['resources/read', { source: 'uri', required: true }],
    // The tasks extension has them too; whether it requires them is the server's business.
    ['tasks/get', { source: 'taskId', required: false }],
    ['tasks/update', { source: 'taskId', required: false }],
    ['tasks/cancel', { source: 'taskId', required: false }],
  ],
)

/** Whether headers and body agree. @throws RpcError -32020 when not, -32600 for a batch that may not be. */
export function checkRequestMetadata(request: HttpRequest, { batch, messages }: RpcBody): void {
  const [message] = messages
  if (message === undefined) return
  const version = metadataHeader(request, 'mcp-protocol-version', message.id)
  const method = metadataHeader(request, 'mcp-method', message.id)
  const name = metadataHeader(request, 'mcp-name', message.id)
  checkParamHeaders(request, message.id)
  if (batch) return checkBatch(messages, version, method ?? name)
  checkVersion(message, version)
  // Header values are case-sensitive: MCP, Case Sensitivity.
  if (method !== undefined && method !== message.method) {
    throw mismatch('the Mcp-Method header does not match the method of the body', message.id)
  }
  checkName(message, name)
  // Notifications have no required headers in this revision, and responses no longer exist in it.
  if (isRequest(message) && isModern(message, version))
    checkPresence(message, version, method, name)
}

/** MCP 2025-03-26, Sending Messages to the Server. Every other revision has one message to a body. */
function checkBatch(
  messages: readonly RpcMessage[],
  version: string | undefined,
  single: string | undefined,
): void {
  const old = version === undefined || version === BATCHING
  if (!old || messages.some((message) => claimedVersion(message) !== undefined)) {
    throw new RpcError('invalid_request', 'this protocol version has no batches', {
      reason: 'batch_not_allowed',
    })
  }
  if (single !== undefined) {
    throw mismatch('Mcp-Method and Mcp-Name cannot speak for a batch', undefined)
  }
}

function checkVersion(message: RpcMessage, version: string | undefined): void {
  const claimed = claimedVersion(message)
  if (version === undefined || claimed === undefined || claimed === version) return
  throw mismatch('the MCP-Protocol-Version header does not match the body', message.id)
}

function checkName(message: RpcMessage, name: string | undefined): void {
  const named = message.method === undefined ? undefined : NAMED.get(message.method)
  // What an extension's method means by Mcp-Name is not known here.
  if (name === undefined || named === undefined) return
  if (decodeFieldValue(name) !== textParam(message, named.source)) {
    throw mismatch(`the Mcp-Name header does not match params.${named.source}`, message.id)
  }
}

/** MCP, Server Validation: a required standard header is missing. In the order of the text. */
function checkPresence(
  message: RpcMessage,
  version: string | undefined,
  method: string | undefined,
  name: string | undefined,
): void {
  if (version === undefined) throw mismatch('MCP-Protocol-Version is missing', message.id)
  if (method === undefined) throw mismatch('Mcp-Method is missing', message.id)
  if (name === undefined && NAMED.get(message.method ?? '')?.required === true) {
    throw mismatch('Mcp-Name is missing', message.id)
  }
}

function isRequest({ method, id }: RpcMessage): boolean {
  return method !== undefined && id !== undefined
}

/** By either place, so that leaving one of them out does not make a request old. */
function isModern(message: RpcMessage, version: string | undefined): boolean {
  const claimed = claimedVersion(message)
  if (claimed !== undefined) return !isOld(claimed)
  return version !== undefined && REVISION.test(version) && version >= MODERN
}

function isOld(claimed: unknown): boolean {
  return typeof claimed === 'string' && REVISION.test(claimed) && claimed < MODERN
}

function claimedVersion({ params }: RpcMessage): unknown {
  const meta = params?.['_meta']
  return isObject(meta) ? meta[PROTOCOL_VERSION] : undefined
}

/** Each by itself: of two headers two readers could choose differently. */
function metadataHeader(request: HttpRequest, name: string, id: RpcId): string | undefined {
  const values = headerValues(request, name)
  const [value] = values
  if (value === undefined) return undefined
  if (values.length > 1) throw mismatch(`the ${name} header stands twice`, id)
  if (decodeFieldValue(value) === undefined) {
    throw mismatch(`the ${name} header has invalid characters`, id)
  }
  return value
}

function checkParamHeaders(request: HttpRequest, id: RpcId): void {
  let seen: Set<string> | undefined
  const raw = request.rawHeaders
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? ''
    if (name.length <= 'mcp-param-'.length || name.charCodeAt(3) !== 0x2d) continue
    const lower = name.toLowerCase()
    if (!lower.startsWith('mcp-param-')) continue
    seen ??= new Set()
    if (seen.has(lower)) throw mismatch('an Mcp-Param header stands twice', id)
    seen.add(lower)
    if (decodeFieldValue(raw[index + 1] ?? '') === undefined) {
      throw mismatch('an Mcp-Param header has invalid characters', id)
    }
  }
}

/**
 * The text behind a header's value; undefined when it is none. MCP, Value Encoding: what starts and ends
 * like the Base64 form is the Base64 form, as a plain value of that look must be encoded itself.
 */
function decodeFieldValue(value: string): string | undefined {
  if (!FIELD_VALUE.test(value)) return undefined
  const base64 = ENCODED.exec(value)?.[1]
  if (base64 === undefined) return value
  const bytes = Buffer.from(base64, 'base64')
  // Buffer reads what is not Base64 too; what does not come back as it was has a second spelling.
  if (bytes.toString('base64') !== base64) return undefined
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined
}

function mismatch(message: string, id: RpcId): RpcError {
  return new RpcError('header_mismatch', message, { reason: 'header_mismatch', id })
}

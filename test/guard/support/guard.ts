/**
 * A guard over two resources, with tokens in a Map and requests as plain objects: no sockets, no server.
 */
import { OAuthError } from '../../../src/protocol/errors.ts'
import {
  createGuard,
  type Guard,
  type Guarded,
  type GuardEvent,
  type GuardOptions,
  type GuardSettings,
} from '../../../src/guard/guard.ts'
import type { AuthInfo, RefusedToken, Verifier } from '../../../src/guard/verifier.ts'
import type { HttpRequest, HttpResponse } from '../../../src/http/message.ts'

export const ISSUER = 'https://mcp.test'
export const RESOURCE = 'https://mcp.test/mcp'
export const OTHER = 'https://mcp.test/other/mcp'
export const METADATA = 'https://mcp.test/.well-known/oauth-protected-resource/mcp'

/** What the verifier knows: a token with its scopes, or why it is no good. */
export type KnownToken =
  | { readonly resource: string; readonly scopes: readonly string[]; readonly subject?: string }
  | RefusedToken

const TOKENS: ReadonlyMap<string, KnownToken> = new Map<string, KnownToken>([
  ['good', { resource: RESOURCE, scopes: ['notes:read'] }],
  ['writer', { resource: RESOURCE, scopes: ['notes:read', 'notes:write'] }],
  ['admin', { resource: RESOURCE, scopes: ['admin'] }],
  ['none', { resource: RESOURCE, scopes: [] }],
  ['foreign', { resource: OTHER, scopes: ['notes:read', 'notes:write'] }],
  ['expired', 'expired'],
  ['revoked', 'revoked'],
  ['ended', 'grant_ended'],
  ['unknown', 'unknown_grant'],
])

export interface TestGuard {
  readonly guard: Guard
  readonly events: GuardEvent[]
  /** What the verifier was asked. */
  readonly asked: string[]
}

export function testGuard(choice: Partial<GuardSettings> = {}): TestGuard {
  const events: GuardEvent[] = []
  const asked: string[] = []
  const verifier: Verifier = {
    verify(token, resource) {
      asked.push(token)
      const known = TOKENS.get(token) ?? 'not_authentic'
      if (typeof known === 'string') return Promise.resolve({ outcome: 'refused', reason: known })
      if (known.resource !== resource) {
        return Promise.resolve({ outcome: 'refused', reason: 'wrong_resource' })
      }
      return Promise.resolve({ outcome: 'verified', authInfo: authInfo(token, known) })
    },
  }
  const scopes = ['notes:read', 'notes:write', 'admin', 'offline_access']
  const tools = new Map([
    ['delete_note', ['notes:write']],
    ['purge', ['notes:write', 'admin']],
    ['日記', ['notes:write']],
  ])
  const guard = createGuard({
    issuer: ISSUER,
    resources: [
      { resource: RESOURCE, name: 'Notes', scopes, tools },
      { resource: OTHER, name: 'Other', scopes: [], tools: new Map() },
    ],
    hierarchy: new Map([['admin', ['notes:read', 'notes:write']]]),
    scopes,
    defaultScope: ['notes:read', 'offline_access'],
    allowedOrigins: ['https://app.test'],
    verifier,
    emit: (event) => events.push(event),
    ...choice,
  })
  return { guard, events, asked }
}

function authInfo(
  token: string,
  { resource, scopes, subject = 'user-1' }: Exclude<KnownToken, string>,
): AuthInfo {
  const user = {
    issuer: 'https://idp.test',
    sub: '1',
    name: undefined,
    email: undefined,
    email_verified: false,
  }
  return {
    token,
    clientId: 'client-1',
    scopes: [...scopes],
    expiresAt: 2_000_000_000,
    resource: new URL(resource),
    extra: { subject, grantId: 'grant-1', user },
  }
}

export interface RequestChoice {
  readonly method?: string
  readonly path?: string
  readonly query?: string
  /** The credential of the `Authorization` header; none when left out. */
  readonly token?: string | undefined
  /** Name, value, name, value. */
  readonly headers?: readonly string[]
  /** Text, bytes, a value to be written as JSON, or what `readBody` throws. */
  readonly body?: unknown
}

/** A request double; `reads` counts how often the body was asked for. */
export function request(choice: RequestChoice = {}): HttpRequest & { readonly reads: number[] } {
  const { method = 'POST', token, body } = choice
  const reads: number[] = []
  const type = method === 'POST' ? ['Content-Type', 'application/json'] : []
  const given = choice.headers ?? []
  const named = given.some(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type',
  )
  return {
    method,
    path: choice.path ?? '/mcp',
    query: choice.query ?? '',
    rawHeaders: [
      'Host',
      'mcp.test',
      ...(token === undefined ? [] : ['Authorization', `Bearer ${token}`]),
      ...(named ? [] : type),
      ...given,
    ],
    remoteAddress: '203.0.113.7',
    reads,
    readBody(limit) {
      reads.push(limit)
      if (body instanceof Error) return Promise.reject(body)
      const bytes = bytesOf(body)
      if (bytes.length > limit) {
        return Promise.reject(
          new OAuthError('invalid_request', 'the body is too long', { status: 413 }),
        )
      }
      return Promise.resolve(bytes)
    },
  }
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
}

/** A message of the old revisions, which need no headers of their own. */
export function message(method: string, params?: object, id: string | number = 1): object {
  return { jsonrpc: '2.0', id, method, params }
}

export function call(name: string, args: object = {}): object {
  return message('tools/call', { name, arguments: args })
}

/** The same of revision 2026-07-28, with its headers. */
export function modern(
  method: string,
  params: object = {},
  headers: readonly string[] = ['Mcp-Method', method],
): Pick<RequestChoice, 'headers' | 'body'> {
  const version = '2026-07-28'
  const _meta = { 'io.modelcontextprotocol/protocolVersion': version }
  return {
    headers: ['MCP-Protocol-Version', version, ...headers],
    body: message(method, { ...params, _meta }),
  }
}

export function refusal(guarded: Guarded): HttpResponse {
  if (guarded.outcome === 'passed') throw new Error('the guard let it pass')
  return guarded.response
}

export function passage(guarded: Guarded): Extract<Guarded, { outcome: 'passed' }> {
  if (guarded.outcome === 'passed') return guarded
  throw new Error(`refused: ${guarded.response.status} ${String(guarded.response.body)}`)
}

export function bodyOf(response: HttpResponse): Record<string, unknown> {
  return JSON.parse(String(response.body)) as Record<string, unknown>
}

export function challengeOf(response: HttpResponse): string {
  return String(response.headers['www-authenticate'])
}

export async function statusOf(
  guard: Guard,
  choice: RequestChoice,
  options?: GuardOptions,
): Promise<number> {
  const guarded = await guard(request(choice), options)
  return guarded.outcome === 'passed' ? 200 : guarded.response.status
}

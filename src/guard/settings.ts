/**
 * What the guard is told once: the resources, the policy, who verifies, who listens.
 */
import type { ScopeHierarchy } from '../protocol/scope.ts'
import type { RefusedToken, Verifier } from './verifier.ts'

/** One protected MCP endpoint. */
export interface ProtectedResource {
  /** Canonical; the audience of its tokens. */
  readonly resource: string
  /** For people: RFC 9728 `resource_name`. */
  readonly name: string
  readonly scopes: readonly string[]
  /** Tools that need scopes of their own. Any other tool needs a token and no more. */
  readonly tools: ReadonlyMap<string, readonly string[]>
}

/** Judged elsewhere and complete: the guard believes what stands here. */
export interface GuardSettings {
  readonly issuer: string
  readonly resources: readonly ProtectedResource[]
  readonly hierarchy: ScopeHierarchy
  /** Every scope that this server knows. */
  readonly scopes: readonly string[]
  /** What the first challenge asks for, as far as the resource knows it. */
  readonly defaultScope: readonly string[]
  /** Browser origins beside the resource's and the issuer's own; `*` is any. */
  readonly allowedOrigins: readonly string[]
  readonly verifier: Verifier
  emit(event: GuardEvent): void
  /** Bytes of a message at most; 4 MiB by default. */
  readonly maxBody?: number
}

/** Why a request was refused, for the log. */
export type RefusalReason =
  | RefusedToken
  | 'unknown_resource'
  | 'foreign_host'
  | 'foreign_origin'
  | 'method_not_allowed'
  | 'no_token'
  | 'not_bearer'
  | 'malformed_authorization'
  | 'two_authorizations'
  | 'insufficient_scope'
  | RefusedMessage

/** Why a message was refused, whoever sent it. */
export type RefusedMessage =
  | 'content_type'
  | 'unreadable_body'
  | 'not_json'
  | 'ambiguous_json'
  | 'not_json_rpc'
  | 'batch_not_allowed'
  | 'header_mismatch'

/** What the guard tells. Never a token in it. */
export interface GuardEvent {
  readonly type: 'request_refused' | 'tool_allowed' | 'tool_refused'
  readonly client_id?: string | undefined
  readonly subject?: string | undefined
  readonly grantId?: string | undefined
  readonly resource?: string | undefined
  /** The scopes that the operation needs. */
  readonly scope?: readonly string[] | undefined
  readonly tool?: string | undefined
  readonly reason?: RefusalReason | undefined
}

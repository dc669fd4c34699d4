/**
 * What is stored. Nothing in here opens a door: codes and tokens are hashed, upstream tokens are sealed.
 *
 * Times are seconds since the epoch. `expiresAt` tells a driver when it may delete the record; whether
 * something still holds is decided by the rules, which have the clock, and never by a record's absence.
 */
import type { Hash } from '../crypto/hash.ts'
import type { Sealed } from '../crypto/seal.ts'
import type { ClientMetadata } from '../protocol/client_metadata.ts'

export type { ClientMetadata, TokenEndpointAuthMethod } from '../protocol/client_metadata.ts'

/** What every record has. */
export interface BaseRecord {
  readonly id: string
  /** Seconds since the epoch from which on a driver may delete it; undefined keeps it. */
  readonly expiresAt: number | undefined
}

/** A dynamically registered client, or the kept copy of a Client ID Metadata Document. */
export interface ClientRecord extends BaseRecord {
  readonly source: 'dynamic' | 'metadata_document'
  readonly metadata: ClientMetadata
  /** SHA-256 of the secret of a confidential dynamic client. */
  readonly client_secret_hash: Hash | undefined
  readonly createdAt: number
  /** Documents only: until when the copy is fresh. It may be used stale until `expiresAt`. */
  readonly freshUntil: number | undefined
}

/** An authorization under way: from the authorization request to the callback. Taken once. */
export interface AuthorizationTicket extends BaseRecord {
  readonly type: 'authorization'
  /** `consent` until the user has approved, `upstream` until the callback. */
  readonly step: 'consent' | 'upstream'
  /** Hash of the cookie of the browser that is at this step. */
  readonly browserHash: Hash
  /** Hash of the anti-CSRF value in the consent form. */
  readonly csrfHash: Hash
  readonly client_id: string
  readonly redirect_uri: string
  readonly state: string | undefined
  readonly code_challenge: string
  readonly scope: readonly string[]
  readonly resource: string
  readonly prompt: readonly string[]
  readonly login_hint: string | undefined
  /** The user shown on the consent page, where the upstream is the app's own login. */
  readonly subject: string | undefined
  /** What the upstream leg needs, sealed: nonce and PKCE verifier. */
  readonly upstreamSecrets: Sealed | undefined
  readonly createdAt: number
}

export type TicketRecord = AuthorizationTicket

/** Why a grant ended. */
export type EndReason =
  | 'revoked_by_client'
  | 'revoked_by_user'
  | 'revoked_by_operator'
  | 'code_reused'
  | 'refresh_token_reused'
  | 'upstream_refused'
  | 'superseded'
  | 'client_deleted'

/** One user's sign-in at one client for one resource: the centre of everything. */
export interface GrantRecord extends BaseRecord {
  readonly subject: string
  readonly client_id: string
  readonly resource: string
  /** The scopes the user consented to. */
  readonly scope: readonly string[]
  /** The connection with the user's upstream tokens; undefined for the app's own login. */
  readonly connectionId: string | undefined
  readonly user: User
  readonly createdAt: number
  readonly endedAt: number | undefined
  readonly endReason: EndReason | undefined
  readonly code: GrantCode | undefined
  readonly refresh: GrantRefresh | undefined
  /** Access tokens revoked one by one, each until it would expire anyway. */
  readonly revokedTokens: readonly { readonly jti: string; readonly expiresAt: number }[]
}

/** The authorization code of a grant, which has one only: RFC 6749 §4.1.2. */
export interface GrantCode {
  /** Where it was sent to; undefined once it is redeemed. */
  readonly redirect_uri: string | undefined
  readonly code_challenge: string
  readonly expiresAt: number
  readonly redeemedAt: number | undefined
}

/** The refresh family of a grant: OAuth 2.1 §4.3.1. */
export interface GrantRefresh {
  readonly generation: number
  /** Of the newest token. It is no secret. */
  readonly jti: string
  /** The token before, and the answer it got, for a client whose answer was lost on the way. */
  readonly previous:
    { readonly jti: string; readonly answer: KeptAnswer; readonly until: number } | undefined
  /** Seconds since the epoch; moves on with each rotation. */
  readonly idleExpiresAt: number
  /** Seconds since the epoch; never moves. */
  readonly absoluteExpiresAt: number
}

/**
 * What an answer of the token endpoint was made from, beside the keys and the `jti` of its tokens. Without
 * the keys it makes nothing.
 */
export interface KeptAnswer {
  /** The key that made the tokens. */
  readonly kid: string
  readonly issuedAt: number
  readonly exp: number
  readonly scope: readonly string[]
}

/** Who signed in, as the upstream told. `issuer` and `sub` identify, the rest is for display. */
export interface User {
  readonly issuer: string
  readonly sub: string
  readonly name: string | undefined
  readonly email: string | undefined
  /** Whether the upstream says that it has verified the address. */
  readonly email_verified: boolean
}

/** One user's credential at one upstream, shared by that user's grants. */
export interface ConnectionRecord extends BaseRecord {
  readonly subject: string
  /** Which upstream, and the token endpoint that the credential may be sent to. */
  readonly upstream: string
  readonly token_endpoint: string | undefined
  readonly access_token: Sealed
  readonly refresh_token: Sealed | undefined
  readonly scope: readonly string[] | undefined
  /** When the upstream's access token expires; undefined when it does not say. */
  readonly accessExpiresAt: number | undefined
  /** Why the upstream will never answer again until the user signs in anew. */
  readonly deadAt: number | undefined
  /** Who refreshes just now, and until when others wait for it. */
  readonly lease: { readonly holder: string; readonly until: number } | undefined
  readonly updatedAt: number
}

/** Something that may be claimed once, as a JWT id; or that all instances agree on, as a count. */
export interface ClaimRecord extends BaseRecord {
  readonly value: string | undefined
}

/** One line of the audit trail. Never a secret. */
export interface EventRecord extends BaseRecord {
  readonly type: string
  readonly at: number
  readonly subject: string | undefined
  readonly client_id: string | undefined
  readonly detail: Readonly<{
    [name: string]: string | number | boolean | readonly string[] | undefined
  }>
}

/** Each kind of record and its shape. */
export interface Records {
  client: ClientRecord
  ticket: TicketRecord
  grant: GrantRecord
  connection: ConnectionRecord
  claim: ClaimRecord
  event: EventRecord
}

export type Kind = keyof Records

/** Every kind, in the order in which a copy must go. */
export const KINDS: readonly Kind[] = ['client', 'ticket', 'connection', 'grant', 'claim', 'event']

/** The indexes of each kind. They are hints: a listing checks each row against its record. */
export interface Indexes {
  client: never
  ticket: never
  grant: 'subject' | 'client_id' | 'connectionId'
  connection: 'subject'
  claim: never
  event: 'subject' | 'client_id'
}

const INDEXES: { readonly [K in Kind]: readonly string[] } = {
  client: [],
  ticket: [],
  grant: ['subject', 'client_id', 'connectionId'],
  connection: ['subject'],
  claim: [],
  event: ['subject', 'client_id'],
}

/** Whether two versions of a record have the same index entries. */
export function isIndexedAlike<K extends Kind>(
  kind: K,
  one: Records[K],
  other: Records[K],
): boolean {
  return INDEXES[kind].every((index) => Reflect.get(one, index) === Reflect.get(other, index))
}

/** The index entries that a record has now: name and value, those without a value left out. */
export function indexEntries<K extends Kind>(
  kind: K,
  record: Records[K],
): readonly (readonly [string, string])[] {
  return INDEXES[kind].flatMap((index) => {
    const value: unknown = Reflect.get(record, index)
    return typeof value === 'string' ? [[index, value] as const] : []
  })
}

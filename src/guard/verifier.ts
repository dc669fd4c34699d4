/**
 * Who holds a token, and for what: the interface between the guard and whatever can tell.
 */

/**
 * The shape that the MCP SDKs and mcp-handler pass to tools. Their spelling, not ours. A type rather than
 * an interface, so that it is also a `Record<string, unknown>`, as frameworks type what a session holds.
 */
export type AuthInfo = {
  readonly token: string
  readonly clientId: string
  readonly scopes: string[]
  /** Seconds since the epoch. */
  readonly expiresAt: number
  readonly resource: URL
  readonly extra: AuthExtra
}

/** What this server adds: who the user is, and what `upstreamToken` needs. */
export interface AuthExtra {
  /** Stable for one user at one upstream, and nothing but an identifier. */
  readonly subject: string
  readonly grantId: string
  /** The user as the upstream told: issuer, sub, name, email. */
  readonly user: {
    readonly issuer: string
    readonly sub: string
    readonly name: string | undefined
    readonly email: string | undefined
    readonly email_verified: boolean
  }
  [key: string]: unknown
}

/** What a verifier finds. `refused` carries a reason for the log; the caller hears `invalid_token` for each. */
export type Verification =
  | { readonly outcome: 'verified'; readonly authInfo: AuthInfo }
  | { readonly outcome: 'refused'; readonly reason: RefusedToken }

export type RefusedToken =
  'not_authentic' | 'expired' | 'wrong_resource' | 'revoked' | 'grant_ended' | 'unknown_grant'

/** Judges a token for one resource. Throws `StoreUnavailable` when it cannot tell. */
export interface Verifier {
  verify(token: string, resource: string): Promise<Verification>
}

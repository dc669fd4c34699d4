/**
 * An upstream is somebody's identity provider or API, of which this server is an OAuth client; or the
 * login that the app already has.
 *
 * Failures come in two kinds, and the difference matters more than anything else here: a transient one
 * ends nothing, a permanent one sends the user to sign in again.
 */
import type { User } from '../stores/records.ts'

/** What an upstream gave for one user. Raw secrets: seal before storing, never log. */
export interface UpstreamTokens {
  readonly access_token: string
  /** Undefined when the answer held none; at a refresh the old one then stays. */
  readonly refresh_token: string | undefined
  /** Seconds from now; undefined when the upstream does not say. */
  readonly expires_in: number | undefined
  readonly scope: readonly string[] | undefined
  /** Where the refresh token may be sent, pinned for the life of the credential; undefined when it came from elsewhere. */
  readonly token_endpoint: string | undefined
}

/** What the upstream leg of one sign-in needs. All values are made by this server. */
export interface UpstreamSignIn {
  readonly redirect_uri: string
  readonly state: string
  readonly nonce: string
  readonly code_verifier: string
}

/** An upstream that the browser is sent to. */
export interface RedirectUpstream {
  readonly type: 'redirect'
  /** Stable and short, e.g. `github`: part of stored records. */
  readonly id: string
  /** For pages, e.g. `GitHub`. */
  readonly name: string
  /** The URL to send the browser to. @throws UpstreamError when discovery fails. */
  authorizationUrl(
    signIn: UpstreamSignIn,
    hints: { readonly prompt: readonly string[]; readonly login_hint: string | undefined },
  ): Promise<string>
  /**
   * What came back at the callback, made into tokens and a user. `query` is the raw query.
   * @throws UpstreamError; `denied` when the user said no there.
   */
  exchange(query: string, signIn: UpstreamSignIn): Promise<{ tokens: UpstreamTokens; user: User }>
  /**
   * Who the bearer of an access token is, outside of a sign-in. Absent where only a sign-in tells.
   * @throws UpstreamError
   */
  identify?(access_token: string): Promise<User>
  /** At the endpoint that the token is pinned to, if it is. @throws UpstreamError */
  refresh(refresh_token: string, token_endpoint: string | undefined): Promise<UpstreamTokens>
  /** Best effort; does nothing where the upstream cannot. @throws UpstreamError */
  revoke(tokens: {
    readonly access_token: string
    readonly refresh_token: string | undefined
  }): Promise<void>
}

/** The login that the app around this library already has. */
export interface SessionUpstream {
  readonly type: 'session'
  readonly id: string
  readonly name: string
  /** Who is signed in, told from the cookies of a request to this origin. */
  identify(request: {
    readonly headers: ReadonlyMap<string, string>
    readonly url: string
  }): Promise<User | undefined>
  /** Where to send somebody who is not; `return_to` is an absolute URL on this origin. */
  signInUrl(return_to: string): string
}

export type Upstream = RedirectUpstream | SessionUpstream

/** Whether it may work later (`transient`), never without the user (`permanent`), or the user declined (`denied`). */
export type UpstreamFailure = 'transient' | 'permanent' | 'denied'

/** A failure of the upstream. `message` is for the log; nothing of it, and no upstream text, reaches a page. */
export class UpstreamError extends Error {
  override readonly name: string = 'UpstreamError'
  readonly failure: UpstreamFailure
  /** Seconds to wait, where the upstream said so. */
  readonly retryAfter: number | undefined

  constructor(
    failure: UpstreamFailure,
    message: string,
    options: { retryAfter?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.failure = failure
    this.retryAfter = options.retryAfter
  }
}

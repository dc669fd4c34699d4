/**
 * The one stream of events. Audit log, metrics and traces are its subscribers. Never a secret in it.
 */

/** What happened. `reason` is for the log and may say what the caller was not told. */
export interface Event {
  readonly type:
    | 'client_registered'
    | 'client_refused'
    | 'authorization_refused'
    | 'consent_shown'
    | 'consent_given'
    | 'consent_denied'
    | 'sign_in_refused'
    | 'grant_begun'
    | 'grant_refreshed'
    | 'grant_repeated'
    | 'grant_ended'
    | 'token_refused'
    | 'token_revoked'
    | 'revocation_refused'
    | 'introspection_refused'
    | 'request_refused'
    | 'tool_allowed'
    | 'tool_refused'
    | 'upstream_connected'
    | 'upstream_refreshed'
    | 'upstream_failed'
    | 'rate_limited'
    | 'store_failed'
    | 'keys_refused'
    | 'internal_error'
    | 'danger'
  readonly client_id?: string | undefined
  readonly subject?: string | undefined
  readonly grantId?: string | undefined
  readonly resource?: string | undefined
  readonly scope?: readonly string[] | undefined
  readonly tool?: string | undefined
  readonly reason?: string | undefined
  /** The redirect's host, the endpoint, the upstream: whatever the type is about. */
  readonly about?: string | undefined
  /** The caller's address cut to its network: /24 for IPv4, /48 for IPv6. */
  readonly network?: string | undefined
  /** What the caller was told to quote, where a page or an answer named one. */
  readonly reference?: string | undefined
  /** An exception behind `internal_error`, `store_failed` or `upstream_failed`. */
  readonly error?: unknown
}

/** An event as a subscriber gets it: with its time. */
export interface EmittedEvent extends Event {
  /** Seconds since the epoch. */
  readonly at: number
}

export interface Events {
  emit(event: Event): void
}

/** Passes each event to each subscriber. A subscriber that fails harms neither the request nor the others. */
export function createEvents(
  subscribers: readonly ((event: EmittedEvent) => void)[],
  clock: () => number,
): Events {
  return {
    emit(event) {
      const emitted = { ...event, at: clock() }
      for (const subscriber of subscribers) {
        try {
          const given: unknown = subscriber(emitted)
          // An async function may stand in its place, and a rejection that nobody takes ends the process.
          if (given instanceof Promise) given.catch(() => {})
        } catch {
          // There is nobody left to tell: a log that fails must not fail a sign-in.
        }
      }
    },
  }
}

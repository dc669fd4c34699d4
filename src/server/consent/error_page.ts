/**
 * The error page.
 */
import type { HttpResponse } from '../../http/message.ts'
import { html } from '../../http/html.ts'
import { page } from '../../http/page.ts'
import type { Language } from './language.ts'

/** What went wrong, as far as the person in front of the page may know. */
export type ErrorKind = keyof typeof STATUS

/** What the page shows. */
export interface ErrorView {
  readonly language: Language
  readonly serverName: string
  /** Whether the issuer is https. */
  readonly secure: boolean
  readonly kind: ErrorKind
  /** An id under which the operator finds the event. */
  readonly reference?: string | undefined
  /** Seconds, sent as `Retry-After`. */
  readonly retryAfter?: number | undefined
  /** For `not_allowed`: who is signed in. */
  readonly user?: string | undefined
  /** For developers: the fault and its mend. ASCII, ours, nothing the user sent. */
  readonly detail?: string | undefined
  readonly headers?: HttpResponse['headers']
}

const STATUS = {
  invalid_client: 400,
  invalid_redirect_uri: 400,
  invalid_request: 400,
  expired: 400,
  wrong_browser: 403,
  csrf: 403,
  not_allowed: 403,
  upstream_denied: 400,
  upstream_failed: 502,
  client_unreachable: 503,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
  not_found: 404,
  method: 405,
} as const

/** The page with the status of its kind. */
export function errorPage(view: ErrorView): HttpResponse {
  return page({
    lang: view.language,
    title: view.kind,
    body: html`<p>${view.kind}</p>`,
    status: STATUS[view.kind],
    secure: view.secure,
    headers: {
      ...(view.retryAfter === undefined ? {} : { 'retry-after': String(view.retryAfter) }),
      ...view.headers,
    },
  })
}

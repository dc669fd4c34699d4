/**
 * A refusal that a person sees: an event for the operator and a page with the same reference.
 */
import { randomSecret } from '../../crypto/random.ts'
import { headerValues, type HttpRequest, type HttpResponse } from '../../http/message.ts'
import type { Context } from '../config/context.ts'
import type { Event } from '../config/events.ts'
import { callerNetwork } from '../config/rate.ts'
import { errorPage, type ErrorKind } from './error_page.ts'
import { chooseLanguage, type Language } from './language.ts'

/** What is told, to whom. */
export interface Refusal {
  readonly kind: ErrorKind
  /** For the event stream. */
  readonly type?: Event['type']
  readonly reason?: string
  readonly client_id?: string | undefined
  readonly subject?: string | undefined
  readonly error?: unknown
  /** For developers, on the page: ours, ASCII, nothing that was sent. */
  readonly detail?: string | undefined
  readonly retryAfter?: number | undefined
  /** For `not_allowed`: who is signed in. */
  readonly user?: string | undefined
  readonly headers?: HttpResponse['headers']
}

/** The page of a refusal. */
export function refuse(context: Context, request: HttpRequest, refusal: Refusal): HttpResponse {
  const { kind, type = 'authorization_refused', reason, client_id, subject, error } = refusal
  const reference = randomSecret(6)
  context.events.emit({
    type,
    reason: reason ?? kind,
    client_id,
    subject,
    error,
    reference,
    network: callerNetwork(context, request),
  })
  return errorPage({
    language: languageOf(request),
    serverName: context.config.name,
    secure: context.config.secure,
    kind,
    reference,
    detail: refusal.detail,
    retryAfter: refusal.retryAfter,
    user: refusal.user,
    ...(refusal.headers === undefined ? {} : { headers: refusal.headers }),
  })
}

/** The language that the browser prefers. */
export function languageOf(request: HttpRequest): Language {
  return chooseLanguage(headerValues(request, 'accept-language')[0])
}

/**
 * The error page: what happened and what to do next, in one or two plain sentences.
 *
 * It is what a person sees where nothing may be redirected: the client, its redirect URI or the browser
 * could not be trusted, or the server is down.
 */
import { html, type Html } from '../../http/html.ts'
import type { HttpResponse } from '../../http/message.ts'
import { page } from '../../http/page.ts'
import { nameOf } from './display.ts'
import { ERROR_STATUS, type ErrorKind } from './error_kind.ts'
import type { Language } from './language.ts'
import { layout } from './layout.ts'
import { textsIn, type Texts } from './texts.ts'

export type { ErrorKind } from './error_kind.ts'

/** What the page shows. */
export interface ErrorView {
  readonly language: Language
  readonly serverName: string
  /** Whether the issuer is https. */
  readonly secure: boolean
  readonly kind: ErrorKind
  /** An id under which the operator finds the event. */
  readonly reference?: string | undefined
  /** Seconds, shown and sent as `Retry-After`. */
  readonly retryAfter?: number | undefined
  /** For `not_allowed`: who is signed in. */
  readonly user?: string | undefined
  /** For developers: the fault and its mend. ASCII, ours, nothing the user sent. */
  readonly detail?: string | undefined
  /** `allow` of a 405, or a `set-cookie`. */
  readonly headers?: HttpResponse['headers']
}

/** The page with the status of its kind. */
export function errorPage(view: ErrorView): HttpResponse {
  const texts = textsIn(view.language)
  const { title, body } = texts.errors[view.kind]
  const retry = view.retryAfter
  const card = html`<h1>${title}</h1>
    ${view.user !== undefined && html`<p>${texts.signedInAs(nameOf(view.user, texts.nameless))}</p>`}
    <p>${body}</p>
    ${retry !== undefined && html`<p>${texts.retryIn(retry)}</p>`} ${developers(view, texts)}`
  return page({
    lang: texts.lang,
    title,
    body: layout(view.serverName, card),
    status: ERROR_STATUS[view.kind],
    secure: view.secure,
    headers: { ...(retry === undefined ? {} : { 'retry-after': String(retry) }), ...view.headers },
  })
}

function developers({ detail, reference }: ErrorView, texts: Texts): Html | undefined {
  if (detail === undefined && reference === undefined) return undefined
  return html`<section class="well" aria-labelledby="developers">
    <h2 id="developers">${texts.forDevelopers}</h2>
    ${detail !== undefined && html`<p lang="en">${detail}</p>`}
    ${reference !== undefined && html`<p>${texts.reference}: <code>${reference}</code></p>`}
  </section>`
}

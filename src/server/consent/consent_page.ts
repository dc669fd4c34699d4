/**
 * The consent page.
 */
import type { HttpResponse } from '../../http/message.ts'
import { html } from '../../http/html.ts'
import { page } from '../../http/page.ts'
import type { Language } from './language.ts'

/** What the page shows. Names may hold anything: they are cleaned and escaped here. */
export interface ConsentView {
  readonly language: Language
  readonly serverName: string
  /** Whether the issuer is https. */
  readonly secure: boolean
  readonly client: {
    readonly name: string
    readonly client_id: string
    readonly source: 'static' | 'dynamic' | 'metadata_document'
    readonly client_uri?: string | undefined
  }
  readonly redirect_uri: string
  /** In the words of the server's catalogue; `isNew` marks what the user has not allowed before. */
  readonly scopes: readonly {
    readonly scope: string
    readonly description: string
    readonly isNew?: boolean
  }[]
  readonly resource: string
  readonly resourceName: string
  readonly upstreamName: string
  /** Who is signed in, where that is known already. */
  readonly user:
    { readonly name?: string | undefined; readonly email?: string | undefined } | undefined
  readonly form: { readonly action: string; readonly ticket: string; readonly csrf: string }
}

/** Status 200; the form posts `ticket`, `csrf` and `decision` (`approve` or `deny`) to `form.action`. */
export function consentPage(view: ConsentView): HttpResponse {
  const body = html`<form method="post" action="${view.form.action}"></form>`
  return page({
    lang: view.language,
    title: view.client.name,
    body,
    status: 200,
    secure: view.secure,
  })
}

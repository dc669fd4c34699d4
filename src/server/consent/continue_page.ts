/**
 * The page between a form and the place it leads to.
 */
import type { HttpResponse } from '../../http/message.ts'
import { html } from '../../http/html.ts'
import { page } from '../../http/page.ts'
import type { Language } from './language.ts'

/** What the page shows. */
export interface ContinueView {
  readonly language: Language
  readonly serverName: string
  /** Whether the issuer is https. */
  readonly secure: boolean
  /** Where the browser goes on to: checked before, absolute. */
  readonly location: string
  /** On to the upstream, or back to the client at an https, loopback or private-use redirect URI. */
  readonly kind: 'upstream' | 'client' | 'private_use'
  /** The upstream's name, or the client's. */
  readonly name: string
  /** Whether the way back to the client carries an error and not a code. */
  readonly denied?: boolean
  /** `set-cookie` above all. */
  readonly headers?: HttpResponse['headers']
}

/** Status 200. */
export function continuePage(view: ContinueView): HttpResponse {
  return page({
    lang: view.language,
    title: view.name,
    body: html`<a href="${view.location}">${view.name}</a>`,
    status: 200,
    refresh: view.location,
    secure: view.secure,
    ...(view.headers === undefined ? {} : { headers: view.headers }),
  })
}

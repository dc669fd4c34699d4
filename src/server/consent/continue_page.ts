/**
 * The page between a form and the place it leads to: decision 0001.
 *
 * It goes on by itself and has a link for whoever it does not. A redirect in its place would be part of
 * the form's navigation, which Chromium stops at the first origin that `form-action` does not name.
 */
import { html, type Html } from '../../http/html.ts'
import type { HttpResponse } from '../../http/message.ts'
import { page } from '../../http/page.ts'
import { judgeRedirectUri } from '../../protocol/redirect_uri.ts'
import { cleanName, nameOf } from './display.ts'
import type { Language } from './language.ts'
import { layout } from './layout.ts'
import { textsIn, type Texts } from './texts.ts'

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
  /** What the way back to the client carries in the place of a code: the user's no, or another error. */
  readonly error?: 'denied' | 'failed' | undefined
  /** `set-cookie` above all. */
  readonly headers?: HttpResponse['headers']
}

/** Status 200. @throws TypeError when `location` is of a kind that nobody may be sent to. */
export function continuePage(view: ContinueView): HttpResponse {
  checkLocation(view)
  const texts = textsIn(view.language)
  const title = titleOf(view, texts)
  const name = nameOf(view.name, texts.nameless)
  const card = html`<h1>${title}</h1>
    ${sentences(view, name, texts)}
    <a class="button primary" href="${view.location}"
      >${view.kind === 'upstream' ? texts.goOn.upstreamLink(name) : texts.goOn.clientLink(name)}</a
    >`
  return page({
    lang: texts.lang,
    title,
    body: layout(view.serverName, card),
    status: 200,
    refresh: view.location,
    secure: view.secure,
    ...(view.headers === undefined ? {} : { headers: view.headers }),
  })
}

function titleOf({ kind, name, error }: ContinueView, { goOn, nameless }: Texts): string {
  if (kind === 'upstream') return goOn.upstreamTitle(cleanName(name) || nameless)
  if (error === undefined) return goOn.signedInTitle
  return error === 'denied' ? goOn.deniedTitle : goOn.failedTitle
}

function sentences({ kind, error }: ContinueView, name: Html, { goOn }: Texts): Html {
  if (kind === 'upstream') return html`<p>${goOn.upstream(name)}</p>`
  if (error === 'denied') return html`<p>${goOn.deniedBack(name)}</p>`
  if (error === 'failed') return html`<p>${goOn.failedBack(name)}</p>`
  if (kind === 'client') return html`<p>${goOn.back(name)}</p>`
  return html`<p>${goOn.opensApp(name)}</p>
    <p>${goOn.close}</p>`
}

// The callers have judged it; a link that runs script is worth a second look.
function checkLocation({ location, kind }: ContinueView): void {
  const isWeb = /^https?:\/\//.test(location)
  const ok = kind === 'private_use' ? isPrivateUse(location) : isWeb
  if (!ok) throw new TypeError(`a page of kind ${kind} may not lead there`)
}

function isPrivateUse(location: string): boolean {
  const judged = judgeRedirectUri(location.split('?')[0] ?? '')
  return 'kind' in judged && judged.kind === 'private_use'
}

/**
 * The consent page: where a person learns who asks, who receives, and what for, and says yes or no.
 *
 * All that identifies comes from the server's own records. A name that anyone could have chosen never
 * stands without the word "unverified", and the place that receives the code is never shortened.
 */
import { html, type Html } from '../../http/html.ts'
import type { HttpResponse } from '../../http/message.ts'
import { page } from '../../http/page.ts'
import { provenance, warning } from './client_trust.ts'
import type { ConsentView } from './consent_view.ts'
import { cleanName, hostOf, nameOf, receiverOf, type Receiver } from './display.ts'
import { layout } from './layout.ts'
import { textsIn, type Texts } from './texts.ts'

export type { ConsentView } from './consent_view.ts'

/** Status 200; the form posts `ticket`, `csrf` and `decision` (`approve` or `deny`) to `form.action`. */
export function consentPage(view: ConsentView): HttpResponse {
  const texts = textsIn(view.language)
  const receiver = receiverOf(view.redirect_uri)
  const client = nameOf(view.client.name, texts.nameless)
  const card = html`<h1>
      ${texts.consent.heading(client, nameOf(view.resourceName, view.resource))}
    </h1>
    ${provenance(view, texts)} ${facts(view, receiver, texts)} ${warning(view, receiver, texts)}
    ${scopeList(view.scopes, texts)} ${decisionForm(view.form, texts)} ${details(view, texts)}`
  return page({
    lang: texts.lang,
    title: texts.consent.title(cleanName(view.client.name) || texts.nameless),
    body: layout(view.serverName, card),
    status: 200,
    secure: view.secure,
  })
}

function facts(view: ConsentView, receiver: Receiver, { consent }: Texts): Html {
  const upstream = nameOf(view.upstreamName, '')
  return html`<dl class="facts">
    ${fact(consent.receiver, receiverText(receiver, consent))}
    ${fact(
      consent.actsOn,
      html`${nameOf(view.resourceName, view.resource)}
        <span class="soft">(<bdi>${hostOf(view.resource)}</bdi>)</span>`,
    )}
    ${
      view.user === undefined
        ? fact(consent.next, consent.nextSignIn(upstream))
        : fact(consent.user, html`${userText(view.user)} <span class="soft">(${upstream})</span>`)
    }
  </dl>`
}

function fact(term: string, description: Html): Html {
  return html`<div>
    <dt>${term}</dt>
    <dd>${description}</dd>
  </div>`
}

function receiverText({ kind, place }: Receiver, consent: Texts['consent']): Html {
  if (kind === 'private_use') return consent.appOf(place)
  const where = kind === 'loopback' && html` <span class="soft">(${consent.thisComputer})</span>`
  return html`<bdi>${place}</bdi>${where}`
}

function userText(user: NonNullable<ConsentView['user']>): Html {
  const [name, email] = [cleanName(user.name ?? ''), cleanName(user.email ?? '')]
  if (name === '' || email === '') return html`<bdi>${name}${email}</bdi>`
  return html`<bdi>${name}</bdi> <span class="soft"><bdi>${email}</bdi></span>`
}

function scopeList(scopes: ConsentView['scopes'], { consent }: Texts): Html {
  const items = scopes.map(
    ({ description, isNew }) =>
      html`<li>
        ${description}${isNew === true && html` <span class="new">${consent.isNew}</span>`}
      </li>`,
  )
  // Safari takes the list role from lists without bullets.
  return html`<h2 id="scopes">${consent.scopes}</h2>
    <ul class="scopes" role="list" aria-labelledby="scopes">
      ${items.length > 0 ? items : html`<li>${consent.noScopes}</li>`}
    </ul>`
}

// Deny stands first, so that the key that submits a form by default cannot approve.
function decisionForm({ action, ticket, csrf }: ConsentView['form'], { consent }: Texts): Html {
  return html`<form method="post" action="${action}" autocomplete="off">
    <input type="hidden" name="ticket" value="${ticket}" />
    <input type="hidden" name="csrf" value="${csrf}" />
    <p class="advice">${consent.advice}</p>
    <div class="decide">
      <button name="decision" value="deny">${consent.deny}</button>
      <button class="primary" name="decision" value="approve">${consent.approve}</button>
    </div>
  </form>`
}

function details(view: ConsentView, { consent }: Texts): Html {
  const rows = [
    ['client_id', view.client.client_id],
    ['client_uri', view.client.client_uri],
    ['redirect_uri', view.redirect_uri],
    ['resource', view.resource],
    ['scope', view.scopes.map(({ scope }) => scope).join(' ')],
  ] as const
  return html`<details>
    <summary>${consent.details}</summary>
    <dl>
      ${rows.map(
        ([term, value]) =>
          value !== undefined &&
          value !== '' &&
          html`<dt><code>${term}</code></dt>
            <dd>
              <code><bdi>${visible(value)}</bdi></code>
            </dd>`,
      )}
    </dl>
  </details>`
}

/** URLs and scopes are ASCII; whatever else came in is shown as what it is. */
function visible(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

/**
 * What is proven of a client, and what a person must know where nothing is.
 */
import { html, type Html } from '../../http/html.ts'
import type { ConsentView } from './consent_view.ts'
import { hostOf, nameOf, type Receiver } from './display.ts'
import type { Texts } from './texts.ts'

/** Where the client comes from. A name that anyone could have chosen is called unverified. */
export function provenance({ client, serverName }: ConsentView, { consent }: Texts): Html {
  switch (client.source) {
    case 'static':
      return html`<p class="badge good">${consent.registered(nameOf(serverName, ''))}</p>`
    case 'metadata_document':
      // CIMD §6: the domain is all that a fetched document proves.
      return html`<p class="badge good">${consent.verified(hostOf(client.client_id) ?? '')}</p>`
    case 'dynamic':
      return html`<p class="badge doubt">${consent.unverified}</p>`
  }
}

/** The warning that the redirect URI calls for, if any. */
export function warning(
  view: ConsentView,
  receiver: Receiver,
  { consent }: Texts,
): Html | undefined {
  // MCP, Security Best Practices: Localhost Redirect URI Risks; RFC 8252 §8.6.
  if (receiver.kind === 'loopback') return note(consent.loopbackTitle, html`${consent.loopback}`)
  if (receiver.kind === 'private_use') {
    return note(consent.privateUseTitle, consent.privateUse(receiver.place))
  }
  // CIMD §6.1: a document at one host may name a redirect to another.
  if (view.client.source !== 'metadata_document') return undefined
  const clientHost = hostOf(view.client.client_id)
  const receiverHost = hostOf(view.redirect_uri)
  if (clientHost === receiverHost) return undefined
  return note(consent.otherHostTitle, consent.otherHost(clientHost ?? '', receiverHost ?? ''))
}

function note(title: string, body: Html): Html {
  return html`<p class="note" role="note"><strong>${title}</strong> ${body}</p>`
}

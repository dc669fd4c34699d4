/**
 * What all pages of the sign-in share: the server's name above one card.
 */
import { html, type Html } from '../../http/html.ts'
import { cleanName } from './display.ts'

/** The landmarks of a page around what stands in its card. */
export function layout(serverName: string, card: Html): Html {
  return html`<header><bdi>${cleanName(serverName)}</bdi></header>
    <main>${card}</main>`
}

/**
 * How names and places are shown to the person who decides: nothing hidden, nothing disguised.
 */
import { html, type Html } from '../../http/html.ts'
import { judgeRedirectUri } from '../../protocol/redirect_uri.ts'

const MAX_NAME = 80
// Unicode: controls, formats (bidi among them), private use, unassigned; what renders as nothing though it
// is a letter or a mark (UTS 39 §3.1.1); the empty Braille cell; marks piled up beyond what any script needs.
const UNSEEN = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu
// Words of visible ASCII with one space between them, which all that follows would leave as they are.
const PLAIN = /^[!-~]+(?: [!-~]+)*$/
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu

/** `name` on one line, without characters that hide or reorder, at most 80 characters; may be empty. */
export function cleanName(name: string): string {
  if (name.length <= MAX_NAME && PLAIN.test(name)) return name
  const spaced = name.slice(0, 4 * MAX_NAME).replace(/[\s\p{Z}]+/gu, ' ')
  const seen = spaced.normalize('NFC').replace(UNSEEN, '').replace(PILED_MARKS, '$1')
  const characters = [...seen.replace(/ +/g, ' ').trim()]
  return characters.length > MAX_NAME
    ? `${characters.slice(0, MAX_NAME - 1).join('')}…`
    : characters.join('')
}

/** A name that somebody else chose, kept from reordering what stands around it (UAX 9 §2.7). */
export function nameOf(name: string, otherwise: string): Html {
  const clean = cleanName(name)
  return html`<bdi>${clean === '' ? otherwise : clean}</bdi>`
}

/** Who receives the code at a redirect URI. */
export interface Receiver {
  readonly kind: 'https' | 'loopback' | 'private_use'
  /** Host in ASCII with its port, in full; for a private-use scheme the scheme with its colon. */
  readonly place: string
}

/** The receiver at `redirect_uri`, which has been registered and so judged before. */
export function receiverOf(redirect_uri: string): Receiver {
  const judged = judgeRedirectUri(redirect_uri)
  if ('fault' in judged) throw new TypeError(`redirect_uri ${judged.fault}`)
  const url = new URL(redirect_uri)
  // UTS 46: URL gives punycode, so no foreign letter passes for a Latin one.
  return { kind: judged.kind, place: judged.kind === 'private_use' ? url.protocol : url.host }
}

/** The host of a URL in ASCII, without port; undefined for anything without one. */
export function hostOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { hostname } = new URL(url)
  return hostname === '' ? undefined : hostname
}

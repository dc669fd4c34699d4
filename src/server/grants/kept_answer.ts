/**
 * The answer to a refresh as the grant keeps it, for a client that never got it.
 *
 * It is sealed under the refresh token that was presented and is stored nowhere: who cannot present that
 * token again cannot open it. Kept is what the answer was made from, a fifth of its length.
 */
import type { Keyring } from '../../crypto/keyring.ts'
import { openUnder, sealUnder, type Place, type Sealed } from '../../crypto/seal.ts'
import { formatScope, parseScope } from '../../protocol/scope.ts'
import type { Draw } from './token_response.ts'

/** What an answer was made from. */
export interface KeptAnswer {
  /** The keyring with the key in front that made the tokens. */
  readonly keys: Keyring
  /** The secret of the new refresh token. */
  readonly secret: string
  readonly draw: Draw
}

type Packed = readonly [
  kid: string,
  secret: string,
  jti: string,
  issuedAt: number,
  exp: number,
  scope: string,
]

/** Seals an answer of a grant under the refresh token that it answers. */
export function sealAnswer(
  token: string,
  grantId: string,
  { keys, secret, draw }: KeptAnswer,
): Sealed {
  const { jti, issuedAt, exp, scope } = draw
  const packed: Packed = [keys.newest.kid, secret, jti, issuedAt, exp, formatScope(scope)]
  return sealUnder(token, JSON.stringify(packed), placeOf(grantId))
}

/** The answer again; undefined when it is damaged, or the key that made it has been retired. */
export function openAnswer(
  keys: Keyring,
  token: string,
  grantId: string,
  sealed: Sealed,
): KeptAnswer | undefined {
  const text = openUnder(token, sealed, placeOf(grantId))
  if (text === undefined) return undefined
  const [kid, secret, jti, issuedAt, exp, scope] = JSON.parse(text) as Packed
  const newest = keys.find(kid)
  if (newest === undefined) return undefined
  const draw = { jti, issuedAt, exp, scope: parseScope(scope) }
  return { keys: { ...keys, newest }, secret, draw }
}

function placeOf(grantId: string): Place {
  return `grant/${grantId}/answer`
}

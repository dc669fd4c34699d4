/**
 * The answer to a refresh as the grant keeps it, for a client that never got it.
 *
 * Kept is what the answer was made from. None of it is secret: the tokens are made of it under the key that
 * made them before, and who has the key needs nothing of what is kept.
 */
import type { Keyring } from '../../crypto/keyring.ts'
import type { KeptAnswer } from '../../stores/records.ts'
import type { Draw } from './token_response.ts'

/** What the grant keeps, beside the `jti`, of an answer that the newest of `keys` made. */
export function keepAnswer(keys: Keyring, { issuedAt, exp, scope }: Draw): KeptAnswer {
  return { kid: keys.newest.kid, issuedAt, exp, scope }
}

/**
 * What makes the answer with that `jti` again: its draw, and the keyring with its key in front. Undefined
 * when that has been retired.
 */
export function recallAnswer(
  keys: Keyring,
  { kid, ...kept }: KeptAnswer,
  jti: string,
): { readonly keys: Keyring; readonly draw: Draw } | undefined {
  const newest = keys.find(kid)
  return newest === undefined ? undefined : { keys: { ...keys, newest }, draw: { jti, ...kept } }
}

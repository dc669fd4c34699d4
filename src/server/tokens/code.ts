/**
 * Authorization codes: RFC 6749 §4.1.2. A grant's id under a MAC.
 *
 * The MAC is the secret in it: 256 bits that nobody can make without the key (RFC 6749 §10.10). A grant has
 * one code only, so nothing of it need be kept.
 */
import type { Keyring } from '../../crypto/keyring.ts'
import { makeToken, readToken } from '../../crypto/token.ts'

/** The code of a grant: equal arguments make equal codes. */
export function makeCode(keys: Keyring, grantId: string): string {
  return makeToken(keys, 'code', [grantId])
}

/** Whose code it is, when it is authentic; undefined for anything else. */
export function readCode(keys: Keyring, code: string): string | undefined {
  const [grantId] = readToken(keys, 'code', code) ?? []
  return typeof grantId === 'string' ? grantId : undefined
}

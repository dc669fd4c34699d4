/**
 * Authorization codes: RFC 6749 §4.1.2. A grant's id and a secret under a MAC; the grant keeps a hash.
 */
import { sha256, type Hash } from '../../crypto/hash.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import { randomSecret } from '../../crypto/random.ts'
import { makeToken, readToken } from '../../crypto/token.ts'

/** A code that was presented and is authentic. */
export interface Code {
  readonly grantId: string
  readonly hash: Hash
}

/** A new code and the hash to store. */
export function makeCode(keys: Keyring, grantId: string): { code: string; hash: Hash } {
  const code = makeToken(keys, 'code', [grantId, randomSecret(32)])
  return { code, hash: sha256(code) }
}

/** What an authentic code says; undefined for anything else. */
export function readCode(keys: Keyring, code: string): Code | undefined {
  const [grantId] = readToken(keys, 'code', code) ?? []
  return typeof grantId === 'string' ? { grantId, hash: sha256(code) } : undefined
}

/**
 * What an id_token must still prove when signature, iss, aud, exp, nbf and nonce are right:
 * OpenID Connect Core §3.1.3.7.
 */
import { equal } from '../crypto/hash.ts'
import { isJsonObject, type JsonObject } from './send.ts'

/** What the claims are held against. */
export interface IdTokenContext {
  readonly client_id: string
  readonly access_token: string
  readonly now: number
}

/** Seconds that two clocks may differ. */
export const TOLERANCE = 30

// OpenID Connect Core §2: MUST NOT exceed 255 ASCII characters.
const SUB = /^[\x20-\x7E]{1,255}$/

/** The fault of the claims; undefined when there is none. `id_token` has been verified before. */
export async function judgeIdToken(
  id_token: string,
  claims: JsonObject,
  { client_id, access_token, now }: IdTokenContext,
): Promise<string | undefined> {
  const { sub, azp, iat, at_hash } = claims
  if (typeof sub !== 'string' || !SUB.test(sub)) return 'sub is no stable id'
  // §3.1.3.7 rule 5: an azp SHOULD be checked where it stands, and is, also beside a single audience.
  if (azp !== undefined && azp !== client_id) return 'azp names another client'
  // §3.1.3.7 rule 10 leaves iat to the client. What was issued in the future was made up, or a clock is wrong.
  if (typeof iat !== 'number' || iat > now + TOLERANCE) return 'iat is in the future'
  // §3.1.3.6 and §3.1.3.8: the access token is the one that the id_token was issued with.
  if (at_hash !== undefined && !(await matchesHash(at_hash, access_token, algorithmOf(id_token)))) {
    return 'at_hash is of another access token'
  }
  return undefined
}

/** A part of a compact JWS as JSON, not verified; undefined when it is none. */
export function peek(id_token: string, part: 'header' | 'payload'): JsonObject | undefined {
  try {
    const text = id_token.split('.')[part === 'header' ? 0 : 1] ?? ''
    const json: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return isJsonObject(json) ? json : undefined
  } catch {
    return undefined
  }
}

function algorithmOf(id_token: string): unknown {
  return peek(id_token, 'header')?.['alg']
}

async function matchesHash(at_hash: unknown, token: string, alg: unknown): Promise<boolean> {
  if (typeof at_hash !== 'string') return false
  const bits = hashBits(alg)
  const digest = await crypto.subtle.digest(`SHA-${bits}`, new TextEncoder().encode(token))
  return equal(at_hash, Buffer.from(digest, 0, bits / 16).toString('base64url'))
}

/** §3.1.3.6: the hash that the alg of the signature uses; Ed25519 signs with SHA-512 inside. */
function hashBits(alg: unknown): 256 | 384 | 512 {
  const text = String(alg)
  if (text.endsWith('384')) return 384
  return text.endsWith('512') || text.startsWith('Ed') ? 512 : 256
}

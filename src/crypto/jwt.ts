/**
 * JSON Web Tokens: the one door to jose, of which each part is named by its own path. All of it at once is
 * three times as many files to load when a server starts, for encryption and key sets that nobody uses.
 *
 * This server signs with ES256. The signing key of each key of the ring is derived from it, so that
 * every instance with the same ring publishes and uses the same keys, and none is stored. What others
 * signed is verified with algorithms that the key decides, never the token.
 */
import { createECDH, createHmac, createPrivateKey, type KeyObject } from 'node:crypto'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { JOSEError } from 'jose/errors'
import { compactVerify } from 'jose/jws/compact/verify'
import { decodeJwt } from 'jose/jwt/decode'
import { SignJWT } from 'jose/jwt/sign'
import { keyObject } from './key_object.ts'
import type { Key, Keyring } from './keyring.ts'

/** Members of a JWT's header or body. */
export type JwtMembers = Readonly<{ [name: string]: unknown }>

/** A public key as a JWK: RFC 7517 §4. */
export interface VerificationKey {
  readonly kty: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
}

interface SigningKey {
  readonly privateKey: KeyObject
  readonly publicKey: VerificationKey
}

/** Every algorithm that a signature may have here: RFC 8725 §3.1. */
export const SIGNING_ALGORITHMS: readonly string[] = ['ES256', 'RS256', 'PS256', 'EdDSA']

// 2048 to 4096 bits in base64url, and an exponent of four bytes at most: a larger key only costs time.
const MIN_MODULUS = 342
const MAX_MODULUS = 683
const MAX_EXPONENT = 6
// A token without a key id is tried with so many keys at most.
const MAX_CANDIDATES = 4

const signingKeys = new WeakMap<Key, SigningKey>()

/** A JWT over `claims` as they stand, signed with the newest key. `typ` keeps its kinds apart: RFC 8725 §3.11. */
export function signJwt(keys: Keyring, typ: string, claims: JwtMembers): Promise<string> {
  const { kid } = keys.newest
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', typ, kid })
    .sign(signingKeyOf(keys.newest).privateKey)
}

/** The public half of every key in the ring: what a JWKS endpoint publishes. RFC 7517 §5. */
export function publicJwks({ all }: Keyring): { readonly keys: readonly VerificationKey[] } {
  return { keys: all.map((key) => signingKeyOf(key).publicKey) }
}

/** What a JWT says, nothing of it verified; undefined when it is none. */
export function peekJwt(
  jwt: string,
): { readonly header: JwtMembers; readonly claims: JwtMembers } | undefined {
  try {
    return { header: { ...decodeProtectedHeader(jwt) }, claims: decodeJwt(jwt) }
  } catch {
    return undefined
  }
}

/**
 * The claims of a JWT that one of `keys` signed; undefined otherwise. Only the signature is judged:
 * the caller judges the claims. Keys named inside the token (`jwk`, `jku`, `x5c`) are never looked at.
 */
export async function verifyJwt(
  jwt: string,
  keys: readonly VerificationKey[],
): Promise<JwtMembers | undefined> {
  const header = peekJwt(jwt)?.header
  if (header === undefined) return undefined
  const { alg, kid } = header
  const candidates = keys
    .filter((key) => algorithmsOf(key).some((one) => one === alg))
    .filter((key) => kid === undefined || key.kid === kid)
    .slice(0, MAX_CANDIDATES)
  for (const key of candidates) {
    const claims = await verifyWith(jwt, key)
    if (claims !== undefined) return claims
  }
  return undefined
}

async function verifyWith(jwt: string, key: VerificationKey): Promise<JwtMembers | undefined> {
  try {
    await compactVerify(jwt, key, { algorithms: [...algorithmsOf(key)] })
    return peekJwt(jwt)?.claims
  } catch (error) {
    // A key that does not import is as good as none: whoever published it could not sign with it.
    const isKeyFault = error instanceof TypeError || error instanceof DOMException
    if (isKeyFault || error instanceof JOSEError) return undefined
    throw error
  }
}

/** The algorithms that `key` may verify: fixed by its type, or the one it names. RFC 8725 §3.1. */
function algorithmsOf(key: VerificationKey): readonly string[] {
  if (key.use !== undefined && key.use !== 'sig') return []
  const possible = algorithmsOfType(key)
  return key.alg === undefined ? possible : possible.filter((alg) => alg === key.alg)
}

function algorithmsOfType({ kty, crv, n = '', e = '' }: VerificationKey): readonly string[] {
  if (kty === 'EC' && crv === 'P-256') return ['ES256']
  if (kty === 'OKP' && crv === 'Ed25519') return ['EdDSA', 'Ed25519']
  if (kty !== 'RSA' || e.length > MAX_EXPONENT) return []
  return n.length >= MIN_MODULUS && n.length <= MAX_MODULUS ? ['RS256', 'PS256'] : []
}

function signingKeyOf(key: Key): SigningKey {
  const known = signingKeys.get(key)
  if (known !== undefined) return known
  const made = createSigningKey(key)
  signingKeys.set(key, made)
  return made
}

function createSigningKey(key: Key): SigningKey {
  const ecdh = createECDH('prime256v1')
  const secret = scalarOf(key, ecdh)
  const point = ecdh.getPublicKey()
  const x = point.subarray(1, 33).toString('base64url')
  const y = point.subarray(33).toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', x, y }
  return {
    privateKey: createPrivateKey({
      key: { ...jwk, d: secret.toString('base64url') },
      format: 'jwk',
    }),
    publicKey: { ...jwk, kid: key.kid, alg: 'ES256', use: 'sig' },
  }
}

/** FIPS 186-5 appendix A.2.2: candidates until one is a scalar of P-256, which all but one in 2^32 are. */
function scalarOf(key: Key, ecdh: ReturnType<typeof createECDH>): Buffer {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const candidate = createHmac('sha256', keyObject(key, 'jwt'))
      .update(`ES256 ${attempt}`)
      .digest()
    try {
      ecdh.setPrivateKey(candidate)
      return candidate
    } catch {
      // Zero, or not below the order of the curve: the next one.
    }
  }
  throw new RangeError('no signing key could be derived')
}

/**
 * The public keys of a client: RFC 7517, RFC 7591 §2 `jwks`.
 *
 * Only public members are kept. A set that holds a private or symmetric key is refused as a whole:
 * whoever publishes one of those has no secret left to authenticate with.
 */
import * as v from 'valibot'
import type { VerificationKey } from '../crypto/jwt.ts'

/** A set of public keys, public members only. */
export interface PublicJwks {
  readonly keys: readonly VerificationKey[]
}

const MAX_KEYS = 50
// RFC 7518 §6.2.2, §6.3.2 and §6.4: what is private in each type of key.
const SECRET = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const
const PUBLIC = ['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e'] as const

const KEY = v.looseObject({
  kty: v.pipe(v.string(), v.maxLength(20)),
  kid: v.optional(v.pipe(v.string(), v.maxLength(300))),
  alg: v.optional(v.pipe(v.string(), v.maxLength(20))),
  use: v.optional(v.pipe(v.string(), v.maxLength(20))),
  crv: v.optional(v.pipe(v.string(), v.maxLength(20))),
  x: v.optional(v.pipe(v.string(), v.maxLength(200))),
  y: v.optional(v.pipe(v.string(), v.maxLength(200))),
  n: v.optional(v.pipe(v.string(), v.maxLength(3000))),
  e: v.optional(v.pipe(v.string(), v.maxLength(100))),
})
const KEYS = v.object({ keys: v.array(KEY) })

/** The public keys in `value`, or the fault that forbids them, as a sentence about "jwks". */
export function judgeJwks(value: unknown): PublicJwks | { readonly fault: string } {
  const parsed = v.safeParse(KEYS, value)
  if (!parsed.success) return { fault: 'is not a JWK Set (RFC 7517)' }
  const { keys } = parsed.output
  // RFC 7517 §5 sets no bound; without one, whoever publishes thousands of keys buys thousands of comparisons.
  if (keys.length > MAX_KEYS) return { fault: `has more than ${MAX_KEYS} keys` }
  if (keys.some((key) => key.kty === 'oct' || SECRET.some((name) => Object.hasOwn(key, name)))) {
    return { fault: 'has a private or symmetric key; only public keys are allowed' }
  }
  return { keys: keys.map(publicPart) }
}

function publicPart(key: v.InferOutput<typeof KEY>): VerificationKey {
  const members = PUBLIC.flatMap((name) => (key[name] === undefined ? [] : [[name, key[name]]]))
  return Object.fromEntries(members) as VerificationKey
}

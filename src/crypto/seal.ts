/**
 * Sealed values: what must be read again, and must not be readable in a stolen store.
 *
 * AES-256-GCM with a fresh nonce. The place a value belongs to (kind, id, field) is authenticated with
 * it, so that a value copied to another row or field does not open.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { keyObject } from './key_object.ts'
import type { Keyring } from './keyring.ts'
import { randomBytes } from './random.ts'

/** A sealed value: `s1.<kid>.<nonce, ciphertext and tag in base64url>`. */
export type Sealed = string & { readonly __brand: 'Sealed' }

/** Where a sealed value lives, e.g. `connection/<id>/refresh_token`. It opens nowhere else. */
export type Place = `${string}/${string}/${string}`

/** Seals `plaintext` for `place` with the newest key. */
export function seal(keys: Keyring, plaintext: string, place: Place): Sealed {
  return encrypt(keyObject(keys.newest, 'seal'), keys.newest.kid, plaintext, place)
}

/** The plaintext of a value sealed for `place`; undefined when it is damaged, moved, or its key is gone. */
export function open(keys: Keyring, sealed: Sealed, place: Place): string | undefined {
  const parts = readParts(sealed)
  const key = parts === undefined ? undefined : keys.find(parts.kid)
  if (parts === undefined || key === undefined) return undefined
  return decrypt(keyObject(key, 'seal'), parts.bytes, place)
}

/** The short name of the key that sealed a value; undefined when it is no sealed value. Nothing is verified. */
export function sealedBy(sealed: Sealed): string | undefined {
  return readParts(sealed)?.kid
}

function encrypt(key: KeyObject, kid: string, plaintext: string, place: Place): Sealed {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
  // An update with nothing ends in `Authentication failed` in workerd of April 2026.
  const text = plaintext === '' ? Buffer.alloc(0) : cipher.update(plaintext, 'utf8')
  const bytes = Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()])
  return `s1.${kid}.${bytes.toString('base64url')}` as Sealed
}

/** The parts of a sealed value in its one spelling: the decoder alone would skip what is no base64url. */
function readParts(sealed: string): { readonly kid: string; readonly bytes: Buffer } | undefined {
  const [version, kid, text, ...more] = sealed.split('.')
  if (version !== 's1' || kid === undefined || text === undefined || more.length > 0)
    return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length < 28 || bytes.toString('base64url') !== text ? undefined : { kid, bytes }
}

function decrypt(key: KeyObject, bytes: Buffer, place: Place): string | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), {
    authTagLength: 16,
  })
  decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-16))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString(
      'utf8',
    )
  } catch {
    return undefined
  }
}

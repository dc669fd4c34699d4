/**
 * Keys wrapped by a key management service, so that the configuration alone opens nothing.
 *
 * `mokw_` and, in base64url, a version byte, the six characters of the key's short name, and whatever the
 * service made of its 32 bytes. The name tells a service that gave back another key from one that did.
 */
import { judgeKeys, kidOf } from './keyring.ts'

/** The two calls to a key management service; what the bytes are is its own matter. */
export interface KeyWrapper {
  wrap(bytes: Uint8Array): Promise<Uint8Array>
}

export interface KeyUnwrapper {
  /** Throws what `wrap` did not make. */
  unwrap(bytes: Uint8Array): Promise<Uint8Array>
}

const VERSION = 1
const WRAPPED = /^mokw_([A-Za-z0-9_-]{12,12000})$/
const HEAD = 7

/**
 * A key from `generateKey`, wrapped.
 * @throws RangeError when it is no key
 */
export async function wrapKey(key: string, kms: KeyWrapper): Promise<string> {
  const faults = judgeKeys([key])
  if (faults.length > 0) throw new RangeError(faults.join('; '))
  const wrapped = await kms.wrap(Buffer.from(key.slice(4), 'base64url'))
  const head = Buffer.concat([Buffer.from([VERSION]), Buffer.from(kidOf(key))])
  return `mokw_${Buffer.concat([head, wrapped]).toString('base64url')}`
}

/**
 * The keys for the option `keys`, in their order. One that is not wrapped passes as it is, so that a
 * server can change over.
 * @throws RangeError naming the place of what is no key, Error when the service refuses, with its `cause`
 */
export function unwrapKeys(wrapped: readonly string[], kms: KeyUnwrapper): Promise<string[]> {
  return Promise.all(wrapped.map((text, index) => unwrapKey(text, `key ${index + 1}`, kms)))
}

async function unwrapKey(text: string, name: string, kms: KeyUnwrapper): Promise<string> {
  if (text.startsWith('mok_')) return text
  const [, body = ''] = WRAPPED.exec(text) ?? []
  const bytes = Buffer.from(body, 'base64url')
  if (bytes.length <= HEAD || bytes[0] !== VERSION || bytes.toString('base64url') !== body) {
    throw new RangeError(`${name} is no wrapped key; make one with wrapKey`)
  }
  const key = `mok_${Buffer.from(await unwrap(kms, bytes.subarray(HEAD), name)).toString('base64url')}`
  if (judgeKeys([key]).length > 0 || kidOf(key) !== bytes.subarray(1, HEAD).toString()) {
    throw new RangeError(`${name} was unwrapped to another key than was wrapped`)
  }
  return key
}

async function unwrap(kms: KeyUnwrapper, bytes: Uint8Array, name: string): Promise<Uint8Array> {
  try {
    return await kms.unwrap(bytes)
  } catch (cause) {
    throw new Error(`${name} could not be unwrapped`, { cause })
  }
}

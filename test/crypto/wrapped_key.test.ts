import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { generateKey, judgeKeys } from '../../src/crypto/keyring.ts'
import { unwrapKeys, wrapKey, type KeyUnwrapper, type KeyWrapper } from '../../src/index.ts'

const IV = Buffer.alloc(8, 0xa6)

/** A key management service of one key: AES Key Wrap, RFC 3394 §2.2. */
function createKms(): KeyWrapper & KeyUnwrapper {
  const key = randomBytes(32)
  return {
    wrap: async (bytes) => {
      const cipher = createCipheriv('id-aes256-wrap', key, IV)
      return Buffer.concat([cipher.update(bytes), cipher.final()])
    },
    unwrap: async (bytes) => {
      const decipher = createDecipheriv('id-aes256-wrap', key, IV)
      return Buffer.concat([decipher.update(bytes), decipher.final()])
    },
  }
}

describe('keys wrapped by a key management service', () => {
  it('come back in their order, beside keys that are not wrapped', async () => {
    const kms = createKms()
    const keys = [generateKey(), generateKey(), generateKey()]
    const [one = '', two = '', three = ''] = keys
    const wrapped = [await wrapKey(one, kms), two, await wrapKey(three, kms)]
    expect(wrapped[0]).toMatch(/^mokw_[\w-]+$/)
    expect(Buffer.from(wrapped[0]!.slice(5), 'base64url').toString('hex')).not.toContain(
      Buffer.from(one.slice(4), 'base64url').toString('hex'),
    )
    expect(await unwrapKeys(wrapped, kms)).toEqual(keys)
  })

  it('ST-06 a wrapped key is none by itself, and no key is not wrapped', async () => {
    const wrapped = await wrapKey(generateKey(), createKms())
    expect(judgeKeys([wrapped])).toHaveLength(1)
    await expect(wrapKey('mok_short', createKms())).rejects.toThrow(RangeError)
  })

  it('ST-06 another service, a flipped bit, a cut and another spelling are refused with their place', async () => {
    const kms = createKms()
    const key = generateKey()
    const good = await wrapKey(key, kms)
    await expect(unwrapKeys([good], createKms())).rejects.toThrow('key 1 could not be unwrapped')
    const bytes = Buffer.from(good.slice(5), 'base64url')
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      const text = `mokw_${flipped.toString('base64url')}`
      await expect(unwrapKeys([key, text], kms), `byte ${at}`).rejects.toThrow(/^key 2 /)
    }
    for (const text of ['', 'mokw_', good.slice(0, 15), `${good}=`, `${good} `, good.slice(5)]) {
      await expect(unwrapKeys([text], kms), text).rejects.toThrow(/^key 1 is no wrapped key/)
    }
    for (const text of [good.slice(0, -4)]) {
      await expect(unwrapKeys([text], kms), text).rejects.toThrow(/^key 1 /)
    }
  })

  it('a service that gives another key, or too little, is found out', async () => {
    const kms = createKms()
    const good = await wrapKey(generateKey(), kms)
    for (const bytes of [randomBytes(32), randomBytes(16), Buffer.alloc(0), Buffer.alloc(32)]) {
      await expect(unwrapKeys([good], { unwrap: async () => bytes })).rejects.toThrow(
        'key 1 was unwrapped to another key',
      )
    }
  })
})

import { createHmac, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { peekJwt, publicJwks, signJwt, verifyJwt } from '../../src/crypto/jwt.ts'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'

const CLAIMS = { iss: 'https://mcp.example.com', sub: 'a', exp: 1_800_000_000 }

async function pair(alg: string, modulusLength = 2048) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true, modulusLength })
  const jwk = await exportJWK(publicKey)
  return { privateKey, jwk: { ...jwk, kty: jwk.kty ?? '', kid: 'k' } }
}

function token(alg: string, key: CryptoKey | Uint8Array, header: object = {}): Promise<string> {
  return new SignJWT(CLAIMS).setProtectedHeader({ alg, kid: 'k', ...header }).sign(key)
}

describe('signing', () => {
  it('RFC 7515 §3 signs with ES256, names type and key, and says the claims as they stand', async () => {
    const keys = createKeyring([generateKey()])
    const jwt = await signJwt(keys, 'identity+jwt', CLAIMS)
    expect(peekJwt(jwt)).toEqual({
      header: { alg: 'ES256', typ: 'identity+jwt', kid: keys.newest.kid },
      claims: CLAIMS,
    })
    expect(await verifyJwt(jwt, publicJwks(keys).keys)).toEqual(CLAIMS)
  })

  it('RFC 7518 §3.4 makes a signature that node:crypto verifies by itself', async () => {
    const keys = createKeyring([generateKey()])
    const [header, body, signature = ''] = (await signJwt(keys, 'x', CLAIMS)).split('.')
    const key = createPublicKey({ key: { ...publicJwks(keys).keys[0] }, format: 'jwk' })
    const options = { key, dsaEncoding: 'ieee-p1363' } as const
    const signed = Buffer.from(`${header}.${body}`)
    expect(verify('sha256', signed, options, Buffer.from(signature, 'base64url'))).toBe(true)
  })

  it('gives every instance with the same ring the same keys, and each key its own', () => {
    const [old, next] = [generateKey(), generateKey()]
    const one = publicJwks(createKeyring([next, old]))
    expect(publicJwks(createKeyring([next, old]))).toEqual(one)
    expect(publicJwks(createKeyring([old])).keys[0]).toEqual(one.keys[1])
    expect(new Set(one.keys.map(({ x }) => x)).size).toBe(2)
  })

  it('still verifies what an older key of the ring signed, and nothing of a key that is gone', async () => {
    const [old, next] = [generateKey(), generateKey()]
    const jwt = await signJwt(createKeyring([old]), 'x', CLAIMS)
    expect(await verifyJwt(jwt, publicJwks(createKeyring([next, old])).keys)).toEqual(CLAIMS)
    expect(await verifyJwt(jwt, publicJwks(createKeyring([next])).keys)).toBeUndefined()
  })

  it('MD-12 publishes no private and no symmetric member', () => {
    const { keys } = publicJwks(createKeyring([generateKey(), generateKey()]))
    expect(keys).toHaveLength(2)
    for (const key of keys) {
      expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
      expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
    }
  })
})

describe('verifying', () => {
  it.each(['ES256', 'RS256', 'PS256', 'EdDSA'])('RFC 8725 §3.1 verifies %s', async (alg) => {
    const { privateKey, jwk } = await pair(alg)
    const jwt = await token(alg, privateKey)
    expect(await verifyJwt(jwt, [jwk])).toEqual(CLAIMS)
    const [header, , signature] = jwt.split('.')
    const forged = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'b' })).toString('base64url')
    expect(await verifyJwt(`${header}.${forged}.${signature}`, [jwk])).toBeUndefined()
  })

  it.each(['ES384', 'RS384', 'RS512', 'PS512'])('RFC 8725 §3.1 refuses %s', async (alg) => {
    const { privateKey, jwk } = await pair(alg)
    expect(await verifyJwt(await token(alg, privateKey), [jwk])).toBeUndefined()
  })

  it('TK-27 refuses alg none and HS256 with the public key as the secret', async () => {
    const { jwk } = await pair('RS256')
    const none = new UnsecuredJWT(CLAIMS).encode()
    expect(await verifyJwt(none, [jwk])).toBeUndefined()
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    for (const secret of [pem, JSON.stringify(jwk), jwk.n ?? '']) {
      const head = Buffer.from('{"alg":"HS256","kid":"k"}').toString('base64url')
      const text = `${head}.${Buffer.from(JSON.stringify(CLAIMS)).toString('base64url')}`
      const mac = createHmac('sha256', secret).update(text).digest('base64url')
      expect(await verifyJwt(`${text}.${mac}`, [jwk])).toBeUndefined()
    }
  })

  it('TK-27 never looks at a key inside the token', async () => {
    const { jwk } = await pair('ES256')
    const mallory = await pair('ES256')
    const header = {
      jwk: mallory.jwk,
      jku: 'https://evil.example/jwks',
      x5u: 'https://evil.example',
    }
    expect(await verifyJwt(await token('ES256', mallory.privateKey, header), [jwk])).toBeUndefined()
  })

  it('TK-27 refuses an unknown critical header, and a key id of another key', async () => {
    const { privateKey, jwk } = await pair('ES256')
    const parts = [{ alg: 'ES256', kid: 'k', crit: ['x'], x: 1 }, CLAIMS].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    )
    const key = { key: await exportPem(privateKey), dsaEncoding: 'ieee-p1363' as const }
    const signature = sign('sha256', Buffer.from(parts.join('.')), key).toString('base64url')
    expect(await verifyJwt([...parts, signature].join('.'), [jwk])).toBeUndefined()
    const other = await token('ES256', privateKey, { kid: 'other' })
    expect(await verifyJwt(other, [jwk])).toBeUndefined()
  })

  it('RFC 7517 §4.2 §4.4 a key is used for what it says, and no key for another algorithm', async () => {
    const { privateKey, jwk } = await pair('RS256')
    const jwt = await token('RS256', privateKey)
    expect(await verifyJwt(jwt, [{ ...jwk, use: 'enc' }])).toBeUndefined()
    expect(await verifyJwt(jwt, [{ ...jwk, alg: 'PS256' }])).toBeUndefined()
    expect(await verifyJwt(jwt, [{ ...jwk, alg: 'RS256', use: 'sig' }])).toEqual(CLAIMS)
  })

  it('DS-11 refuses RSA keys that are too small or too large to take', async () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const n = small.publicKey.export({ format: 'jwk' }).n ?? ''
    const head = Buffer.from('{"alg":"RS256"}').toString('base64url')
    const text = `${head}.${Buffer.from(JSON.stringify(CLAIMS)).toString('base64url')}`
    const signature = sign('sha256', Buffer.from(text), small.privateKey).toString('base64url')
    const jwt = `${text}.${signature}`
    expect(await verifyJwt(jwt, [{ kty: 'RSA', n, e: 'AQAB' }])).toBeUndefined()
    const large = generateKeyPairSync('rsa', { modulusLength: 4608 })
    const slow = sign('sha256', Buffer.from(text), large.privateKey).toString('base64url')
    const key = { ...large.publicKey.export({ format: 'jwk' }), kty: 'RSA' }
    expect(await verifyJwt(`${text}.${slow}`, [key])).toBeUndefined()
  })

  it('DS-11 tries a token without a key id with four keys at most', async () => {
    const { privateKey, jwk } = await pair('ES256')
    const others = await Promise.all(Array.from({ length: 4 }, () => pair('ES256')))
    const jwt = await token('ES256', privateKey, { kid: undefined })
    const keys = others.map((other) => other.jwk)
    expect(await verifyJwt(jwt, [...keys.slice(1), jwk])).toEqual(CLAIMS)
    expect(await verifyJwt(jwt, [...keys, jwk])).toBeUndefined()
  })

  it('DS-15 answers nothing to what is no JWT, and to keys that are none', async () => {
    const { privateKey, jwk } = await pair('ES256')
    const texts = ['', '.', '..', 'a.b.c', 'a.b', 'e30.e30.e30', 'bnVsbA.bnVsbA.', 'é.é.é', '\0']
    for (const text of [...texts, 'x'.repeat(100_000)]) {
      expect(await verifyJwt(text, [jwk])).toBeUndefined()
    }
    expect(peekJwt('a.b.c')).toBeUndefined()
    const jwt = await token('ES256', privateKey)
    const broken = [{ x: '' }, { y: '!' }, { x: 'AAAA', y: 'AAAA' }, { x: jwk.y }]
    for (const members of broken) {
      const key = { ...jwk, ...members } as typeof jwk
      expect(await verifyJwt(jwt, [key])).toBeUndefined()
      expect(await verifyJwt(jwt, [key, jwk])).toEqual(CLAIMS)
    }
    expect(await verifyJwt(jwt, [{ kty: 'EC', crv: 'P-256', kid: 'k' }])).toBeUndefined()
  })
})

async function exportPem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----`
}

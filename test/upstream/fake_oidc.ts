/**
 * A fake OpenID provider whose every word a test can twist: metadata, keys, id_token and userinfo.
 */
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { oidc, type OidcOptions } from '../../src/upstream/oidc.ts'
import type { RedirectUpstream } from '../../src/upstream/upstream.ts'
import { type Fake, startFake } from './fake.ts'
import { SIGN_IN } from './sign_in.ts'

export type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'] | Uint8Array

export interface FakeOidc {
  readonly fake: Fake
  readonly issuer: string
  readonly key: SigningKey
  /** The public half, as it stands in the key set. */
  readonly jwk: Readonly<{ [member: string]: unknown }>
  /** Claims that are right; a test replaces or removes (undefined) some. */
  claims(more?: object): { [claim: string]: unknown }
  /** Answers as an honest provider does, until told otherwise. */
  restore(): void
  metadata(more?: object): { [member: string]: unknown }
  /** Lets the token endpoint give this id_token. */
  giveIdToken(id_token: unknown, more?: object): void
  upstream(more?: Partial<OidcOptions>): RedirectUpstream
}

export const CLIENT_ID = 'client-1'
export const ACCESS_TOKEN = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y'

export async function startFakeOidc(): Promise<FakeOidc> {
  const fake = await startFake()
  const issuer = `${fake.origin}/tenant`
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig', alg: 'ES256' }
  const metadata = (more: object = {}) => ({
    issuer,
    authorization_endpoint: `${fake.origin}/authorize`,
    token_endpoint: `${fake.origin}/token`,
    jwks_uri: `${fake.origin}/jwks`,
    userinfo_endpoint: `${fake.origin}/userinfo`,
    id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256', 'ES256'],
    ...more,
  })
  const claims = (more: object = {}) => {
    const now = Math.floor(Date.now() / 1000)
    const { nonce } = SIGN_IN
    const good = { iss: issuer, sub: 'ada', aud: CLIENT_ID, nonce, iat: now, exp: now + 300 }
    return { ...good, name: 'Ada', email: 'ada@example.com', email_verified: true, ...more }
  }
  const giveIdToken = (id_token: unknown, more: object = {}) =>
    fake.on('/token', {
      body: { access_token: ACCESS_TOKEN, token_type: 'bearer', id_token, ...more },
    })
  return {
    fake,
    issuer,
    key: privateKey,
    jwk,
    claims,
    metadata,
    giveIdToken,
    restore() {
      fake.reset()
      fake.on('/tenant/.well-known/openid-configuration', { body: metadata() })
      fake.on('/jwks', { body: { keys: [jwk] } })
    },
    upstream: (more = {}) =>
      oidc({ issuer, client_id: CLIENT_ID, client_secret: 's', id: 'fake', timeout: 2, ...more }),
  }
}

/** Signs `claims`; members that are undefined are left out. */
export function sign(
  claims: object,
  key: SigningKey,
  header: { alg: string; [member: string]: unknown } = { alg: 'ES256', kid: 'k1' },
): Promise<string> {
  return new SignJWT(JSON.parse(JSON.stringify(claims))).setProtectedHeader(header).sign(key)
}

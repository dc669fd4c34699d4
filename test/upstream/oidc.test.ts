/** An OpenID provider that somebody else wrote: OpenID Connect Core and Discovery, RFC 6749, RFC 7009. */
import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { oidc, type OidcOptions } from '../../src/upstream/oidc.ts'
import type { RedirectUpstream, UpstreamSignIn } from '../../src/upstream/upstream.ts'
import {
  startOidcProvider,
  type TestOidcProvider,
  type TestUser,
} from '../support/oidc_provider.ts'
import { failureOf, HINTS } from './sign_in.ts'

const redirect_uri = 'http://127.0.0.1:9/callback'
const rotating = await startOidcProvider({ redirect_uri, accessTokenLifetime: 60 })
const lasting = await startOidcProvider({
  redirect_uri,
  path: '/op',
  rotate: false,
  claimsInIdToken: true,
  authMethod: 'client_secret_post',
})
afterAll(() => Promise.all([rotating.close(), lasting.close()]))

function upstreamOf(provider: TestOidcProvider, more: Partial<OidcOptions> = {}): RedirectUpstream {
  const { issuer, client_id, client_secret } = provider
  return oidc({ issuer, client_id, client_secret, id: 'op', ...more })
}

function begin(): UpstreamSignIn {
  const [state = '', nonce = '', code_verifier = ''] = [1, 2, 3].map(() =>
    randomBytes(32).toString('base64url'),
  )
  return { redirect_uri, state, nonce, code_verifier }
}

async function signIn(provider: TestOidcProvider, upstream: RedirectUpstream, user: TestUser) {
  const under = begin()
  const url = await upstream.authorizationUrl(under, HINTS)
  const query = new URL(await provider.signIn(url, user)).search.slice(1)
  return { query, under, ...(await upstream.exchange(query, under)) }
}

async function notes(provider: TestOidcProvider, access_token: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${access_token}` }
  const response = await fetch(provider.notesUrl, { headers })
  return response.status === 200 ? response.json() : response.status
}

describe('a real provider', () => {
  test('CB-13 §5.3 signs in: name and address come from userinfo, the identity is issuer and sub', async () => {
    const { user, tokens } = await signIn(rotating, upstreamOf(rotating), 'ada')
    expect(user).toEqual({
      issuer: rotating.issuer,
      sub: 'ada',
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      email_verified: true,
    })
    expect(tokens).toMatchObject({
      expires_in: 60,
      token_endpoint: `${rotating.issuer}/token`,
      scope: ['openid', 'profile', 'email', 'offline_access'],
    })
    expect(await notes(rotating, tokens.access_token)).toMatchObject({ user: 'ada' })
  })
  test('§2 signs in at an issuer with a path, by client_secret_post and claims in the id_token', async () => {
    const { user } = await signIn(lasting, upstreamOf(lasting), 'grace')
    expect(user).toMatchObject({ issuer: lasting.issuer, sub: 'grace', name: 'Grace Hopper' })
  })
  test('§6 refreshes, and the rotated token is the one that goes on', async () => {
    const upstream = upstreamOf(rotating)
    const { tokens } = await signIn(rotating, upstream, 'ada')
    const { refresh_token = '', token_endpoint } = tokens
    const second = await upstream.refresh(refresh_token, token_endpoint)
    expect(second.refresh_token).toEqual(expect.any(String))
    expect(second.refresh_token).not.toBe(refresh_token)
    expect(await notes(rotating, second.access_token)).toMatchObject({ user: 'ada' })
    // A token that was used twice has been stolen, and the provider ends the grant.
    expect(await failureOf(upstream.refresh(refresh_token, token_endpoint))).toMatchObject({
      failure: 'permanent',
    })
  })
  test('§6 a refresh token that is not rotated goes on for ever', async () => {
    const upstream = upstreamOf(lasting)
    const { tokens } = await signIn(lasting, upstream, 'grace')
    const { refresh_token = '', token_endpoint } = tokens
    const second = await upstream.refresh(refresh_token, token_endpoint)
    expect([undefined, refresh_token]).toContain(second.refresh_token)
    await upstream.refresh(refresh_token, token_endpoint)
  })
  test('CB-05 §4.1.2 a code works once', async () => {
    const upstream = upstreamOf(rotating)
    const { query, under } = await signIn(rotating, upstream, 'ada')
    expect(await failureOf(upstream.exchange(query, under))).toMatchObject({ failure: 'permanent' })
  })
  test('CB-03 §3.1.3.7 a code of another sign-in is refused: PKCE, nonce and state each see to it', async () => {
    const upstream = upstreamOf(rotating)
    const [mine, theirs] = [begin(), begin()]
    const url = await upstream.authorizationUrl(theirs, HINTS)
    const query = new URL(await rotating.signIn(url, 'grace')).search.slice(1)
    expect(await failureOf(upstream.exchange(query, mine))).toMatchObject({ failure: 'permanent' })
    const sameState = { ...mine, state: theirs.state }
    const failure = await failureOf(upstream.exchange(query, sameState))
    expect(failure.message).toContain('invalid_grant')
  })
  test('§4.1.2.1 the user says no', async () => {
    const upstream = upstreamOf(rotating)
    const under = begin()
    const url = await upstream.authorizationUrl(under, HINTS)
    const query = new URL(await rotating.decline(url, 'ada')).search.slice(1)
    expect(await failureOf(upstream.exchange(query, under))).toMatchObject({ failure: 'denied' })
  })
  test('CB-08 RFC 9207 the provider names itself, and a callback without or with another name is refused', async () => {
    const upstream = upstreamOf(rotating)
    const under = begin()
    const url = await upstream.authorizationUrl(under, HINTS)
    const callback = new URL(await rotating.signIn(url, 'ada'))
    expect(callback.searchParams.get('iss')).toBe(rotating.issuer)
    const before = rotating.tokenCalls().all
    for (const iss of [undefined, 'https://evil.example', `${rotating.issuer}/`]) {
      const forged = new URL(callback)
      if (iss === undefined) forged.searchParams.delete('iss')
      else forged.searchParams.set('iss', iss)
      expect(await failureOf(upstream.exchange(forged.search.slice(1), under))).toMatchObject({
        failure: 'permanent',
      })
    }
    expect(rotating.tokenCalls().all).toBe(before)
    await upstream.exchange(callback.search.slice(1), under)
  })
  test('CB-21 an outage is transient, an ended grant is permanent, a wrong secret is the operator’s', async () => {
    const upstream = upstreamOf(rotating)
    const { tokens } = await signIn(rotating, upstream, 'grace')
    const { refresh_token = '', token_endpoint } = tokens
    rotating.outage(true)
    expect(await failureOf(upstream.refresh(refresh_token, token_endpoint))).toMatchObject({
      failure: 'transient',
    })
    rotating.outage(false)
    const mistaken = upstreamOf(rotating, { client_secret: 'wrong' })
    const thrown = await failureOf(mistaken.refresh(refresh_token, token_endpoint))
    expect(thrown).toMatchObject({ failure: 'transient' })
    expect(thrown.message).toContain('invalid_client')
    const { refresh_token: second = '' } = await upstream.refresh(refresh_token, token_endpoint)
    await rotating.forget('grace')
    expect(await failureOf(upstream.refresh(second, token_endpoint))).toMatchObject({
      failure: 'permanent',
    })
  })
  test('RFC 7009 §2.1 revokes', async () => {
    const upstream = upstreamOf(rotating)
    const { tokens } = await signIn(rotating, upstream, 'ada')
    await upstream.revoke(tokens)
    expect(
      await failureOf(upstream.refresh(tokens.refresh_token ?? '', tokens.token_endpoint)),
    ).toMatchObject({ failure: 'permanent' })
    expect(await notes(rotating, tokens.access_token)).toBe(401)
  })
  test('§11 without offline_access there is no refresh token and no extra consent', async () => {
    const upstream = upstreamOf(rotating, { offlineAccess: false })
    const url = new URL(await upstream.authorizationUrl(begin(), HINTS))
    expect(url.searchParams.get('scope')).toBe('openid profile email')
    expect(url.searchParams.has('prompt')).toBe(false)
    const { tokens } = await signIn(rotating, upstream, 'ada')
    expect(tokens.refresh_token).toBeUndefined()
  })
  test('CB-23 §4.3 an issuer that differs by a slash is another issuer', async () => {
    const upstream = upstreamOf(rotating, { issuer: `${rotating.issuer}/` })
    const failure = await failureOf(upstream.authorizationUrl(begin(), HINTS))
    expect(failure).toMatchObject({ failure: 'transient' })
    expect(failure.message).toContain('to the letter')
  })
})

test('§3.1.2.1 of the prompts that an MCP client may send, login and select_account are passed on', async () => {
  const hints = { prompt: ['none', 'consent', 'login', 'evil'], login_hint: 'ada@example.com' }
  const upstream = upstreamOf(rotating, { offlineAccess: false })
  const { searchParams } = new URL(await upstream.authorizationUrl(begin(), hints))
  expect(searchParams.get('prompt')).toBe('login')
  expect(searchParams.get('login_hint')).toBe('ada@example.com')
})

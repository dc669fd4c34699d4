/** The test provider itself: what the other tests lean on must stand. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { startOidcProvider } from '../support/oidc_provider.ts'

const redirect_uri = 'http://127.0.0.1:9/callback'
const provider = await startOidcProvider({ redirect_uri, path: '/op', accessTokenLifetime: 60 })
afterAll(() => provider.close())

function authorization(verifier: string): string {
  const url = new URL(`${provider.issuer}/auth`)
  url.search = new URLSearchParams({
    client_id: provider.client_id,
    response_type: 'code',
    redirect_uri,
    scope: 'openid offline_access profile email',
    prompt: 'consent',
    state: 'state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()
  return url.href
}

async function token(parameters: { [name: string]: string }) {
  const basic = Buffer.from(`${provider.client_id}:${provider.client_secret}`).toString('base64')
  const response = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams(parameters),
  })
  return (await response.json()) as { [name: string]: string }
}

test('signs in, gives tokens, rotates, shows whose token it is, and forgets', async () => {
  const verifier = randomBytes(32).toString('base64url')
  const callback = new URL(await provider.signIn(authorization(verifier), 'grace'))
  const code = callback.searchParams.get('code') ?? ''
  const first = await token({
    grant_type: 'authorization_code',
    code,
    redirect_uri,
    code_verifier: verifier,
  })
  expect(first['expires_in']).toBe(60)
  const bearer = { authorization: `Bearer ${first['access_token']}` }
  const notes = await (await fetch(provider.notesUrl, { headers: bearer })).json()
  expect(notes).toMatchObject({ user: 'grace', notes: ['A note of Grace Hopper'] })
  const refresh_token = first['refresh_token'] ?? ''
  const second = await token({ grant_type: 'refresh_token', refresh_token })
  expect(second['refresh_token']).not.toBe(refresh_token)
  await provider.forget('grace')
  const third = await token({
    grant_type: 'refresh_token',
    refresh_token: second['refresh_token'] ?? '',
  })
  expect(third['error']).toBe('invalid_grant')
  expect(provider.tokenCalls()).toEqual({ all: 3, code: 1, refresh: 2 })
})

test('gives the browser back with access_denied when the user declines', async () => {
  const callback = new URL(await provider.decline(authorization('x'.repeat(43)), 'ada'))
  expect(callback.searchParams.get('error')).toBe('access_denied')
})

test('answers 503 during an outage', async () => {
  provider.outage(true)
  expect((await fetch(provider.notesUrl)).status).toBe(503)
  provider.outage(false)
  expect((await fetch(provider.notesUrl)).status).toBe(401)
})

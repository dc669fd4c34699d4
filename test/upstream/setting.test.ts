/** An upstream from words, and the faults of the words. */
import { afterAll, describe, expect, test } from 'vitest'
import * as door from '../../src/upstream.ts'
import { createUpstream, judgeUpstream, presetNames } from '../../src/upstream/setting.ts'
import { startOidcProvider } from '../support/oidc_provider.ts'
import { HINTS, SIGN_IN } from './sign_in.ts'

const provider = await startOidcProvider({ redirect_uri: SIGN_IN.redirect_uri })
afterAll(() => provider.close())

const CREDENTIALS = { client_id: 'c', client_secret: 's' }

test('each preset has its name, and a function of the same name at the door', () => {
  expect([...presetNames]).toEqual(
    [
      'atlassian auth0 discord entra github gitlab google keycloak linear notion okta slack',
      'spotify tidal',
    ]
      .join(' ')
      .split(' '),
  )
  for (const name of presetNames) expect(Reflect.get(door, name)).toBeTypeOf('function')
})

describe('a preset', () => {
  test.each(presetNames)('%s is made, or says what it needs', (name) => {
    const setting = { name, ...CREDENTIALS }
    const faults = judgeUpstream(setting)
    if (['auth0', 'entra', 'keycloak', 'okta'].includes(name)) {
      expect(faults).toHaveLength(1)
      expect(faults[0]).toMatch(/use it as the name, such as https:\/\//)
      expect(() => createUpstream(setting)).toThrow(RangeError)
      return
    }
    expect(faults).toEqual([])
    expect(createUpstream(setting)).toMatchObject({ type: 'redirect', id: name })
  })
  test('asks for the scopes of the setting', async () => {
    const upstream = createUpstream({ name: 'github', ...CREDENTIALS, scope: ['repo'] })
    const url = new URL(await upstream.authorizationUrl(SIGN_IN, HINTS))
    expect(url.href).toMatch(/^https:\/\/github\.com\/login\/oauth\/authorize\?/)
    expect(url.searchParams.get('scope')).toBe('user:email repo')
  })
})

describe('an issuer', () => {
  test('is an OpenID provider', async () => {
    const { issuer, client_id, client_secret } = provider
    const upstream = createUpstream({ name: issuer, client_id, client_secret })
    expect(upstream).toMatchObject({ id: new URL(issuer).host, name: new URL(issuer).host })
    const url = await upstream.authorizationUrl(SIGN_IN, HINTS)
    const query = new URL(await provider.signIn(url, 'ada')).search.slice(1)
    expect((await upstream.exchange(query, SIGN_IN)).user).toMatchObject({ issuer, sub: 'ada' })
  })
  test.each([
    ['https://accounts.google.com', 'google'],
    ['https://acme.eu.auth0.com/', 'auth0'],
    ['https://acme.okta.com/oauth2/default', 'okta'],
    ['https://login.microsoftonline.com/organizations/v2.0', 'entra'],
    ['https://sso.acme.example/realms/staff', 'sso.acme.example'],
    ['https://auth0.com.evil.example', 'auth0.com.evil.example'],
  ])('%s is known as %s', (name, id) => {
    expect(createUpstream({ name, ...CREDENTIALS }).id).toBe(id)
  })
  test('that is a wrong spelling of a tenant is told', () => {
    const name = 'https://login.microsoftonline.com/contoso.com/v2.0'
    expect(judgeUpstream({ name, ...CREDENTIALS })).toEqual([expect.stringMatching(/directory id/)])
  })
})

test.each([
  [{ name: 'githup', ...CREDENTIALS }, /name must be one of atlassian, .* or the https URL/],
  [{ name: '', ...CREDENTIALS }, /name must be one of/],
  [{ name: 'toString', ...CREDENTIALS }, /name must be one of/],
  [{ name: '__proto__', ...CREDENTIALS }, /name must be one of/],
  [{ name: 'http://sso.acme.example', ...CREDENTIALS }, /issuer is http and not loopback/],
  [{ name: 'javascript:alert(1)', ...CREDENTIALS }, /name must be one of/],
  [{ name: 'github' }, /client_secret is missing, and GitHub needs it; client_id is missing/],
  [{ name: 'https://sso.acme.example' }, /client_id is missing/],
  [{ name: 'tidal', client_id: 'c', scope: ['a b'] }, /scope must be a list/],
])('CB-23 %j is refused', (setting, message) => {
  expect(judgeUpstream(setting)).not.toEqual([])
  expect(() => createUpstream(setting)).toThrow(message)
})

/** Each preset against a fake that answers in the words of its provider. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createPresetUpstream,
  entra,
  github,
  google,
  linear,
  notion,
  type OAuth2PresetOptions,
  slack,
} from '../../src/upstream/named.ts'
import { OAUTH2_PRESETS, type OAuth2PresetName, OIDC_PRESETS } from '../../src/upstream/presets.ts'
import { originsOf } from '../../src/upstream/endpoint.ts'
import { fitsPattern, tenantIssuer } from '../../src/upstream/tenant.ts'
import { startFake } from './fake.ts'
import { startFakeOidc } from './fake_oidc.ts'
import { CALLBACK, failureOf, HINTS, SIGN_IN } from './sign_in.ts'

const fake = await startFake()
const openid = await startFakeOidc()
afterAll(() => Promise.all([fake.close(), openid.fake.close()]))
beforeEach(() => {
  fake.reset()
  openid.restore()
})

/** The preset with every endpoint on the fake, each under the name of its member. */
function options(name: OAuth2PresetName, more: Partial<OAuth2PresetOptions> = {}) {
  const endpoints = Object.fromEntries(
    Object.keys(OAUTH2_PRESETS[name])
      .filter((member) => member.endsWith('_endpoint'))
      .map((member) => [member, `${fake.origin}/${member}`]),
  )
  return { client_id: 'id-1', client_secret: 'secret_1', endpoints, ...more }
}

async function urlOf(name: OAuth2PresetName, more: Partial<OAuth2PresetOptions> = {}) {
  const upstream = createPresetUpstream(name, options(name, more))
  return new URL(await upstream.authorizationUrl(SIGN_IN, HINTS)).searchParams
}

const PLAIN = { access_token: 'at-1', token_type: 'bearer', scope: 'read' }

describe('GitHub', () => {
  beforeEach(() => {
    fake.on('/token_endpoint', { body: { ...PLAIN, scope: 'repo,user:email' } })
    fake.on('/userinfo_endpoint', {
      body: { id: 583231, login: 'octocat', name: null, email: null },
    })
    fake.on('/emails_endpoint', {
      body: [
        { email: 'old@example.com', primary: false, verified: true },
        { email: 'octo@example.com', primary: true, verified: true },
      ],
    })
  })
  test('CB-13 the number is the identity, and the primary verified address the address', async () => {
    const { user, tokens } = await github(options('github')).exchange(CALLBACK, SIGN_IN)
    expect(user).toEqual({
      issuer: 'https://github.com/login/oauth',
      sub: '583231',
      name: 'octocat',
      email: 'octo@example.com',
      email_verified: true,
    })
    expect(tokens).toMatchObject({ scope: ['repo', 'user:email'], expires_in: undefined })
    expect(fake.last('/token_endpoint').headers.accept).toBe('application/json')
  })
  test('CB-13 an address that is not verified does not count', async () => {
    fake.on('/emails_endpoint', {
      body: [{ email: 'x@y.example', primary: true, verified: false }],
    })
    const { user } = await github(options('github')).exchange(CALLBACK, SIGN_IN)
    expect(user).toMatchObject({ email: undefined, email_verified: false })
  })
  test('a token that may not read addresses signs in all the same', async () => {
    fake.on('/emails_endpoint', { status: 404, body: { message: 'Not Found' } })
    const { user } = await github(options('github')).exchange(CALLBACK, SIGN_IN)
    expect(user).toMatchObject({ sub: '583231', email: undefined })
  })
  test('CB-08 its iss is taken, another is not, and none is taken too', async () => {
    const upstream = github(options('github'))
    const own = `&iss=${encodeURIComponent('https://github.com/login/oauth')}`
    await upstream.exchange(`${CALLBACK}${own}`, SIGN_IN)
    await upstream.exchange(CALLBACK, SIGN_IN)
    const foreign = `${CALLBACK}&iss=${encodeURIComponent('https://github.com')}`
    expect(await failureOf(upstream.exchange(foreign, SIGN_IN))).toMatchObject({
      failure: 'permanent',
    })
  })
  test.each([
    ['bad_refresh_token', 'permanent'],
    ['bad_verification_code', 'permanent'],
    ['incorrect_client_credentials', 'transient'],
    ['unverified_user_email', 'transient'],
  ])('CB-21 200 with %s is %s', async (error, failure) => {
    fake.on('/token_endpoint', { body: { error, error_description: 'see the manual' } })
    const upstream = github(options('github'))
    const work = upstream.refresh('ghr_1', `${fake.origin}/token_endpoint`)
    expect(await failureOf(work)).toMatchObject({ failure })
  })
  test('revokes by DELETE with the credentials of the app', async () => {
    const preset = options('github')
    const revocation_endpoint = `${fake.origin}/applications/{client_id}/token`
    const endpoints = { ...preset.endpoints, revocation_endpoint }
    fake.on('/applications/id-1/token', { status: 204 })
    const upstream = github({ ...preset, endpoints })
    await upstream.revoke({ access_token: 'at-1', refresh_token: 'ghr_1' })
    const { method, body, headers } = fake.last('/applications/id-1/token')
    expect(method).toBe('DELETE')
    expect(JSON.parse(body)).toEqual({ access_token: 'at-1' })
    expect(headers.authorization).toBe(`Basic ${btoa('id-1:secret_1')}`)
    fake.on('/applications/id-1/token', { status: 401, body: {} })
    const work = upstream.revoke({ access_token: 'at-1', refresh_token: undefined })
    expect(await failureOf(work)).toMatchObject({ failure: 'transient' })
  })
  test('asks for what the tools need and for the address, each once', async () => {
    expect((await urlOf('github', { scope: ['repo', 'user:email'] })).get('scope')).toBe(
      'user:email repo',
    )
  })
})

describe('Slack', () => {
  const answer = {
    ok: true,
    access_token: 'xoxb-bot',
    token_type: 'bot',
    scope: 'commands',
    team: { id: 'T1', name: 'Team' },
    authed_user: {
      id: 'U1',
      scope: 'chat:write,users:read',
      access_token: 'xoxp-user',
      token_type: 'user',
      refresh_token: 'xoxe-1',
      expires_in: 43_200,
    },
  }
  test('CB-22 takes the token of the user and not the one of the bot', async () => {
    fake.on('/token_endpoint', { body: answer })
    const { tokens, user } = await slack(options('slack')).exchange(CALLBACK, SIGN_IN)
    expect(tokens).toEqual({
      access_token: 'xoxp-user',
      refresh_token: 'xoxe-1',
      expires_in: 43_200,
      scope: ['chat:write', 'users:read'],
      token_endpoint: `${fake.origin}/token_endpoint`,
    })
    expect(user).toMatchObject({ issuer: 'https://slack.com', sub: 'T1:U1' })
  })
  test.each([
    ['only a bot was installed', { ...answer, authed_user: { id: 'U1' } }],
    ['there is no team', { ...answer, team: null }],
    ['ok is false', { ...answer, ok: false }],
    ['the code is bad', { ok: false, error: 'invalid_code' }],
  ])('refuses when %s', async (_name, body) => {
    fake.on('/token_endpoint', { body })
    await failureOf(slack(options('slack')).exchange(CALLBACK, SIGN_IN))
  })
  test('§6 a refresh gives the user token at the top', async () => {
    const body = {
      ...answer,
      access_token: 'xoxe.xoxp-2',
      token_type: 'user',
      refresh_token: 'xoxe-2',
    }
    const { authed_user: _left, ...refreshed } = body
    fake.on('/token_endpoint', { body: refreshed })
    const upstream = slack(options('slack'))
    expect(await upstream.refresh('xoxe-1', `${fake.origin}/token_endpoint`)).toMatchObject({
      access_token: 'xoxe.xoxp-2',
      refresh_token: 'xoxe-2',
    })
    fake.on('/token_endpoint', { body: { ok: false, error: 'invalid_refresh_token' } })
    const work = upstream.refresh('xoxe-1', `${fake.origin}/token_endpoint`)
    expect(await failureOf(work)).toMatchObject({ failure: 'permanent' })
    fake.on('/token_endpoint', { body: { ok: false, error: 'internal_error' } })
    const again = upstream.refresh('xoxe-1', `${fake.origin}/token_endpoint`)
    expect(await failureOf(again)).toMatchObject({ failure: 'transient' })
  })
  test('asks by user_scope, and with PKCE only where there is no secret', async () => {
    const confidential = await urlOf('slack', { scope: ['chat:write', 'users:read'] })
    expect(confidential.get('user_scope')).toBe('chat:write,users:read')
    expect(confidential.has('scope')).toBe(false)
    expect(confidential.has('code_challenge')).toBe(false)
    const { client_secret: _left, ...open } = options('slack')
    const url = new URL(await slack(open).authorizationUrl(SIGN_IN, HINTS))
    expect(url.searchParams.get('code_challenge_method')).toBe('S256')
  })
  test('revokes by auth.revoke with the token itself', async () => {
    fake.on('/revocation_endpoint', { body: { ok: true, revoked: true } })
    await slack(options('slack')).revoke({ access_token: 'xoxp-1', refresh_token: undefined })
    expect(fake.last('/revocation_endpoint').headers.authorization).toBe('Bearer xoxp-1')
  })
})

test('Notion takes JSON and Basic without encoded hyphens, and the user from the token answer', async () => {
  const owner = { type: 'user', user: { id: 'n-1', name: 'Ada', person: { email: 'a@b.example' } } }
  fake.on('/token_endpoint', { body: { ...PLAIN, refresh_token: null, owner } })
  const upstream = notion(options('notion'))
  const { user, tokens } = await upstream.exchange(CALLBACK, SIGN_IN)
  expect(user).toMatchObject({ sub: 'n-1', email: 'a@b.example', email_verified: false })
  expect(tokens.refresh_token).toBeUndefined()
  const { headers, body } = fake.last('/token_endpoint')
  expect(headers['content-type']).toBe('application/json')
  expect(headers.authorization).toBe(`Basic ${btoa('id-1:secret_1')}`)
  expect(JSON.parse(body)).toMatchObject({ grant_type: 'authorization_code', code: 'a-code' })
  expect((await urlOf('notion')).get('owner')).toBe('user')
  fake.on('/revocation_endpoint', { body: {} })
  await upstream.revoke({ access_token: 'at-1', refresh_token: undefined })
  expect(JSON.parse(fake.last('/revocation_endpoint').body)).toEqual({ token: 'at-1' })
  const workspace = { ...PLAIN, owner: { type: 'workspace', workspace: true } }
  fake.on('/token_endpoint', { body: workspace })
  await failureOf(upstream.exchange(CALLBACK, SIGN_IN))
})

test('Linear is asked for the viewer by GraphQL, with scopes parted by commas', async () => {
  fake.on('/token_endpoint', { body: { ...PLAIN, scope: ['read', 'write'] } })
  const viewer = { id: 'l-1', name: 'Ada', email: 'a@b.example' }
  fake.on('/userinfo_endpoint', { body: { data: { viewer } } })
  const { user, tokens } = await linear(options('linear')).exchange(CALLBACK, SIGN_IN)
  expect(user).toMatchObject({ sub: 'l-1', name: 'Ada' })
  expect(tokens.scope).toEqual(['read', 'write'])
  expect(JSON.parse(fake.last('/userinfo_endpoint').body).query).toContain('viewer')
  expect((await urlOf('linear', { scope: ['write'] })).get('scope')).toBe('read,write')
  fake.on('/userinfo_endpoint', { body: { errors: [{ message: 'no' }] } })
  await failureOf(linear(options('linear')).exchange(CALLBACK, SIGN_IN))
})

test.each([
  [
    'tidal',
    {
      data: { id: '7', attributes: { username: 'ada', email: 'a@b.example', emailVerified: true } },
    },
    { sub: '7', name: 'ada', email_verified: true },
  ],
  ['spotify', { id: 's', display_name: 'Ada', email: 'a@b.example' }, { email_verified: false }],
  [
    'discord',
    { id: '8035', username: 'ada', global_name: 'Ada', email: 'a@b.example', verified: true },
    { sub: '8035', name: 'Ada', email_verified: true },
  ],
  ['atlassian', { account_id: 'a-1', name: 'Ada', email: 'a@b.example' }, { sub: 'a-1' }],
] as const)('%s tells who signed in', async (name, body, user) => {
  fake.on('/token_endpoint', { body: PLAIN })
  fake.on('/userinfo_endpoint', { body })
  const upstream = createPresetUpstream(name, options(name))
  expect((await upstream.exchange(CALLBACK, SIGN_IN)).user).toMatchObject({
    issuer: OAUTH2_PRESETS[name].issuer,
    email: 'a@b.example',
    ...user,
  })
})

test('Atlassian is asked with its audience, for a consent and for a refresh token', async () => {
  const parameters = await urlOf('atlassian', { scope: ['read:jira-work'] })
  expect(parameters.get('audience')).toBe('api.atlassian.com')
  expect(parameters.get('prompt')).toBe('consent')
  expect(parameters.get('scope')).toBe('read:me offline_access read:jira-work')
})

test('Google is asked for offline access and a consent, never for offline_access', async () => {
  const body = openid.metadata({ scopes_supported: ['openid', 'offline_access'] })
  openid.fake.on('/tenant/.well-known/openid-configuration', { body })
  const { issuer } = openid
  const upstream = google({ client_id: 'c', client_secret: 's', scope: ['calendar'], issuer })
  const hints = { prompt: ['login', 'select_account'], login_hint: undefined }
  const { searchParams } = new URL(await upstream.authorizationUrl(SIGN_IN, hints))
  expect(searchParams.get('access_type')).toBe('offline')
  expect(searchParams.get('prompt')).toBe('consent select_account')
  expect(searchParams.get('scope')).toBe('openid profile email calendar')
})

describe('Microsoft Entra', () => {
  const TENANT = '11111111-2222-3333-4444-555555555555'
  const PATTERN = 'https://login.microsoftonline.com/{tenantid}/v2.0'
  const token = (payload: object) =>
    ['e30', Buffer.from(JSON.stringify(payload)).toString('base64url'), ''].join('.')
  test('takes a directory id and the names for several tenants, and no domain', () => {
    for (const tenant of [TENANT, 'common', 'organizations', 'consumers']) {
      expect(entra({ tenant, client_id: 'c' }).id).toBe('entra')
    }
    for (const tenant of ['contoso.com', '', '../x', `${TENANT}/..`]) {
      expect(() => entra({ tenant, client_id: 'c' })).toThrow(/tenant must be a directory id/)
    }
  })
  test('CB-13 the issuer of a tenant is filled in by tid, and by nothing that is no tid', () => {
    expect(tenantIssuer(PATTERN, token({ tid: TENANT }))).toBe(
      PATTERN.replace('{tenantid}', TENANT),
    )
    for (const tid of [undefined, 5, '', 'evil', `${TENANT}/x`, '{tenantid}', '../..']) {
      expect(tenantIssuer(PATTERN, token({ tid }))).toBeUndefined()
    }
    expect(fitsPattern(PATTERN, PATTERN.replace('{tenantid}', TENANT))).toBe(true)
    expect(fitsPattern(PATTERN, PATTERN)).toBe(false)
    expect(fitsPattern(PATTERN, `https://evil.example/${TENANT}/v2.0`)).toBe(false)
  })
})

test('every preset is at its provider by https, and trusts no private address', () => {
  for (const [name, preset] of Object.entries(OAUTH2_PRESETS)) {
    const endpoints = Object.entries(preset).filter(([member]) => member.endsWith('_endpoint'))
    expect(originsOf(endpoints.map(([, text]) => String(text))), name).not.toHaveLength(0)
    for (const [, text] of endpoints) expect(text, name).toMatch(/^https:\/\//)
  }
  for (const { example } of Object.values(OIDC_PRESETS)) expect(example).toMatch(/^https:\/\//)
})

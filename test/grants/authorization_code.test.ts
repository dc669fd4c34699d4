/** `grant_type=authorization_code`. */
import { describe, expect, it } from 'vitest'
import { makeCode } from '../../src/server/tokens/code.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { createTestContext, OTHER_RESOURCE, RESOURCE, START } from '../support/context.ts'
import { failingStore } from './failing_store.ts'
import {
  begin,
  CLIENT,
  errorOf,
  grantOf,
  redeem,
  refresh,
  SCOPE,
  signIn,
  STRANGER,
  testClient,
  tokenOf,
  verify,
} from './support.ts'

describe('RFC 6749 §4.1.3 redeeming a code', () => {
  it('TK-01 §5.1 the answer has a Bearer token, its lifetime and its scope', async () => {
    const { context } = createTestContext()
    const answer = await begin(context)
    expect(answer).toEqual({
      access_token: expect.stringMatching(/^mcp_at_.{100,}$/),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^mcp_rt_.{100,}$/),
      scope: SCOPE.join(' '),
    })
    expect(await verify(context, answer.access_token)).toBe('verified')
  })

  it('TK-02 §4.1.2 a code that comes again is refused, and all that it gave dies', async () => {
    const { context, eventTypes, events } = createTestContext()
    const issued = await signIn(context)
    const answer = await redeem(context, issued)
    expect(await errorOf(redeem(context, issued))).toBe('invalid_grant')
    expect(await verify(context, answer.access_token)).toBe('grant_ended')
    expect(await errorOf(refresh(context, answer.refresh_token))).toBe('invalid_grant')
    expect(eventTypes()).toEqual(['grant_begun', 'grant_ended'])
    expect(events.at(-1)).toMatchObject({ reason: 'code_reused', client_id: CLIENT.client_id })
  })

  it('TK-02 §10.5 also after refreshes, and long after the code has expired', async () => {
    const { context, advance } = createTestContext()
    const issued = await signIn(context)
    const first = await redeem(context, issued)
    advance(86_400)
    const second = await refresh(context, first.refresh_token)
    advance(86_400)
    const third = await refresh(context, second.refresh_token)
    expect(await errorOf(redeem(context, issued))).toBe('invalid_grant')
    expect(await verify(context, third.access_token)).toBe('grant_ended')
    expect(await errorOf(refresh(context, third.refresh_token))).toBe('invalid_grant')
  })

  it('TK-03 a used code in wrong hands is refused and ends nothing', async () => {
    const { context } = createTestContext()
    const issued = await signIn(context)
    const answer = await redeem(context, issued)
    const forged = makeCode(createTestContext().context.keys, (await grantOf(context, answer)).id)
    const tries = [
      redeem(context, issued, {}, STRANGER),
      redeem(context, issued, { code_verifier: 'x'.repeat(43) }),
      redeem(context, { ...issued, code: forged }),
      redeem(context, { ...issued, code: `${issued.code}x` }),
      redeem(context, { ...issued, code: issued.code.slice(0, -1) }),
    ]
    for (const one of tries) expect(await errorOf(one)).toBe('invalid_grant')
    expect(await verify(context, answer.access_token)).toBe('verified')
    expect(await errorOf(refresh(context, answer.refresh_token))).toBe('none')
  })

  it('TK-03 a used code with its verifier ends the grant, wherever it is said to have been sent', async () => {
    const { context } = createTestContext()
    const issued = await signIn(context)
    const answer = await redeem(context, issued)
    const redirect_uri = 'https://evil.example/cb'
    expect(await errorOf(redeem(context, issued, { redirect_uri }))).toBe('invalid_grant')
    expect(await verify(context, answer.access_token)).toBe('grant_ended')
  })

  it.each([
    ['TK-04 a wrong verifier', { code_verifier: 'x'.repeat(43) }, 'invalid_grant'],
    ['TK-05 an empty verifier', { code_verifier: '' }, 'invalid_request'],
    ['TK-07 a short verifier', { code_verifier: 'short' }, 'invalid_grant'],
    ['TK-07 a huge verifier', { code_verifier: 'x'.repeat(50_000) }, 'invalid_grant'],
    ['TK-10 another redirect_uri', { redirect_uri: 'https://client.example/cb/' }, 'invalid_grant'],
    [
      'TK-10 a longer redirect_uri',
      { redirect_uri: 'https://client.example/cb?x=1' },
      'invalid_grant',
    ],
    ['AZ-40 the other of two', { redirect_uri: 'https://client.example/cb2' }, 'invalid_grant'],
    ['TK-11 a foreign resource', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
    ['TK-11 another resource of ours', { resource: OTHER_RESOURCE }, 'invalid_target'],
    ['an empty code', { code: '' }, 'invalid_request'],
    ['RF-08 no code at all', { code: 'x' }, 'invalid_grant'],
    ['TK-24 NUL', { code: '\u0001' }, 'invalid_grant'],
    ['a huge code', { code: `mcp_ac_${'x'.repeat(60_000)}` }, 'invalid_grant'],
  ])('%s is refused, and the code still works for its owner', async (_what, more, code) => {
    const { context, events } = createTestContext()
    const issued = await signIn(context)
    expect(await errorOf(redeem(context, issued, more))).toBe(code)
    expect(events.length).toBe(1)
    expect(await errorOf(redeem(context, issued))).toBe('none')
  })

  it('TK-06 the challenge as verifier is refused', async () => {
    const { context } = createTestContext()
    const issued = await signIn(context)
    const { rows } = await context.store.list('grant', 'client_id', CLIENT.client_id, { limit: 1 })
    const code_verifier = rows[0]?.record.code?.code_challenge ?? ''
    const more = { code_verifier, code_challenge_method: 'plain' }
    expect(await errorOf(redeem(context, issued, more))).toBe('invalid_grant')
  })

  it('TK-21 unknown, foreign, late, used and ended codes are answered alike', async () => {
    const { context, advance } = createTestContext()
    const late = await signIn(context)
    advance(60)
    const used = await signIn(context)
    await redeem(context, used)
    const live = await signIn(context)
    const said = new Set<string>()
    for (const one of [
      redeem(context, { ...live, code: 'mcp_ac_unknown' }),
      redeem(context, live, {}, STRANGER),
      redeem(context, live, { code_verifier: 'y'.repeat(50) }),
      redeem(context, live, { redirect_uri: 'https://evil.example' }),
      redeem(context, late),
      redeem(context, used),
      redeem(context, used),
    ]) {
      await one.catch((error: Error) => said.add(`${error.name} ${error.message}`))
    }
    expect([...said]).toEqual([
      'OAuthError invalid_grant: the code is unknown, expired, used, or not for this client',
    ])
  })

  it('ST-19 a code is good for its lifetime to the second, clean-up or not', async () => {
    const { context, advance } = createTestContext()
    const [early, late] = [await signIn(context), await signIn(context)]
    advance(59)
    expect(await errorOf(redeem(context, early))).toBe('none')
    advance(1)
    expect(await errorOf(redeem(context, late))).toBe('invalid_grant')
  })

  it('OAuth 2.1 §10.2 a client may leave redirect_uri out', async () => {
    const { context } = createTestContext()
    const issued = await signIn(context)
    expect(await errorOf(redeem(context, issued, { redirect_uri: '' }))).toBe('none')
  })

  it('TK-23 a scope in the request raises nothing', async () => {
    const { context } = createTestContext()
    const issued = await signIn(context)
    const answer = await redeem(context, issued, { scope: 'notes:read notes:delete admin' })
    expect(answer.scope).toBe(SCOPE.join(' '))
  })

  it('TK-35 parameters of another grant are ignored', async () => {
    const { context } = createTestContext()
    const other = await begin(context)
    const issued = await signIn(context, { ticket: { scope: ['notes:read'] } })
    const answer = await redeem(context, issued, { refresh_token: tokenOf(other), assertion: 'x' })
    expect(answer.scope).toBe('notes:read')
  })

  it('RF-08 GD-06 tokens are no codes', async () => {
    const { context } = createTestContext()
    const { access_token, refresh_token } = await begin(context)
    const issued = await signIn(context)
    for (const code of [access_token, refresh_token ?? '']) {
      expect(await errorOf(redeem(context, { ...issued, code }))).toBe('invalid_grant')
    }
  })

  it('RFC 8707 §2.2 the resource may be named again, in any safe spelling', async () => {
    const { context } = createTestContext()
    const issued = await signIn(context)
    const resource = RESOURCE.replace('mcp.example.com', 'MCP.example.com:443')
    const { access_token } = await redeem(context, issued, { resource })
    expect(await verify(context, access_token)).toBe('verified')
    expect(await verify(context, access_token, OTHER_RESOURCE)).toBe('wrong_resource')
  })
})

describe('RFC 6749 §1.5 who gets a refresh token', () => {
  const once = testClient('client-one', { grant_types: ['authorization_code'] })

  it('a client that does not say it refreshes gets none, and its grant ends with its token', async () => {
    const { context, advance } = createTestContext()
    const answer = await redeem(context, await signIn(context), {}, once)
    expect(answer).not.toHaveProperty('refresh_token')
    const { expiresAt } = await grantOf(context, answer)
    expect(expiresAt).toBe(START + 3600 + 30)
    advance(3599)
    expect(await context.store.deleteExpired(context.clock(), 10)).toBe(0)
    expect(await verify(context, answer.access_token)).toBe('verified')
    advance(1)
    expect(await verify(context, answer.access_token)).toBe('expired')
    advance(30)
    expect(await context.store.deleteExpired(context.clock(), 10)).toBe(1)
  })

  it('a client that was given offline_access gets one, and a resource never sees that scope', async () => {
    const { context } = createTestContext()
    const issued = await signIn(context, { ticket: { scope: ['notes:read', 'offline_access'] } })
    const answer = await redeem(context, issued, {}, once)
    expect(answer.scope).toBe('notes:read offline_access')
    expect(tokenOf(answer)).toBeTruthy()
    const atob = Buffer.from(answer.access_token.split('.')[1] ?? '', 'base64url').toString()
    expect(atob).toContain('notes:read')
    expect(atob).not.toContain('offline_access')
  })

  it('no access token outlives its grant', async () => {
    const lifetimes = {
      ...createTestContext().context.config.lifetimes,
      refreshTokenIdle: 900,
      refreshTokenAbsolute: 1000,
    }
    const { context } = createTestContext({ config: { lifetimes } })
    expect((await begin(context)).expires_in).toBe(1000)
  })
})

describe('what happens between code and exchange', () => {
  it('TK-31 a user whom the operator locks out in between gets nothing', async () => {
    let welcome = true
    const { context, events } = createTestContext({ config: { allow: async () => welcome } })
    const issued = await signIn(context)
    welcome = false
    expect(await errorOf(redeem(context, issued))).toBe('invalid_grant')
    expect(events.at(-1)).toMatchObject({ type: 'grant_ended', reason: 'revoked_by_operator' })
    welcome = true
    expect(await errorOf(redeem(context, issued))).toBe('invalid_grant')
  })

  it('a lock-out that cannot be told is an outage: the code stays good', async () => {
    let broken = true
    const allow = async (): Promise<boolean> => {
      if (broken) throw new Error('the directory is down')
      return true
    }
    const { context } = createTestContext({ config: { allow } })
    const issued = await signIn(context)
    expect(await errorOf(redeem(context, issued))).toBe('temporarily_unavailable')
    broken = false
    expect(await errorOf(redeem(context, issued))).toBe('none')
  })

  it('TK-02 the alarm of a second use does not wait for anybody', async () => {
    let broken = false
    const allow = async (): Promise<boolean> => {
      if (broken) throw new Error('the directory is down')
      return true
    }
    const { context } = createTestContext({ config: { allow } })
    const issued = await signIn(context)
    const { access_token } = await redeem(context, issued)
    broken = true
    expect(await errorOf(redeem(context, issued))).toBe('invalid_grant')
    expect(await verify(context, access_token)).toBe('grant_ended')
  })

  it('RG-31 the client is kept as long as the grant may live, before the code is used up', async () => {
    const { context } = createTestContext()
    const client = testClient('client-one', {}, 'dynamic')
    await redeem(context, await signIn(context), {}, client)
    const found = await context.store.find('client', client.client_id)
    expect(found?.record.expiresAt).toBeGreaterThanOrEqual(START + 365 * 86_400)

    const down = failingStore(
      context.store,
      ({ kind, verb }) => kind === 'client' && verb === 'find',
    )
    const issued = await signIn(context)
    await expect(redeem({ ...context, store: down }, issued, {}, client)).rejects.toThrow(
      StoreUnavailable,
    )
    expect(await errorOf(redeem(context, issued, {}, client))).toBe('none')
  })
})

/** `grant_type=refresh_token`. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import type { Config } from '../../src/server/config/context.ts'
import { CLOCK_SKEW, LIFETIMES } from '../../src/server/config/defaults.ts'
import { readAccessToken } from '../../src/server/tokens/access_token.ts'
import { makeRefreshToken } from '../../src/server/tokens/refresh_token.ts'
import type { ConnectionRecord, GrantRefresh } from '../../src/stores/records.ts'
import { createTestContext, OTHER_RESOURCE, START } from '../support/context.ts'
import {
  begin,
  errorOf,
  grantOf,
  redeem,
  refresh,
  SCOPE,
  signIn,
  STRANGER,
  SUBJECT,
  testClient,
  tokenOf,
  verify,
} from './support.ts'

const DAY = 86_400

function lifetimes(changes: Partial<Config['lifetimes']>): Partial<Config> {
  return { lifetimes: { ...LIFETIMES, ...changes } }
}

describe('OAuth 2.1 §4.3.1 rotation', () => {
  it('RF-01 each refresh gives a new refresh token and a new access token', async () => {
    const { context, eventTypes } = createTestContext()
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    expect(tokenOf(second)).not.toBe(tokenOf(first))
    expect(second.access_token).not.toBe(first.access_token)
    expect(second).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: first.scope })
    expect(await verify(context, second.access_token)).toBe('verified')
    expect(await verify(context, first.access_token)).toBe('verified')
    expect(eventTypes()).toEqual(['grant_begun', 'grant_refreshed'])
  })

  it('RF-01 a confidential client rotates too', async () => {
    const { context } = createTestContext()
    const client = testClient('client-one', { token_endpoint_auth_method: 'client_secret_basic' })
    const first = await redeem(context, await signIn(context), {}, client)
    const second = await refresh(context, first.refresh_token, {}, client)
    expect(tokenOf(second)).not.toBe(tokenOf(first))
    await refresh(context, second.refresh_token, {}, client)
    expect(await errorOf(refresh(context, first.refresh_token, {}, client))).toBe('invalid_grant')
  })

  it('RF-02 a token older than the one before ends the grant, even within the window', async () => {
    const { context, events } = createTestContext()
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    const third = await refresh(context, second.refresh_token)
    expect(await errorOf(refresh(context, first.refresh_token))).toBe('invalid_grant')
    expect(events.at(-1)).toMatchObject({ type: 'grant_ended', reason: 'refresh_token_reused' })
    for (const { access_token, refresh_token } of [first, second, third]) {
      expect(await verify(context, access_token)).toBe('grant_ended')
      expect(await errorOf(refresh(context, refresh_token))).toBe('invalid_grant')
    }
  })

  it('RF-02 the token before ends the grant once the window is over', async () => {
    const { context, advance } = createTestContext()
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    advance(60)
    expect(await errorOf(refresh(context, first.refresh_token))).toBe('invalid_grant')
    expect(await verify(context, second.access_token)).toBe('grant_ended')
  })

  it('RF-03 a stranger gets nothing and breaks nothing', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    await refresh(context, second.refresh_token)
    for (const token of [first, second]) {
      expect(await errorOf(refresh(context, token.refresh_token, {}, STRANGER))).toBe(
        'invalid_grant',
      )
    }
    expect(await verify(context, second.access_token)).toBe('verified')
  })

  it('RF-03 a guess, however close, ends nothing', async () => {
    const { context } = createTestContext()
    const answer = await begin(context)
    const { id } = await grantOf(context, answer)
    const forged = makeRefreshToken(createKeyring([generateKey()]), id, 1, 'jti')
    expect(await errorOf(refresh(context, forged))).toBe('invalid_grant')
    expect(await verify(context, answer.access_token)).toBe('verified')
  })

  it.each([
    ['random', () => 'q'.repeat(80)],
    ['truncated', (token: string) => token.slice(0, -1)],
    ['extended', (token: string) => `${token}A`],
    [
      'its last character changed',
      (token: string) => token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A'),
    ],
    ['in capitals', (token: string) => token.toUpperCase()],
    ['null', () => 'null'],
    ['with NUL', (token: string) => `${token}\u0001`],
    ['of 50 kB', (token: string) => token + 'x'.repeat(50_000)],
    ['with a blank', (token: string) => ` ${token}`],
  ])(
    'RF-10 a token that is %s is invalid_grant, and the genuine one still works',
    async (_what, bend) => {
      const { context } = createTestContext()
      const answer = await begin(context)
      expect(await errorOf(refresh(context, bend(tokenOf(answer))))).toBe('invalid_grant')
      expect(await errorOf(refresh(context, answer.refresh_token))).toBe('none')
    },
  )

  it('RF-10 no token is invalid_request', async () => {
    expect(await errorOf(refresh(createTestContext().context, ''))).toBe('invalid_request')
  })

  it('RF-08 access tokens and codes are no refresh tokens', async () => {
    const { context } = createTestContext()
    const { access_token } = await begin(context)
    const { code } = await signIn(context)
    for (const token of [access_token, code]) {
      expect(await errorOf(refresh(context, token))).toBe('invalid_grant')
    }
  })

  it('RF-11 a later sign-in with more scope gives an older one nothing', async () => {
    const { context } = createTestContext()
    const old = await begin(context, { ticket: { scope: ['notes:read'] } })
    await begin(context)
    expect((await refresh(context, old.refresh_token)).scope).toBe('notes:read')
    expect(await errorOf(refresh(context, old.refresh_token, { scope: 'notes:write' }))).toBe(
      'invalid_scope',
    )
  })
})

describe('RFC 6749 §6 scope and resource of a refresh', () => {
  it('RF-04 more than was granted is invalid_scope, and the token still works', async () => {
    const { context } = createTestContext()
    const { refresh_token } = await begin(context)
    for (const scope of ['notes:read admin', 'notes:delete', 'offline_access', 'NOTES:READ']) {
      expect(await errorOf(refresh(context, refresh_token, { scope }))).toBe('invalid_scope')
    }
    expect(await errorOf(refresh(context, refresh_token, { scope: 'a"b' }))).toBe('invalid_scope')
    expect((await refresh(context, refresh_token, { scope: 'notes:read' })).scope).toBe(
      'notes:read',
    )
  })

  it('RF-16 narrower now, and the whole again later', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    const narrow = await refresh(context, first.refresh_token, { scope: 'notes:read' })
    const wide = await refresh(context, narrow.refresh_token, { scope: 'notes:read notes:write' })
    expect(narrow.scope).toBe('notes:read')
    expect(wide.scope).toBe('notes:read notes:write')
    const claims = Buffer.from(narrow.access_token.split('.')[1] ?? '', 'base64url').toString()
    expect(claims).not.toContain('notes:write')
    const again = await refresh(context, wide.refresh_token)
    expect(again.scope).toBe(SCOPE.join(' '))
  })

  it('a scope of blanks asks for nothing in particular', async () => {
    const { context } = createTestContext()
    const { refresh_token } = await begin(context)
    expect((await refresh(context, refresh_token, { scope: '  ' })).scope).toBe(SCOPE.join(' '))
  })

  it('RF-05 another resource is invalid_target, and the token still works', async () => {
    const { context } = createTestContext()
    const { refresh_token } = await begin(context)
    for (const resource of [
      'https://evil.example/mcp',
      OTHER_RESOURCE,
      'nonsense',
      'https://x/#y',
    ]) {
      expect(await errorOf(refresh(context, refresh_token, { resource }))).toBe('invalid_target')
    }
    expect(await errorOf(refresh(context, refresh_token))).toBe('none')
  })
})

describe('the replay window of a refresh', () => {
  it('RF-07 RF-12 a lost answer is given again, to the byte, as often as asked', async () => {
    const { context, advance, eventTypes } = createTestContext()
    const first = await begin(context)
    const answer = JSON.stringify(await refresh(context, first.refresh_token))
    for (const wait of [0, 1, 20, 38]) {
      advance(wait)
      expect(JSON.stringify(await refresh(context, first.refresh_token))).toBe(answer)
    }
    expect(eventTypes().slice(2)).toEqual(Array.from({ length: 4 }, () => 'grant_repeated'))
    const { refresh_token } = JSON.parse(answer) as { refresh_token: string }
    expect(await errorOf(refresh(context, refresh_token))).toBe('none')
  })

  it('RF-13 it ends with the first use of the successor', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    await refresh(context, first.refresh_token)
    const third = await refresh(context, second.refresh_token)
    expect(await errorOf(refresh(context, first.refresh_token))).toBe('invalid_grant')
    expect(await verify(context, third.access_token)).toBe('grant_ended')
    expect(await errorOf(refresh(context, third.refresh_token))).toBe('invalid_grant')
  })

  it('RF-12 an access token for another scope comes beside the same refresh token', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    const narrow = await refresh(context, first.refresh_token, { scope: 'notes:read' })
    const same = await refresh(context, first.refresh_token, { scope: 'notes:read notes:read' })
    const whole = await refresh(context, first.refresh_token)
    const other = await refresh(context, first.refresh_token, { scope: 'notes:write' })
    expect(same).toEqual(narrow)
    expect([whole.scope, other.scope]).toEqual([SCOPE.join(' '), 'notes:write'])
    expect(new Set([narrow, whole, other].map(tokenOf)).size).toBe(1)
    for (const { access_token } of [narrow, whole, other])
      expect(await verify(context, access_token)).toBe('verified')
    expect(await errorOf(refresh(context, first.refresh_token, { scope: 'admin' }))).toBe(
      'invalid_scope',
    )
    expect(await errorOf(refresh(context, first.refresh_token, { resource: OTHER_RESOURCE }))).toBe(
      'invalid_target',
    )
  })

  it('RF-03 a stranger gets no answer out of it', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    await refresh(context, first.refresh_token)
    expect(await errorOf(refresh(context, first.refresh_token, {}, STRANGER))).toBe('invalid_grant')
  })

  it('a window of 0 gives nothing twice, and keeps nothing', async () => {
    const { context } = createTestContext({ config: lifetimes({ replayWindow: 0 }) })
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    expect((await grantOf(context, second)).refresh?.previous).toBeUndefined()
    expect(await errorOf(refresh(context, first.refresh_token))).toBe('invalid_grant')
    expect(await verify(context, second.access_token)).toBe('grant_ended')
  })

  it('ST-01 what is kept holds no token, and makes none without the key', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    const grant = await grantOf(context, second)
    const stored = JSON.stringify(grant)
    for (const { access_token, refresh_token } of [first, second]) {
      expect(stored).not.toContain(access_token)
      expect(stored).not.toContain(refresh_token)
      for (const token of [access_token, refresh_token ?? '']) {
        expect(stored).not.toContain(token.split('.').at(-1))
      }
    }
    const { jti = '', generation = 0 } = grant.refresh ?? {}
    const made = makeRefreshToken(createKeyring([generateKey()]), grant.id, generation, jti)
    const real = makeRefreshToken(context.keys, grant.id, generation, jti)
    expect(real).toBe(second.refresh_token)
    expect(await errorOf(refresh(context, made))).toBe('invalid_grant')
  })

  it('ST-03 what is kept of another grant opens no other, and none is made with an unknown key', async () => {
    const { context } = createTestContext()
    const [first, other] = [await begin(context), await begin(context)]
    const second = await refresh(context, first.refresh_token)
    const moved = await grantOf(context, await refresh(context, other.refresh_token))
    const { id } = await grantOf(context, first)
    const putBack = async (change: (refresh: GrantRefresh) => object) => {
      const found = await context.store.find('grant', id)
      const refresh = found?.record.refresh
      if (refresh === undefined || found === undefined) throw new Error('nothing was kept')
      const record = { ...found.record, refresh: { ...refresh, ...change(refresh) } }
      await context.store.replace('grant', record, found.version)
    }
    await putBack(({ previous }) => ({
      previous: { ...previous, answer: moved.refresh?.previous?.answer },
    }))
    expect(await refresh(context, first.refresh_token)).toEqual(second)
    await putBack(({ previous }) => ({
      previous: { ...previous, answer: { ...previous?.answer, kid: 'another' } },
    }))
    expect(await errorOf(refresh(context, first.refresh_token))).toBe('invalid_grant')
    // The newest token of another grant in the place of this one's: nobody holds such a token.
    await putBack(() => ({ jti: moved.refresh?.jti }))
    expect(await errorOf(refresh(context, second.refresh_token))).toBe('invalid_grant')
  })

  it('ST-03 who can write to the store has no token signed that lives longer', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    const { id } = await grantOf(context, await refresh(context, first.refresh_token))
    const found = await context.store.find('grant', id)
    const record = structuredClone(found?.record)
    if (record === undefined || found === undefined) throw new Error('there is no grant')
    Object.assign(record.refresh?.previous?.answer ?? {}, { exp: 4_000_000_000 })
    await context.store.replace('grant', record, found.version)
    const { access_token } = await refresh(context, first.refresh_token)
    const { exp } = readAccessToken(context.keys, access_token) ?? {}
    expect(exp).toBe(context.clock() + context.config.lifetimes.accessToken + CLOCK_SKEW)
  })

  it('ST-05 the same answer comes after a new key was put in front', async () => {
    const keys = [generateKey(), generateKey()]
    const { context } = createTestContext({ keys: createKeyring(keys.slice(1)) })
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    const rotated = { ...context, keys: createKeyring(keys) }
    expect(await refresh(rotated, first.refresh_token)).toEqual(second)
    const third = await refresh(rotated, second.refresh_token)
    expect(third.access_token.slice(7, 13)).toBe(rotated.keys.newest.kid)
    const retired = { ...context, keys: createKeyring(keys.slice(0, 1)) }
    expect(await errorOf(refresh(retired, second.refresh_token))).toBe('invalid_grant')
    expect(await errorOf(refresh(retired, third.refresh_token))).toBe('none')
  })
})

describe('OAuth 2.1 §4.3.1 lifetimes', () => {
  it('RF-15 an unused refresh token expires, to the second', async () => {
    const { context, advance } = createTestContext()
    const [one, two] = [await begin(context), await begin(context)]
    advance(30 * DAY - 1)
    const next = await refresh(context, one.refresh_token)
    advance(1)
    expect(await errorOf(refresh(context, two.refresh_token))).toBe('invalid_grant')
    advance(30 * DAY - 2)
    expect(await errorOf(refresh(context, next.refresh_token))).toBe('none')
  })

  it('RF-15 rotation does not move the absolute limit, and no token passes it', async () => {
    const { context, advance } = createTestContext()
    let answer = await begin(context)
    for (let day = 0; day < 364; day += 28) {
      advance(28 * DAY)
      answer = await refresh(context, answer.refresh_token)
    }
    advance(DAY - 100)
    answer = await refresh(context, answer.refresh_token)
    expect(answer.expires_in).toBe(100)
    advance(100)
    expect(await errorOf(refresh(context, answer.refresh_token))).toBe('invalid_grant')
    expect(await verify(context, answer.access_token)).toBe('expired')
  })

  it('ST-19 ST-18 clean-up takes a grant only when no instance can need it', async () => {
    const { context, advance } = createTestContext({
      config: lifetimes({ refreshTokenIdle: 600, accessToken: 3600 }),
    })
    const answer = await refresh(context, (await begin(context)).refresh_token)
    advance(3599)
    expect(await context.store.deleteExpired(context.clock() + 30, 10)).toBe(0)
    expect(await verify(context, answer.access_token)).toBe('verified')
    expect(await errorOf(refresh(context, answer.refresh_token))).toBe('invalid_grant')
    advance(31)
    expect(await context.store.deleteExpired(context.clock(), 10)).toBe(1)
    expect(await verify(context, answer.access_token)).toBe('expired')
  })

  it('a grant in use is kept on, and shorter lifetimes cut off no token that is out', async () => {
    const { context, advance } = createTestContext()
    const first = await begin(context)
    advance(29 * DAY)
    await refresh(context, first.refresh_token)
    expect((await grantOf(context, first)).expiresAt).toBe(START + 59 * DAY + 30)
    const shorter = {
      ...context,
      config: { ...context.config, ...lifetimes({ refreshTokenIdle: 60, accessToken: 60 }) },
    }
    await refresh(shorter, first.refresh_token)
    expect((await grantOf(context, first)).expiresAt).toBe(START + 59 * DAY + 30)
  })

  it('ST-18 instances 30 seconds apart sign nobody out', async () => {
    const { context, advance } = createTestContext()
    const ahead = { ...context, clock: () => context.clock() + 30 }
    let answer = await redeem(ahead, await signIn(context))
    for (const instance of [context, ahead, context, context, ahead]) {
      const again = await refresh(instance, answer.refresh_token)
      advance(29)
      for (const other of [context, ahead]) {
        expect(await refresh(other, answer.refresh_token)).toEqual(again)
        expect(await verify(other, again.access_token)).toBe('verified')
      }
      answer = again
    }
  })
})

describe('RF-17 who is still welcome', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('RF-17 a user whom the operator locks out is out at the next refresh', async () => {
    let welcome = true
    const { context, events } = createTestContext({ config: { allow: async () => welcome } })
    const answer = await begin(context)
    welcome = false
    expect(await errorOf(refresh(context, answer.refresh_token))).toBe('invalid_grant')
    expect(events.at(-1)).toMatchObject({ type: 'grant_ended', reason: 'revoked_by_operator' })
    expect(await verify(context, answer.access_token)).toBe('grant_ended')
  })

  it('RF-17 allow() that throws, at once or later, ends nothing', async () => {
    for (const fail of [
      () => Promise.reject(new Error('down')),
      () => {
        throw new Error('down')
      },
    ]) {
      let broken = false
      const { context, eventTypes } = createTestContext({
        config: { allow: async () => (broken ? fail() : true) },
      })
      const answer = await begin(context)
      broken = true
      await expect(refresh(context, answer.refresh_token)).rejects.toMatchObject({
        code: 'temporarily_unavailable',
        status: 503,
        retryAfter: 5,
      })
      expect(eventTypes()).toEqual(['grant_begun'])
      broken = false
      expect(await errorOf(refresh(context, answer.refresh_token))).toBe('none')
    }
  })

  it('RF-17 allow() that never answers is an outage after five seconds', async () => {
    vi.useFakeTimers()
    let hangs = false
    const allow = (): Promise<boolean> =>
      hangs ? new Promise(() => undefined) : Promise.resolve(true)
    const { context } = createTestContext({ config: { allow } })
    const answer = await begin(context)
    hangs = true
    const outcome = errorOf(refresh(context, answer.refresh_token))
    await vi.advanceTimersByTimeAsync(5000)
    expect(await outcome).toBe('temporarily_unavailable')
    expect(vi.getTimerCount()).toBe(0)
    hangs = false
    expect(await errorOf(refresh(context, answer.refresh_token))).toBe('none')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('RF-17 an allow() that answers late judges the grant as it is then', async () => {
    let release = (_welcome: boolean): void => undefined
    let slow = false
    const { context } = createTestContext({
      config: {
        allow: async () => (slow ? new Promise<boolean>((resolve) => (release = resolve)) : true),
      },
    })
    const first = await begin(context)
    slow = true
    const waiting = refresh(context, first.refresh_token)
    await vi.waitFor(() => release.length === 1)
    slow = false
    const second = await refresh(context, first.refresh_token)
    release(true)
    expect(await waiting).toEqual(second)
  })

  it('RF-02 the alarm of an old token does not wait for allow()', async () => {
    let broken = false
    const { context } = createTestContext({
      config: { allow: async () => (broken ? Promise.reject(new Error('down')) : true) },
    })
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    const third = await refresh(context, second.refresh_token)
    broken = true
    expect(await errorOf(refresh(context, first.refresh_token))).toBe('invalid_grant')
    expect(await verify(context, third.access_token)).toBe('grant_ended')
  })

  const connection: ConnectionRecord = {
    id: 'connection-1',
    expiresAt: undefined,
    subject: SUBJECT,
    upstream: 'test',
    token_endpoint: undefined,
    access_token: 's1.x.y' as ConnectionRecord['access_token'],
    refresh_token: undefined,
    scope: undefined,
    accessExpiresAt: undefined,
    deadAt: undefined,
    lease: undefined,
    updatedAt: START,
  }

  it('RF-17 a live connection lets pass, a dead one ends the grant', async () => {
    const { context, events } = createTestContext()
    await context.store.insert('connection', connection)
    const first = await begin(context, { connectionId: connection.id })
    const second = await refresh(context, first.refresh_token)
    await context.store.replace('connection', { ...connection, deadAt: START }, 1)
    expect(await errorOf(refresh(context, second.refresh_token))).toBe('invalid_grant')
    expect(events.at(-1)).toMatchObject({ type: 'grant_ended', reason: 'upstream_refused' })
  })

  it('RF-17 so does one that is gone', async () => {
    const { context } = createTestContext()
    await context.store.insert('connection', connection)
    const answer = await begin(context, { connectionId: connection.id })
    await context.store.take('connection', connection.id)
    expect(await errorOf(refresh(context, answer.refresh_token))).toBe('invalid_grant')
    expect(await verify(context, answer.access_token)).toBe('grant_ended')
  })
})

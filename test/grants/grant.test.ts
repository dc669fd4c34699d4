/** The transitions of a grant, one by one. `model.test.ts` tries their orders. */
import { describe, expect, it } from 'vitest'
import {
  endGrant,
  isCurrent,
  isLive,
  redeem,
  revokeToken,
  rotate,
  type Successor,
} from '../../src/server/grants/grant.ts'
import type { GrantRecord, KeptAnswer } from '../../src/stores/records.ts'
import { RESOURCE } from '../support/context.ts'
import { USER } from './support.ts'

const NOW = 1000
const SKEW = 30
const code = { redirect_uri: 'https://c/cb', code_challenge: 'x', expiresAt: NOW + 60 }
const usedCode = { ...code, redirect_uri: undefined }

function fresh(changes: Partial<GrantRecord> = {}): GrantRecord {
  return {
    id: 'grant-1',
    expiresAt: NOW + 3660,
    subject: 'subject',
    client_id: 'client',
    resource: RESOURCE,
    scope: ['notes:read'],
    connectionId: undefined,
    user: USER,
    createdAt: NOW,
    endedAt: undefined,
    endReason: undefined,
    code: { ...code, redeemedAt: undefined },
    refresh: undefined,
    revokedTokens: [],
    ...changes,
  }
}

function redeemed(changes: Partial<GrantRecord> = {}): GrantRecord {
  return fresh({
    code: { ...usedCode, redeemedAt: NOW },
    refresh: {
      generation: 1,
      jti: 'one',
      previous: undefined,
      idleExpiresAt: NOW + 500,
      absoluteExpiresAt: NOW + 900,
    },
    ...changes,
  })
}

function answer(now: number): KeptAnswer {
  return { kid: 'abcdef', issuedAt: now, exp: now + 100, scope: [] }
}

function successor(jti: string, now: number, changes: Partial<Successor> = {}): Successor {
  return {
    jti,
    replay: { answer: answer(now), until: now + 60 },
    idleExpiresAt: now + 500,
    accessExpiresAt: now + 100,
    ...changes,
  }
}

/** Freezes to the ground, so that a transition that changes its input throws. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze)
  return Object.freeze(value)
}

describe('RFC 6749 §4.1.2 redeem', () => {
  const next = { refresh: redeemed().refresh, accessExpiresAt: NOW + 3600 }

  it('gives the tokens once, and remembers that it did', () => {
    const first = redeem(freeze(fresh()), next, NOW + 59)
    if (first.outcome !== 'redeemed') throw new Error(first.outcome)
    expect(first.grant).toEqual({
      ...fresh(),
      code: { ...usedCode, redeemedAt: NOW + 59 },
      refresh: next.refresh,
      expiresAt: NOW + 3600 + SKEW,
    })
    const second = redeem(freeze(first.grant), next, NOW + 59)
    expect(second).toMatchObject({ outcome: 'reused', grant: { endReason: 'code_reused' } })
  })

  it('refuses a late code and an ended grant, and changes nothing', () => {
    expect(redeem(fresh(), next, NOW + 60)).toEqual({ outcome: 'refused' })
    const ended = endGrant(fresh(), 'revoked_by_user', NOW)
    expect(redeem(ended, next, NOW)).toEqual({ outcome: 'refused' })
  })
})

describe('OAuth 2.1 §4.3.1 rotate', () => {
  it('rotates the newest token and keeps the answer for it', () => {
    const grant = freeze(redeemed())
    const result = rotate(grant, 'one', successor('two', NOW + 10), NOW + 10)
    if (result.outcome !== 'rotated') throw new Error(result.outcome)
    expect(result.grant.refresh).toEqual({
      generation: 2,
      jti: 'two',
      previous: { jti: 'one', answer: answer(NOW + 10), until: NOW + 70 },
      idleExpiresAt: NOW + 510,
      absoluteExpiresAt: NOW + 900,
    })
    expect(result.grant.code).toEqual(grant.code)
    expect(isCurrent(result.grant, 'two')).toBe(true)
    expect(isCurrent(result.grant, 'one')).toBe(false)
  })

  it('repeats within the window, and ends the grant at its very end', () => {
    const rotated = rotate(redeemed(), 'one', successor('two', NOW), NOW)
    if (rotated.outcome !== 'rotated') throw new Error(rotated.outcome)
    const again = successor('never', NOW)
    expect(rotate(freeze(rotated.grant), 'one', again, NOW + 59)).toEqual({
      outcome: 'repeated',
      answer: answer(NOW),
      jti: 'two',
    })
    expect(rotate(rotated.grant, 'one', again, NOW + 60)).toMatchObject({
      outcome: 'reused',
      grant: { endReason: 'refresh_token_reused', refresh: undefined, code: undefined },
    })
  })

  it('keeps nothing where nothing is given twice', () => {
    const next = successor('two', NOW, { replay: undefined })
    const rotated = rotate(redeemed(), 'one', next, NOW)
    if (rotated.outcome !== 'rotated') throw new Error(rotated.outcome)
    expect(rotated.grant.refresh?.previous).toBeUndefined()
    expect(rotate(rotated.grant, 'one', next, NOW).outcome).toBe('reused')
  })

  it('never moves the absolute limit, nor the idle one past it', () => {
    const rotated = rotate(redeemed(), 'one', successor('two', NOW + 499), NOW + 499)
    if (rotated.outcome !== 'rotated') throw new Error(rotated.outcome)
    expect(rotated.grant.refresh).toMatchObject({
      idleExpiresAt: NOW + 900,
      absoluteExpiresAt: NOW + 900,
    })
    expect(rotate(rotated.grant, 'two', successor('x', NOW), NOW + 900).outcome).toBe('expired')
  })

  it('an expired token neither rotates nor accuses', () => {
    for (const token of ['one', 'zero']) {
      expect(rotate(redeemed(), token, successor('x', NOW), NOW + 500)).toEqual({
        outcome: 'expired',
      })
    }
  })

  it('nothing comes from a grant that has ended, or was never redeemed', () => {
    const ended = endGrant(redeemed(), 'revoked_by_user', NOW)
    for (const grant of [ended, fresh()]) {
      expect(rotate(grant, 'one', successor('x', NOW), NOW)).toEqual({ outcome: 'ended' })
    }
  })
})

describe('RFC 7009 §2.1 revoke one access token', () => {
  it('is remembered until the token has expired by every clock', () => {
    const once = revokeToken(freeze(redeemed()), 'a', NOW + 100, NOW)
    expect(once.revokedTokens).toEqual([{ jti: 'a', expiresAt: NOW + 100 }])
    const late = revokeToken(freeze(once), 'b', NOW + 900, NOW + 100 + SKEW - 1)
    expect(late.revokedTokens.map(({ jti }) => jti)).toEqual(['a', 'b'])
    const later = revokeToken(once, 'b', NOW + 900, NOW + 100 + SKEW)
    expect(later.revokedTokens.map(({ jti }) => jti)).toEqual(['b'])
    const rotated = rotate(once, 'one', successor('two', NOW), NOW + 100 + SKEW)
    expect(rotated).toMatchObject({ outcome: 'rotated', grant: { revokedTokens: [] } })
  })

  it('twice, too late, or of an ended grant, it changes nothing', () => {
    const once = revokeToken(redeemed(), 'a', NOW + 100, NOW)
    expect(revokeToken(once, 'a', NOW + 100, NOW)).toBe(once)
    expect(revokeToken(once, 'b', NOW - SKEW, NOW)).toBe(once)
    const ended = endGrant(once, 'superseded', NOW)
    expect(revokeToken(ended, 'b', NOW + 100, NOW)).toBe(ended)
  })

  it('§2.1 a hundred at once are remembered; the next takes the grant along', () => {
    let grant = redeemed()
    for (let at = 0; at < 100; at += 1) grant = revokeToken(grant, `t${at}`, NOW + 100, NOW)
    expect([grant.revokedTokens.length, grant.endedAt]).toEqual([100, undefined])
    expect(revokeToken(grant, 't5', NOW + 100, NOW)).toBe(grant)
    const over = revokeToken(grant, 'more', NOW + 100, NOW)
    expect(over).toMatchObject({ endedAt: NOW, endReason: 'revoked_by_client', revokedTokens: [] })
    expect(revokeToken(grant, 'more', NOW + 900, NOW + 131).revokedTokens.length).toBe(1)
  })
})

describe('the end of a grant', () => {
  it('is final, keeps its first reason, and drops everything that could be presented', () => {
    const ended = endGrant(
      freeze(redeemed({ revokedTokens: [{ jti: 'a', expiresAt: 1 }] })),
      'superseded',
      NOW,
    )
    expect(ended).toMatchObject({
      code: undefined,
      refresh: undefined,
      revokedTokens: [],
      endedAt: NOW,
      endReason: 'superseded',
      expiresAt: NOW + 86_400,
    })
    expect(endGrant(ended, 'code_reused', NOW + 1)).toBe(ended)
  })

  it('ST-19 a grant is live while something can be had from it, whatever was cleaned up', () => {
    expect(isLive(fresh(), NOW + 59)).toBe(true)
    expect(isLive(fresh(), NOW + 60)).toBe(false)
    expect(isLive(redeemed(), NOW + 3659)).toBe(true)
    expect(isLive(redeemed(), NOW + 3660)).toBe(false)
    expect(isLive(redeemed({ expiresAt: undefined }), NOW + 9999)).toBe(true)
    expect(isLive(endGrant(redeemed(), 'superseded', NOW), NOW)).toBe(false)
    expect(isLive(fresh({ code: undefined }), NOW)).toBe(false)
  })
})

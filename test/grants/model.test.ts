/**
 * A small model of a grant, written from the rules and not from the code, against the transitions: both
 * must give the same answer at each step of random sequences, and agree on which tokens still hold.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  endGrant,
  isCurrent,
  isLive,
  redeem,
  revokeToken,
  rotate,
} from '../../src/server/grants/grant.ts'
import { judgeGrant } from '../../src/server/tokens/local_verifier.ts'
import type { GrantRecord } from '../../src/stores/records.ts'
import { RESOURCE } from '../support/context.ts'
import { USER } from './support.ts'

const CODE_LIFE = 60
const IDLE = 500
const ABSOLUTE = 2000
const ACCESS = 100
const WINDOW = 40

type Step =
  | { readonly type: 'redeem' }
  | { readonly type: 'refresh'; readonly back: number }
  | { readonly type: 'revoke'; readonly back: number }
  | { readonly type: 'end' }
  | { readonly type: 'wait'; readonly seconds: number }

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: fc.constant('redeem') }) },
  // How many generations back the presented token is: mostly the newest, often the one before.
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('refresh'),
      back: fc.oneof(
        { weight: 6, arbitrary: fc.constant(0) },
        { weight: 3, arbitrary: fc.constant(1) },
        fc.nat(4),
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('revoke'), back: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('wait'),
      seconds: fc.oneof(
        fc.nat(30),
        fc.constantFrom(WINDOW - 1, WINDOW, CODE_LIFE, ACCESS, IDLE - 1, IDLE),
      ),
    }),
  },
) as fc.Arbitrary<Step>

/** One refresh token as the model knows it. */
interface Given {
  readonly name: string
  readonly at: number
  used: number | undefined
}

/** An access token as the model knows it. */
interface Access {
  readonly jti: string
  readonly exp: number
  revoked: boolean
}

/** The model: lists of everything that was ever given. */
interface Model {
  now: number
  over: boolean
  redeemed: number | undefined
  readonly refresh: Given[]
  readonly access: Access[]
}

// The rules, in the plainest form.

function modelRedeem(model: Model): string {
  if (model.over) return 'refused'
  if (model.redeemed !== undefined) {
    model.over = true
    return 'reused'
  }
  if (model.now >= CODE_LIFE) return 'refused'
  model.redeemed = model.now
  give(model)
  return 'redeemed'
}

function modelRotate(model: Model, at: number): string {
  const token = model.refresh[at]
  const newest = model.refresh.at(-1)
  if (model.over || token === undefined || newest === undefined) return 'ended'
  const begun = model.redeemed ?? 0
  if (model.now >= newest.at + IDLE || model.now >= begun + ABSOLUTE) return 'expired'
  if (token === newest) {
    token.used = model.now
    give(model)
    return 'rotated'
  }
  const successor = model.refresh[at + 1]
  const unused = successor !== undefined && successor.used === undefined
  if (unused && token.used !== undefined && model.now < token.used + WINDOW) {
    return `repeated with ${successor.name}`
  }
  model.over = true
  return 'reused'
}

function give(model: Model): void {
  const count = model.refresh.length
  model.refresh.push({ name: `r${count}`, at: model.now, used: undefined })
  const exp = Math.min(model.now + ACCESS, (model.redeemed ?? 0) + ABSOLUTE)
  model.access.push({ jti: `a${count}`, exp, revoked: false })
}

/** The record, driven by the same steps. */
interface Real {
  grant: GrantRecord
}

const BEGUN: GrantRecord = {
  id: 'grant',
  expiresAt: CODE_LIFE + 3600,
  subject: 's',
  client_id: 'c',
  resource: RESOURCE,
  scope: [],
  connectionId: undefined,
  user: USER,
  createdAt: 0,
  endedAt: undefined,
  endReason: undefined,
  code: {
    redirect_uri: 'https://c/cb',
    code_challenge: 'x',
    expiresAt: CODE_LIFE,
    redeemedAt: undefined,
  },
  refresh: undefined,
  revokedTokens: [],
}

function realRedeem(real: Real, now: number): string {
  const refresh = {
    generation: 1,
    jti: 'r0',
    previous: undefined,
    idleExpiresAt: now + IDLE,
    absoluteExpiresAt: now + ABSOLUTE,
  }
  const next = { refresh, accessExpiresAt: now + ACCESS }
  const result = redeem(real.grant, next, now)
  if ('grant' in result) real.grant = result.grant
  return result.outcome
}

function realRotate(
  real: Real,
  presented: string,
  next: string,
  accessExpiresAt: number,
  now: number,
): string {
  const successor = {
    jti: next,
    replay: {
      answer: { kid: 'abcdef', issuedAt: now, exp: accessExpiresAt, scope: [] },
      until: now + WINDOW,
    },
    idleExpiresAt: now + IDLE,
    accessExpiresAt,
  }
  const result = rotate(real.grant, presented, successor, now)
  if ('grant' in result) real.grant = result.grant
  return result.outcome === 'repeated' ? `repeated with ${result.jti}` : result.outcome
}

/** Plays a sequence on both sides and gives the first disagreement; undefined where there is none. */
function play(list: readonly Step[], seen: Map<string, number>): string | undefined {
  const model: Model = { now: 0, over: false, redeemed: undefined, refresh: [], access: [] }
  const real: Real = { grant: BEGUN }
  for (const [at, step] of list.entries()) {
    const wasOver = model.over
    const [expected, answer] = take(step, model, real)
    const outcome = answer.split(' ')[0] ?? ''
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
    if (answer !== expected) return `step ${at}: ${answer} instead of ${expected}`
    if (wasOver && !model.over) return `step ${at}: a grant that had ended lives again`
    const fault = judgeState(model, real)
    if (fault !== undefined) return `step ${at}: ${fault}`
  }
  return undefined
}

function take(step: Step, model: Model, real: Real): readonly [expected: string, answer: string] {
  const { now } = model
  switch (step.type) {
    case 'redeem':
      return [modelRedeem(model), realRedeem(real, now)]
    case 'refresh': {
      const at = model.refresh.length - 1 - step.back
      const presented = model.refresh[at]?.name ?? 'of another grant'
      if (model.refresh[at] === undefined && !model.over && model.refresh.length > 0) {
        // An authentic token that this grant never gave cannot be, but for a store that was rolled back.
        return ['none', 'none']
      }
      const exp = Math.min(now + ACCESS, (model.redeemed ?? 0) + ABSOLUTE)
      const answer = realRotate(real, presented, `r${model.refresh.length}`, exp, now)
      return [modelRotate(model, at), answer]
    }
    case 'revoke': {
      const token = model.access[model.access.length - 1 - step.back]
      if (token === undefined) return ['none', 'none']
      token.revoked = true
      real.grant = revokeToken(real.grant, token.jti, token.exp, now)
      return ['none', 'none']
    }
    case 'end':
      model.over = true
      real.grant = endGrant(real.grant, 'revoked_by_user', now)
      return ['none', 'none']
    case 'wait':
      model.now += step.seconds
      return ['none', 'none']
  }
}

/** What must be so after every step, as a sentence where it is not. */
function judgeState(model: Model, { grant }: Real): string | undefined {
  const { now, over } = model
  if ((grant.endedAt !== undefined) !== over) return 'one has ended and the other not'
  if (over && (grant.code ?? grant.refresh) !== undefined)
    return 'a code or token outlived the grant'
  for (const { jti, exp, revoked } of model.access) {
    const claims = { grantId: 'grant', jti, exp, resource: RESOURCE, scope: '' }
    const holds = now < exp && judgeGrant(grant, claims) === undefined
    if (holds !== (!over && !revoked && now < exp)) return `${jti} ${holds ? 'holds' : 'does not'}`
    // A clean-up must take no token away, not even by a clock that is 30 seconds ahead.
    if (holds && (grant.expiresAt ?? Infinity) < now + 30) return `${jti} could be cleaned away`
    if (holds && !isLive(grant, now)) return `${jti} holds of a grant that is not live`
  }
  const current = model.refresh.filter(({ name }) => isCurrent(grant, name)).length
  const due = over || model.refresh.length === 0 ? 0 : 1
  return current === due ? undefined : `${current} refresh tokens are the newest`
}

describe('TK-37 the states of a grant', () => {
  it('TK-37 model and transitions agree on every answer of 100,000 random sequences', () => {
    const seen = new Map<string, number>()
    const sequences = fc
      .array(steps, { minLength: 1, maxLength: 40 })
      .map((list): Step[] => [{ type: 'redeem' }, ...list])
    const either = fc.oneof(
      { weight: 4, arbitrary: sequences },
      { weight: 1, arbitrary: fc.array(steps, { maxLength: 15 }) },
    )
    fc.assert(
      fc.property(either, (list) => {
        const disagreement = play(list, seen)
        if (disagreement !== undefined) throw new Error(disagreement)
      }),
      { numRuns: 100_000 },
    )
    for (const outcome of [
      'redeemed',
      'refused',
      'reused',
      'rotated',
      'repeated',
      'expired',
      'ended',
    ]) {
      expect(seen.get(outcome) ?? 0, outcome).toBeGreaterThan(100)
    }
  }, 120_000)
})

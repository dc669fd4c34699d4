/**
 * Fifty at once for each step of a grant, over a store in memory and over two instances on one file.
 */
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/server/config/context.ts'
import { applyToGrant } from '../../src/server/grants/apply.ts'
import { endGrant, isLive, revokeToken } from '../../src/server/grants/grant.ts'
import { listGrants } from '../../src/server/grants/begin.ts'
import type { TokenResponse } from '../../src/server/grants/token_response.ts'
import { readAccessToken } from '../../src/server/tokens/access_token.ts'
import { memory } from '../../src/stores/memory.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { createTestContext, type TestContext } from '../support/context.ts'
import { tempFiles } from '../support/temp.ts'
import {
  begin,
  CLIENT,
  errorOf,
  grantOf,
  redeem,
  refresh,
  signIn,
  STRANGER,
  SUBJECT,
  tokenOf,
  verify,
} from './support.ts'

const fresh = tempFiles('.db')
const FIFTY: readonly number[] = Array.from({ length: 50 }, (_, at) => at)

/** Two instances over one state: the same keys and clock, and each its own way into the store. */
interface Pair extends TestContext {
  readonly instances: readonly [Context, Context]
  close(): Promise<void>
}

function createPair(
  stores: readonly [Store, Store],
  config: Partial<Context['config']> = {},
): Pair {
  const made = createTestContext({ store: stores[0], config })
  const instances = [made.context, { ...made.context, store: stores[1] }] as const
  return {
    ...made,
    instances,
    close: async () => void (await Promise.all(stores.map((one) => one.close()))),
  }
}

const STORES: readonly [name: string, create: () => readonly [Store, Store]][] = [
  [
    'memory',
    () => {
      const store = memory()
      return [store, store]
    },
  ],
  [
    'two instances on one SQLite file',
    () => {
      const file = fresh()
      return [sqlite(file), sqlite(file)]
    },
  ],
]

/** Lets others go first, so many turns of the promise queue long. */
async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
}

/** What fifty callers got, each at one instance or the other. */
async function fifty<T>(
  { instances }: Pair,
  work: (context: Context, at: number) => Promise<T>,
): Promise<readonly PromiseSettledResult<T>[]> {
  return Promise.allSettled(FIFTY.map((at) => work(instances[at % 2 === 0 ? 0 : 1], at)))
}

function won<T>(results: readonly PromiseSettledResult<T>[]): readonly T[] {
  return results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}

/** The codes of the errors among the results. Anything that is no OAuthError is named `fault`. */
function lost(results: readonly PromiseSettledResult<unknown>[]): readonly string[] {
  const codes = results.flatMap((one) =>
    one.status === 'rejected' ? [String((one.reason as { code?: string }).code ?? 'fault')] : [],
  )
  return [...new Set(codes)]
}

describe.each(STORES)('races over %s', (_name, createStores) => {
  it('TK-20 RFC 6749 §4.1.2 of fifty redemptions of one code one succeeds', async () => {
    const pair = createPair(createStores())
    for (let round = 0; round < 3; round += 1) {
      const issued = await signIn(pair.context)
      const results = await fifty(pair, (context) => redeem(context, issued))
      expect(won(results).length).toBe(1)
      expect(lost(results)).toEqual(['invalid_grant'])
      // Each of the others held the code and its verifier, so this is a code used twice: TK-02.
      for (const { access_token, refresh_token } of won(results)) {
        expect(await verify(pair.context, access_token)).toBe('grant_ended')
        expect(await errorOf(refresh(pair.context, refresh_token))).toBe('invalid_grant')
      }
      expect(pair.eventTypes().filter((type) => type === 'grant_ended').length).toBe(round + 1)
    }
    await pair.close()
  })

  it('TK-03 of fifty, the one with the verifier wins and the rest break nothing', async () => {
    const pair = createPair(createStores())
    const issued = await signIn(pair.context)
    const results = await fifty(pair, (context, at) =>
      at === 25
        ? redeem(context, issued)
        : redeem(context, issued, at % 3 === 0 ? {} : { code_verifier: 'x'.repeat(43) }, STRANGER),
    )
    expect(won(results).length).toBe(1)
    for (const { access_token } of won(results))
      expect(await verify(pair.context, access_token)).toBe('verified')
    await pair.close()
  })

  it('RF-06 OAuth 2.1 §4.3.1 fifty refreshes with one token get one and the same answer', async () => {
    const pair = createPair(createStores())
    let token = tokenOf(await begin(pair.context))
    for (let round = 0; round < 3; round += 1) {
      const results = await fifty(pair, (context) => refresh(context, token))
      expect(lost(results)).toEqual([])
      expect(new Set(won(results).map((answer) => JSON.stringify(answer))).size).toBe(1)
      const [answer] = won(results)
      token = answer?.refresh_token ?? ''
      expect(await verify(pair.context, answer?.access_token ?? '')).toBe('verified')
    }
    expect(pair.eventTypes().filter((type) => type === 'grant_refreshed').length).toBe(3)
    await pair.close()
  })

  it('RF-12 RF-14 the other instance gives the same answer to the byte, and no answer after the window', async () => {
    const pair = createPair(createStores())
    const [one, other] = pair.instances
    const first = await begin(one)
    const answer = JSON.stringify(await refresh(one, first.refresh_token))
    for (const context of [other, one, other, other, one]) {
      expect(JSON.stringify(await refresh(context, first.refresh_token))).toBe(answer)
    }
    pair.advance(60)
    expect(await errorOf(refresh(other, first.refresh_token))).toBe('invalid_grant')
    expect(await verify(one, (JSON.parse(answer) as TokenResponse).access_token)).toBe(
      'grant_ended',
    )
    await pair.close()
  })

  it('RV-08 nothing that came out of a refresh lives on after a revocation beside it', async () => {
    const pair = createPair(createStores())
    for (let round = 0; round < 10; round += 1) {
      const first = await begin(pair.context)
      const found = await pair.context.store.find('grant', (await grantOf(pair.context, first)).id)
      if (found === undefined) throw new Error('there is no such grant')
      const now = pair.context.clock()
      const results = await fifty<TokenResponse | undefined>(pair, async (context, at) => {
        if (at % 8 === round % 8) return refresh(context, first.refresh_token)
        await applyToGrant(context, found, (grant) => ({
          grant: endGrant(grant, 'revoked_by_client', now),
        }))
        return undefined
      })
      expect(lost(results).filter((code) => code !== 'invalid_grant')).toEqual([])
      for (const answer of [first, ...won(results)]) {
        if (answer === undefined) continue
        expect(await verify(pair.context, answer.access_token)).toBe('grant_ended')
        expect(await errorOf(refresh(pair.context, answer.refresh_token))).toBe('invalid_grant')
      }
    }
    await pair.close()
  })

  it('RF-20 no family lives on after a reuse was detected, in 200 rounds', async () => {
    const pair = createPair(createStores())
    const [one, other] = pair.instances
    const outcomes = new Set<string>()
    for (let round = 0; round < 200; round += 1) {
      const first = await begin(one)
      const second = await refresh(one, first.refresh_token)
      const third = await refresh(one, second.refresh_token)
      // One of them is held back by so many turns, so that each wins some of the rounds.
      const reuse = pause(round % 20).then(() => refresh(other, first.refresh_token))
      const honest = pause(10).then(() => refresh(one, third.refresh_token))
      const results = await Promise.allSettled([reuse, honest])
      expect(lost(results)).toEqual(['invalid_grant'])
      outcomes.add(`${won(results).length} answered`)
      for (const answer of [third, ...won(results)]) {
        expect(await verify(one, answer.access_token)).toBe('grant_ended')
        expect(await errorOf(refresh(other, answer.refresh_token))).toBe('invalid_grant')
      }
    }
    // Both orders must have come up, or the race was none.
    expect([...outcomes].toSorted()).toEqual(['0 answered', '1 answered'])
    await pair.close()
  }, 60_000)

  it('RF-20 the newest token and the one before, all at once, leave one family or none', async () => {
    const pair = createPair(createStores())
    for (let round = 0; round < 20; round += 1) {
      const first = await begin(pair.context)
      const second = await refresh(pair.context, first.refresh_token)
      const results = await fifty(pair, async (context, at) => {
        await pause(at % (round + 1))
        return refresh(context, at % 2 === 0 ? first.refresh_token : second.refresh_token)
      })
      expect(lost(results).filter((code) => code !== 'invalid_grant')).toEqual([])
      // The one before is a reuse as soon as the newest has been used, and a replay as long as it was not.
      const state = lost(results).length === 0 ? 'verified' : 'grant_ended'
      for (const { access_token } of won(results))
        expect(await verify(pair.context, access_token)).toBe(state)
      expect(new Set(won(results).map(tokenOf)).size).toBeLessThanOrEqual(2)
    }
    await pair.close()
  })

  it('fifty access tokens revoked at once are all revoked', async () => {
    const pair = createPair(createStores())
    let answer = await begin(pair.context)
    const answers: TokenResponse[] = []
    for (const _one of FIFTY) {
      answer = await refresh(pair.context, answer.refresh_token)
      answers.push(answer)
    }
    const found = await pair.context.store.find('grant', (await grantOf(pair.context, answer)).id)
    if (found === undefined) throw new Error('there is no such grant')
    const results = await fifty(pair, async (context, at) => {
      const claims = readAccessToken(context.keys, answers[at]?.access_token ?? '')
      if (claims === undefined) throw new Error('not a token of ours')
      return applyToGrant(context, found, (grant) => ({
        grant: revokeToken(grant, claims.jti, claims.exp, context.clock()),
      }))
    })
    expect(lost(results)).toEqual([])
    for (const { access_token } of answers)
      expect(await verify(pair.context, access_token)).toBe('revoked')
    expect(await errorOf(refresh(pair.context, answer.refresh_token))).toBe('none')
    await pair.close()
  })

  it('fifty sign-ins at once leave as many as are allowed, and each ended once', async () => {
    const pair = createPair(createStores(), { maxGrantsPerClient: 20 })
    const results = await fifty(pair, (context) => signIn(context))
    expect(lost(results)).toEqual([])
    const live = (await listGrants(pair.context, SUBJECT)).filter(({ record }) =>
      isLive(record, pair.context.clock()),
    )
    // All begin in one second, so one of them may be older than the rest in the eyes of another.
    expect([19, 20]).toContain(live.length)
    expect(live.every(({ record }) => record.client_id === CLIENT.client_id)).toBe(true)
    const ended = pair.events.filter(({ type }) => type === 'grant_ended')
    expect(ended.length).toBe(50 - live.length)
    expect(new Set(ended.map(({ grantId }) => grantId)).size).toBe(ended.length)
    await pair.close()
  })
})

describe('a storm', () => {
  it('RF-21 5,000 clients that refresh at once are all served, and nobody is accused', async () => {
    const pair = createPair([sqlite(fresh()), memory()])
    const { context } = pair
    const many = Array.from({ length: 5000 }, (_, at) => at)
    const tokens = await Promise.all(
      many.map(async (at) => tokenOf(await begin(context, { subject: `user-${at}` }))),
    )
    const answers = await Promise.all(tokens.map((token) => refresh(context, token)))
    expect(new Set(answers.map(tokenOf)).size).toBe(5000)
    expect(pair.eventTypes()).not.toContain('grant_ended')
    await pair.close()
  }, 60_000)
})

describe('a restart', () => {
  it('RF-14 ST-08 forgets neither the answer that was given nor the tokens that are over', async () => {
    const file = fresh()
    const before = createTestContext({ store: sqlite(file) })
    const first = await begin(before.context)
    const answer = await refresh(before.context, first.refresh_token)
    const issued = await signIn(before.context)
    await redeem(before.context, issued)
    await before.context.store.close()

    const after = { ...before.context, store: sqlite(file) }
    expect(JSON.stringify(await refresh(after, first.refresh_token))).toBe(JSON.stringify(answer))
    expect(await errorOf(redeem(after, issued))).toBe('invalid_grant')
    const next = await refresh(after, answer.refresh_token)
    await after.store.close()

    const again = { ...before.context, store: sqlite(file) }
    expect(await errorOf(refresh(again, first.refresh_token))).toBe('invalid_grant')
    expect(await verify(again, next.access_token)).toBe('grant_ended')
    await again.store.close()
  })
})

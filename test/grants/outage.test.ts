/**
 * A store that fails, at each single call of each step: nothing but an outage is ever told, no half of a
 * step stays behind, and the client goes on with what it has.
 */
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/server/config/context.ts'
import { isLive } from '../../src/server/grants/grant.ts'
import { applyToGrant } from '../../src/server/grants/apply.ts'
import { createLocalVerifier } from '../../src/server/tokens/local_verifier.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { createTestContext, RESOURCE } from '../support/context.ts'
import { failingStore } from './failing_store.ts'
import { begin, errorOf, grantOf, redeem, refresh, signIn, testClient, verify } from './support.ts'

const dynamic = testClient('client-one', {}, 'dynamic')

/** How often `work` calls the store when all goes well. */
async function countCalls(
  context: Context,
  work: (context: Context) => Promise<unknown>,
): Promise<number> {
  let calls = 0
  const store = failingStore(context.store, () => {
    calls += 1
    return false
  })
  await work({ ...context, store })
  return calls
}

function failingAt(context: Context, failing: number, mode: 'refused' | 'lost'): Context {
  return { ...context, store: failingStore(context.store, ({ at }) => at === failing, mode) }
}

describe('ST-09 each single call to the store fails once', () => {
  it('ST-09 a redemption is 503, and the code redeems at the next try', async () => {
    const { context } = createTestContext()
    const trial = await signIn(context)
    const calls = await countCalls(context, (one) => redeem(one, trial, {}, dynamic))
    expect(calls).toBeGreaterThanOrEqual(3)
    for (let at = 0; at < calls; at += 1) {
      // The client is known by now, so that a later round may well make fewer calls than the first.
      const issued = await signIn(context)
      const work = redeem(failingAt(context, at, 'refused'), issued, {}, dynamic)
      const outcome = await work.catch((error: unknown) => error)
      if (!(outcome instanceof StoreUnavailable)) continue
      expect(await errorOf(redeem(context, issued, {}, dynamic)), `call ${at}`).toBe('none')
    }
  })

  it('TK-30 a redemption whose answer was lost never leaves two live sets of tokens', async () => {
    const { context } = createTestContext()
    for (const at of [0, 1]) {
      const issued = await signIn(context)
      const work = redeem(failingAt(context, at, 'lost'), issued)
      await expect(work).rejects.toThrow(StoreUnavailable)
      const retry = await errorOf(redeem(context, issued))
      // Before the write the code is as good as new; after it, it has been used.
      expect(retry).toBe(at === 0 ? 'none' : 'invalid_grant')
    }
  })

  it('ST-09 ST-12 a refresh is 503 and never invalid_grant, and the token still works', async () => {
    const { context, eventTypes } = createTestContext()
    let answer = await begin(context)
    for (const mode of ['refused', 'lost'] as const) {
      for (const at of [0, 1]) {
        const token = answer.refresh_token
        const work = refresh(failingAt(context, at, mode), token)
        await expect(work, `call ${at} ${mode}`).rejects.toThrow(StoreUnavailable)
        answer = await refresh(context, token)
        expect(await verify(context, answer.access_token)).toBe('verified')
      }
    }
    expect(eventTypes()).not.toContain('grant_ended')
  })

  it('RV-09 a reuse that could not be written is 503, and is detected again', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    const third = await refresh(context, second.refresh_token)
    const work = refresh(failingAt(context, 1, 'refused'), first.refresh_token)
    await expect(work).rejects.toThrow(StoreUnavailable)
    expect(await verify(context, third.access_token)).toBe('verified')
    expect(await errorOf(refresh(context, first.refresh_token))).toBe('invalid_grant')
    expect(await verify(context, third.access_token)).toBe('grant_ended')
  })

  it('ST-09 a sign-in that failed half-way gives no code, and leaves nothing live for long', async () => {
    const { context, advance } = createTestContext({ config: { maxGrantsPerClient: 1 } })
    await begin(context)
    const calls = await countCalls(context, (one) => signIn(one))
    expect(calls).toBeGreaterThanOrEqual(3)
    for (let at = 0; at < calls; at += 1) {
      await expect(signIn(failingAt(context, at, 'refused')), `call ${at}`).rejects.toThrow(
        StoreUnavailable,
      )
    }
    advance(61)
    const { rows } = await context.store.list('grant', 'client_id', 'client-one', { limit: 100 })
    const live = rows.filter(({ record }) => isLive(record, context.clock()))
    expect(live.every(({ record }) => record.code?.redeemedAt !== undefined)).toBe(true)
  })

  it('GD-28 a guard that cannot read the grant tells of an outage, never of a bad token', async () => {
    const { context } = createTestContext()
    const { access_token } = await begin(context)
    const down = { ...context, store: failingStore(context.store, () => true) }
    const verifier = createLocalVerifier(down)
    await expect(verifier.verify(access_token, RESOURCE)).rejects.toThrow(StoreUnavailable)
    // What is no token of ours is refused as ever.
    expect(await verifier.verify('mcp_at_x', RESOURCE)).toMatchObject({ outcome: 'refused' })
  })
})

describe('the compare-and-set of a grant', () => {
  it('gives up with an outage when others are always faster', async () => {
    const { context } = createTestContext()
    const grant = await grantOf(context, await begin(context))
    const found = await context.store.find('grant', grant.id)
    if (found === undefined) throw new Error('there is no such grant')
    let tries = 0
    const store = {
      ...context.store,
      replace: async () => {
        tries += 1
        return false
      },
    }
    const work = applyToGrant({ ...context, store }, found, (record) => ({
      grant: { ...record, createdAt: 1 },
    }))
    await expect(work).rejects.toThrow(StoreUnavailable)
    expect(tries).toBe(100)
  })

  it('tells that the grant is gone, and writes nothing where nothing changes', async () => {
    const { context } = createTestContext()
    const grant = await grantOf(context, await begin(context))
    const found = await context.store.find('grant', grant.id)
    if (found === undefined) throw new Error('there is no such grant')
    expect(await applyToGrant(context, found, (record) => ({ grant: record }))).toEqual({
      grant: found.record,
    })
    expect((await context.store.find('grant', grant.id))?.version).toBe(found.version)
    await context.store.take('grant', grant.id)
    const change = applyToGrant(context, found, (record) => ({
      grant: { ...record, createdAt: 1 },
    }))
    expect(await change).toBeUndefined()
    expect(await context.store.find('grant', grant.id)).toBeUndefined()
  })
})

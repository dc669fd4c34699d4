/** Where grants begin, and how many there may be. */
import { describe, expect, it } from 'vitest'
import { listGrants } from '../../src/server/grants/begin.ts'
import { isLive } from '../../src/server/grants/grant.ts'
import { memory } from '../../src/stores/memory.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { createTestContext, RESOURCE, START } from '../support/context.ts'
import { failingStore } from './failing_store.ts'
import {
  begin,
  CLIENT,
  errorOf,
  grantOf,
  redeem,
  REDIRECT,
  refresh,
  SCOPE,
  signIn,
  SUBJECT,
  USER,
  verify,
} from './support.ts'

describe('how a grant begins', () => {
  it('RFC 6749 §4.1.2 the grant binds the code to client, redirect, challenge, resource and scope', async () => {
    const { context, events } = createTestContext()
    const { code } = await signIn(context, { connectionId: 'connection-1' })
    const [found] = await listGrants(context, SUBJECT)
    expect(code).toMatch(/^mcp_ac_/)
    expect(found?.record).toMatchObject({
      subject: SUBJECT,
      client_id: CLIENT.client_id,
      resource: RESOURCE,
      scope: SCOPE,
      connectionId: 'connection-1',
      user: USER,
      createdAt: START,
      endedAt: undefined,
      refresh: undefined,
      code: { redirect_uri: REDIRECT, expiresAt: START + 60, redeemedAt: undefined },
    })
    expect(JSON.stringify(found)).not.toContain(code)
    expect(events).toEqual([
      {
        type: 'grant_begun',
        client_id: CLIENT.client_id,
        subject: SUBJECT,
        grantId: found?.record.id,
        resource: RESOURCE,
        scope: SCOPE,
        at: START,
      },
    ])
  })

  it('a code that was not stored is not given', async () => {
    const { context } = createTestContext()
    const taken = { ...memory(), insert: async () => false }
    await expect(signIn({ ...context, store: taken })).rejects.toThrow(StoreUnavailable)
  })
})

describe('how many grants there may be', () => {
  const config = { maxGrantsPerClient: 3 }

  it('two sign-ins with one client do not touch each other', async () => {
    const { context } = createTestContext({ config })
    const [laptop, phone] = [await begin(context), await begin(context)]
    for (const { access_token } of [laptop, phone])
      expect(await verify(context, access_token)).toBe('verified')
  })

  it('one too many ends the oldest, and only it', async () => {
    const { context, advance, events } = createTestContext({ config })
    const answers = []
    for (let at = 0; at < 4; at += 1) {
      answers.push(await begin(context))
      advance(1)
    }
    const said = await Promise.all(answers.map(({ access_token }) => verify(context, access_token)))
    expect(said).toEqual(['grant_ended', 'verified', 'verified', 'verified'])
    const ended = events.filter(({ type }) => type === 'grant_ended')
    expect(ended).toMatchObject([{ reason: 'superseded', client_id: CLIENT.client_id }])
  })

  it('within one second, the newest is never the one to end', async () => {
    const { context } = createTestContext({ config: { maxGrantsPerClient: 1 } })
    for (let at = 0; at < 30; at += 1) {
      const answer = await begin(context)
      expect(await verify(context, answer.access_token)).toBe('verified')
    }
  })

  it('other clients and other users have a number of their own', async () => {
    const { context, eventTypes } = createTestContext({ config })
    for (let at = 0; at < 3; at += 1) {
      await signIn(context)
      await signIn(context, { ticket: { client_id: 'client-two' } })
      await signIn(context, { subject: 'somebody else' })
    }
    expect(eventTypes()).not.toContain('grant_ended')
  })

  it('codes that nobody redeemed, and sign-ins long unused, count for nothing', async () => {
    const { context, advance } = createTestContext({ config })
    const used = await begin(context)
    for (let at = 0; at < 5; at += 1) {
      await signIn(context)
      advance(61)
    }
    await begin(context)
    await begin(context)
    expect(await verify(context, used.access_token)).toBe('verified')

    // Two sign-ins that nobody uses, and one that is refreshed: after a month only that one counts.
    advance(29 * 86_400)
    const kept = await refresh(context, used.refresh_token)
    advance(2 * 86_400)
    await begin(context)
    await begin(context)
    expect(await errorOf(refresh(context, kept.refresh_token))).toBe('none')
  })

  it('ST-25 dead grants of a subject do not pile up until the next clean-up', async () => {
    const { context, advance } = createTestContext({ config })
    for (let at = 0; at < 300; at += 1) {
      await signIn(context)
      advance(91)
    }
    const rows = await listGrants(context, SUBJECT)
    expect(rows.length).toBeLessThanOrEqual(53)
    expect(rows.filter(({ record }) => isLive(record, context.clock())).length).toBeLessThanOrEqual(
      3,
    )
  })

  it('ST-25 nor do those that were superseded', async () => {
    const { context } = createTestContext({ config })
    for (let at = 0; at < 200; at += 1) await begin(context)
    expect((await listGrants(context, SUBJECT)).length).toBeLessThanOrEqual(54)
  })

  it('ST-18 a code that is young by the slowest clock is not cleared away', async () => {
    const { context, advance } = createTestContext({ config: { maxGrantsPerClient: 1000 } })
    const early = await Promise.all(Array.from({ length: 60 }, () => signIn(context)))
    const ahead = { ...context, clock: () => context.clock() + 30 }
    advance(59)
    await signIn(ahead)
    const said = await Promise.all(early.map((issued) => errorOf(redeem(context, issued))))
    expect(new Set(said)).toEqual(new Set(['none']))
  })

  it('a sign-in reads a bounded number of grants, however many its user has', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    const grant = await grantOf(context, first)
    for (let at = 0; at < 3000; at += 1) {
      await context.store.insert('grant', { ...grant, id: `0${at}`, client_id: `other-${at}` })
    }
    let lists = 0
    const counting = failingStore(context.store, ({ verb }) => {
      if (verb === 'list') lists += 1
      return false
    })
    await signIn({ ...context, store: counting })
    expect(lists).toBe(5)
    expect((await listGrants(context, SUBJECT)).length).toBe(3002)
  })
})

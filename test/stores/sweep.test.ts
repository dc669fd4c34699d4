/** Cleaning up while servers are at work: alone, several at once, and what it leaves on the disk. */
import { statSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { open, seal } from '../../src/crypto/seal.ts'
import { memory } from '../../src/memory.ts'
import { countSeals, reseal } from '../../src/moving/reseal.ts'
import type { Event } from '../../src/server/config/events.ts'
import { createSweep } from '../../src/server/sweep.ts'
import { sqlite } from '../../src/sqlite.ts'
import { type Store, StoreUnavailable } from '../../src/stores/store.ts'
import {
  NOW,
  sampleClaim,
  sampleConnection,
  sampleGrant,
  sampleTicket,
} from '../../src/testing/contract/samples.ts'
import { call, refresh, signIn } from '../support/flow.ts'
import { startServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'
import { createClock, fill, idsOf, untilNothing } from './sweep_support.ts'

// A busy machine takes its time.
vi.setConfig({ testTimeout: 90_000 })

const fresh = tempFiles('.db')

describe('a sweep', () => {
  it('ST-20 clears a backlog in bounded batches, and answers requests between them', async () => {
    const now = Math.floor(Date.now() / 1000)
    const inner = sqlite(fresh())
    await fill(inner, 20_000, (at) => ['claim', sampleClaim({ id: `old ${at}`, expiresAt: now })])
    await fill(inner, 200, (at) => ['claim', sampleClaim({ id: `k${at}`, expiresAt: now + 900 })])
    await fill(inner, 200, (at) => [
      'connection',
      sampleConnection({ id: `k${at}`, expiresAt: undefined }),
    ])
    const { store, batches, deleted } = counted(inner)
    const rateLimits = { authorize: 0, token: 0, register: 0, introspect: 0 }
    const server = await startServer({ store, rateLimits })
    const { client, tokens } = await signIn(server)
    const claims = await idsOf(inner, 'claim')
    let refreshToken = tokens.refresh_token
    expect(batches).toEqual([])

    server.advance(61)
    let answered = 0
    for (; deleted() < 20_000; answered += 1) {
      const { status, body } = await refresh(server, client, refreshToken)
      expect(status).toBe(200)
      refreshToken = String(body['refresh_token'])
      expect((await call(server, String(body['access_token']))).status).toBe(200)
    }
    expect(answered).toBeGreaterThan(10)
    expect(Math.max(...batches)).toBeLessThanOrEqual(200)
    const kept = claims.filter((id) => !id.startsWith('old '))
    expect(await idsOf(inner, 'claim')).toEqual(expect.arrayContaining(kept))
    expect(kept.length).toBeGreaterThanOrEqual(200)
    expect(await idsOf(inner, 'connection')).toHaveLength(200)
    expect(server.events.filter(({ type }) => type === 'store_failed')).toEqual([])
    await server.close()
  })

  it('ST-20 begins once a minute, one at a time, and ends with the server', async () => {
    const { store, batches } = counted(memory())
    await fill(store, 1000, (at) => ['claim', sampleClaim({ id: `${at}`, expiresAt: NOW })])
    const { clock, advance } = createClock()
    const sweep = createSweep({ store, clock, events: { emit: () => undefined } })
    sweep.touch()
    expect(batches).toEqual([])
    advance(60)
    for (let at = 0; at < 10; at += 1) sweep.touch()
    expect(batches).toEqual([200])
    // Another minute has gone by, and the first is still at it.
    advance(60)
    sweep.touch()
    expect(batches).toEqual([200])
    await vi.waitFor(() => expect(batches.length).toBeGreaterThan(1))
    sweep.stop()
    const left = await idsOf(store, 'claim')
    expect(left.length).toBeGreaterThan(0)
    advance(600)
    sweep.touch()
    await new Promise((resolve) => setTimeout(resolve, 120))
    expect(await idsOf(store, 'claim')).toEqual(left)
  })

  it('ST-20 an outage ends it and is told, and it begins anew a minute later', async () => {
    const inner = memory()
    await fill(inner, 300, (at) => ['claim', sampleClaim({ id: `${at}`, expiresAt: NOW })])
    let down = true
    const store: Store = {
      ...inner,
      async deleteExpired(now, limit) {
        if (down) throw new StoreUnavailable('down')
        return inner.deleteExpired(now, limit)
      },
    }
    const told: string[] = []
    const { clock, advance } = createClock()
    const emit = ({ type, about }: Event): void => void told.push(`${type} ${about}`)
    const sweep = createSweep({ store, clock, events: { emit } })
    advance(60)
    sweep.touch()
    await vi.waitFor(() => expect(told).toEqual(['store_failed sweep']))
    down = false
    sweep.touch()
    expect(await idsOf(inner, 'claim')).toHaveLength(300)
    advance(60)
    sweep.touch()
    await vi.waitFor(async () => expect(await idsOf(inner, 'claim')).toEqual([]))
    expect(told).toHaveLength(1)
  })
})

describe('the pass that seals anew', () => {
  it('MI-08 three at once seal each value once, and what they leave opens', async () => {
    const [old, next] = [generateKey(), generateKey()]
    const [before, after] = [createKeyring([old]), createKeyring([next, old])]
    const file = fresh()
    const stores = [sqlite(file), sqlite(file), sqlite(file)] as const
    await fill(stores[0], 600, (at) => {
      const place = `connection/${at}/access_token` as const
      const access_token = seal(before, `secret ${at}`, place)
      return [
        'connection',
        sampleConnection({ id: `${at}`, access_token, refresh_token: undefined }),
      ]
    })
    const written = await Promise.all(stores.map((store) => reseal(store, after)))
    expect(written.reduce((sum, one) => sum + one)).toBe(600)
    const { byKid, unopenable } = await countSeals(stores[0], after)
    expect([...byKid]).toEqual([[after.newest.kid, 600]])
    expect(unopenable).toBe(0)
    const only = createKeyring([next])
    const { rows } = await stores[0].scan('connection', { limit: 1000 })
    for (const { record, version } of rows) {
      const place = `connection/${record.id}/access_token` as const
      expect(open(only, record.access_token, place)).toBe(`secret ${record.id}`)
      expect(version).toBe(2)
    }
    await Promise.all(stores.map((store) => store.close()))
  })
})

describe('SQLite', () => {
  it('ST-25 the file does not grow over what was cleared away before', async () => {
    const file = fresh()
    const sizes: number[] = []
    for (let round = 0; round < 4; round += 1) {
      const store = sqlite(file)
      await fill(store, 2000, (at) => [
        'grant',
        sampleGrant({ id: `${round} ${at}`, subject: `s${round} ${at}`, expiresAt: NOW }),
      ])
      await fill(store, 2000, (at) => [
        'ticket',
        sampleTicket({ id: `${round} ${at}`, expiresAt: NOW }),
      ])
      await untilNothing(() => store.deleteExpired(NOW, 500))
      await store.close()
      sizes.push(statSync(file).size)
    }
    expect(sizes[3]).toBeLessThanOrEqual((sizes[0] ?? 0) * 1.1)
  })
})

/** The store, with the limit of each batch that was asked for, and the sum of what was deleted. */
function counted(inner: Store): {
  readonly store: Store
  readonly batches: readonly number[]
  deleted(): number
} {
  const batches: number[] = []
  let deleted = 0
  return {
    store: {
      ...inner,
      async deleteExpired(now, limit) {
        batches.push(limit)
        const count = await inner.deleteExpired(now, limit)
        deleted += count
        return count
      },
    },
    batches,
    deleted: () => deleted,
  }
}

/** The guard's cache of grants: what keeps it true, and what it does when the feed is gone. */
import { describe, expect, it } from 'vitest'
import { createGrantCache, type GrantCache } from '../../src/server/tokens/grant_cache.ts'
import { memory } from '../../src/stores/memory.ts'
import { type Store, StoreUnavailable } from '../../src/stores/store.ts'
import { sampleGrant } from '../../src/testing/contract/samples.ts'
import { call, post, signIn } from '../support/flow.ts'
import { startServer } from '../support/server.ts'

type Listener = (grantId: string | undefined) => void

/** A store that another process writes to as well, and whose feed is in the hands of the test. */
interface Watched {
  readonly store: Store
  /** The store as the other process has it: what is written there is not told here by itself. */
  readonly other: Store
  readonly listeners: Set<Listener>
  reads(): number
  watches(): number
  /** Whether `watch` rejects. */
  failing: boolean
  /** Holds back reads until it is called. */
  hold(): () => void
}

function watched(): Watched {
  const other = memory()
  const listeners = new Set<Listener>()
  let reads = 0
  let watches = 0
  let held: Promise<void> | undefined
  const state: Watched = {
    other,
    listeners,
    failing: false,
    reads: () => reads,
    watches: () => watches,
    hold() {
      const { promise, resolve } = promiseOf()
      held = promise
      return () => {
        held = undefined
        resolve()
      }
    },
    store: {
      ...other,
      async find(kind, id) {
        if (kind === 'grant') reads += 1
        const found = await other.find(kind, id)
        await held
        return found
      },
      async watch(listener) {
        watches += 1
        if (state.failing) throw new StoreUnavailable('there is no feed now')
        listeners.add(listener)
        return async () => void listeners.delete(listener)
      },
    },
  }
  return state
}

function promiseOf(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}

interface Setup extends Watched {
  readonly cache: GrantCache
  advance(): void
  /** Whether the grant is ended, as the cache has it. */
  ended(id?: string): Promise<boolean | undefined>
}

async function setUp(feed = watched()): Promise<Setup> {
  let now = 1000
  const cache = createGrantCache(feed.store, () => now)
  await feed.other.insert('grant', sampleGrant())
  const setup: Setup = Object.assign(feed, {
    cache,
    advance: () => void (now += 1),
    async ended(id = 'grant') {
      const grant = await cache.find(id)
      return grant && grant.endedAt !== undefined
    },
  })
  // The first call opens the feed and is not kept.
  await setup.ended()
  return setup
}

const over = sampleGrant({ endedAt: 7 })

describe('RV-11 a cached grant', () => {
  it('is read once a second, and only where the store has a feed', async () => {
    const setup = await setUp()
    const before = setup.reads()
    for (let at = 0; at < 5; at += 1) expect(await setup.ended()).toBe(false)
    expect(setup.reads()).toBe(before + 1)
    setup.advance()
    await setup.ended()
    expect(setup.reads()).toBe(before + 2)
    expect(setup.watches()).toBe(1)

    const plain = memory()
    expect(createGrantCache(plain, () => 0).store).toBe(plain)
  })

  it('GD-20 is dropped by a write of this process before the write is answered', async () => {
    const { cache, ended } = await setUp()
    await ended()
    expect(await cache.store.replace('grant', over, 1)).toBe(true)
    expect(await ended()).toBe(true)
    await cache.store.take('grant', 'grant')
    expect(await ended()).toBeUndefined()
  })

  it('is dropped by a write whose answer was lost', async () => {
    const feed = watched()
    const lossy: Store = {
      ...feed.store,
      async replace(kind, record, version) {
        await feed.other.replace(kind, record, version)
        throw new StoreUnavailable('the answer was lost')
      },
    }
    const { cache, ended } = await setUp({ ...feed, store: lossy })
    await ended()
    await expect(cache.store.replace('grant', over, 1)).rejects.toThrow(StoreUnavailable)
    expect(await ended()).toBe(true)
  })

  it('is dropped when the feed names it, and no other with it', async () => {
    const { other, listeners, ended, reads } = await setUp()
    await other.insert('grant', sampleGrant({ id: 'second' }))
    await ended()
    await ended('second')
    await other.replace('grant', over, 1)
    for (const listener of listeners) listener('grant')
    const before = reads()
    expect(await ended('second')).toBe(false)
    expect(reads()).toBe(before)
    expect(await ended()).toBe(true)
  })

  it('is dropped with all others when the feed has missed something, and read through until it is back', async () => {
    const setup = await setUp()
    await setup.ended()
    setup.failing = true
    for (const listener of [...setup.listeners]) listener(undefined)
    expect(setup.listeners.size).toBe(0)
    await setup.other.replace('grant', over, 1)
    expect(await setup.ended()).toBe(true)
    for (let version = 2; version < 6; version += 1) {
      setup.advance()
      await setup.other.replace('grant', version % 2 === 0 ? sampleGrant() : over, version)
      expect(await setup.ended()).toBe(version % 2 === 1)
      // Twice, for the first call of a second may be the one that is not kept.
      const before = setup.reads()
      await setup.ended()
      expect(setup.reads()).toBe(before + 1)
    }
    setup.failing = false
    setup.advance()
    await setup.ended()
    await setup.ended()
    const before = setup.reads()
    await setup.ended()
    expect(setup.reads()).toBe(before)
    expect(setup.listeners.size).toBe(1)
  })

  it('is gone after a second although the feed died in silence', async () => {
    const { other, advance, ended } = await setUp()
    await ended()
    await other.replace('grant', over, 1)
    expect(await ended()).toBe(false)
    advance()
    expect(await ended()).toBe(true)
  })

  it.each(['grant', undefined])(
    'is not kept from a read that a change (%s) has overtaken',
    async (told) => {
      const { other, listeners, hold, ended, advance } = await setUp()
      advance()
      const release = hold()
      const early = ended()
      await other.replace('grant', over, 1)
      for (const listener of [...listeners]) listener(told)
      release()
      expect(await early).toBe(false)
      expect(await ended()).toBe(true)
    },
  )

  it('is not kept from a read that began before the feed was live', async () => {
    const feed = watched()
    await feed.other.insert('grant', sampleGrant())
    const release = feed.hold()
    const cache = createGrantCache(feed.store, () => 1)
    const early = cache.find('grant')
    await new Promise(setImmediate)
    await feed.other.replace('grant', over, 1)
    release()
    expect((await early)?.endedAt).toBeUndefined()
    expect((await cache.find('grant'))?.endedAt).toBe(7)
  })

  it('is never made of an absence, nor of an outage', async () => {
    const { other, store, ended } = await setUp()
    expect(await ended('later')).toBeUndefined()
    await other.insert('grant', sampleGrant({ id: 'later' }))
    expect(await ended('later')).toBe(false)

    const down: Store = { ...store, find: async () => Promise.reject(new StoreUnavailable('down')) }
    await expect(createGrantCache(down, () => 1).find('grant')).rejects.toThrow(StoreUnavailable)
  })

  it('is one of ten thousand at most', async () => {
    const { other, ended, reads } = await setUp()
    const ids = Array.from({ length: 10_005 }, (_, at) => `grant ${at}`)
    for (const id of ids) await other.insert('grant', sampleGrant({ id }))
    for (const id of ids) await ended(id)
    const before = reads()
    for (const id of ids) await ended(id)
    expect(reads()).toBe(before + 5)
  })

  it('goes with its feed when the store is closed', async () => {
    const { cache, listeners } = await setUp()
    await cache.store.close()
    expect(listeners.size).toBe(0)
    await expect(cache.find('grant')).rejects.toThrow(StoreUnavailable)
  })
})

it('GD-20 RV-11 the server guards from the cache, and refuses a token that it has revoked itself at once', async () => {
  const { store, reads, listeners } = watched()
  const server = await startServer({ store })
  const { tokens, client } = await signIn(server)
  await call(server, tokens.access_token)
  const before = reads()
  for (let at = 0; at < 10; at += 1) {
    expect((await call(server, tokens.access_token)).status).toBe(200)
  }
  // One read a second, and the test may take a few.
  expect(reads() - before).toBeLessThan(8)
  await post(server, '/revoke', { token: tokens.refresh_token, client_id: client.client_id })
  expect((await call(server, tokens.access_token)).status).toBe(401)
  await server.close()
  expect(listeners.size).toBe(0)
})

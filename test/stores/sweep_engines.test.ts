/** Three servers that clean up one store at the same moment, on each engine. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { postgres } from '../../src/postgres.ts'
import { redis } from '../../src/redis.ts'
import { createSweep } from '../../src/server/sweep.ts'
import { sqlite } from '../../src/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { NOW, sampleClaim, sampleGrant, sampleTicket } from '../../src/testing/contract/samples.ts'
import { postgresSuite, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import { tempFiles } from '../support/temp.ts'
import { createClock, fill, idsOf, untilNothing } from './sweep_support.ts'

// A busy machine takes its time.
vi.setConfig({ testTimeout: 90_000 })

const fresh = tempFiles('.db')

describe('three servers on one SQLite file', () => {
  const file = fresh()
  sweepTogether(() => sqlite(file))
})

postgresSuite(describe, 'three servers on one PostgreSQL', () => {
  let server: TestPostgres
  beforeAll(async () => void (server = await startPostgres()))
  afterAll(() => server.close())
  sweepTogether(() => postgres(server.pool({ max: 4 })))

  it('ST-25 the table does not grow over what was cleared away before', async () => {
    const database = await server.freshDatabase()
    const store = postgres(server.pool({ database, max: 8 }))
    const sizes: number[] = []
    const size = async (): Promise<number> => {
      const sql = `SELECT pg_total_relation_size('mcp_oauth_records') AS size`
      return Number((await server.run(sql, database))[0]?.['size'])
    }
    let full = 0
    for (let round = 0; round < 6; round += 1) {
      await fill(store, 2000, (at) => ['grant', expiredGrant(`${round} ${at}`)])
      full ||= await size()
      await untilNothing(() => store.deleteExpired(NOW, 500))
      // As autovacuum does in its own time.
      await server.run('VACUUM mcp_oauth_records', database)
      sizes.push(await size())
    }
    expect(Math.max(...sizes)).toBeLessThan(full)
    // Pages of an index are free for others only after a second vacuum.
    expect(sizes[5]).toBeLessThanOrEqual((sizes[2] ?? 0) * 1.1)
    await store.close()
  })
})

redisSuite(describe, 'three servers on one Redis', () => {
  const clients = testClients('file')
  let server: TestRedis
  beforeAll(async () => void (server = await startRedis()))
  afterAll(() => server.close())
  sweepTogether(() => redis(clients.ioRedis(server.port)))
})

function sweepTogether(openStore: () => Store): void {
  it('MI-08 delete each expired record once, nothing that lives, and nobody fails', async () => {
    const stores = [openStore(), openStore(), openStore()]
    const [store] = stores as [Store]
    await fill(store, 1500, (at) => ['grant', expiredGrant(`old ${at}`)])
    await fill(store, 1500, (at) => ['ticket', sampleTicket({ id: `old ${at}`, expiresAt: NOW })])
    await fill(store, 300, (at) => ['grant', sampleGrant({ id: `k${at}`, expiresAt: NOW + 900 })])
    await fill(store, 300, (at) => ['claim', sampleClaim({ id: `k${at}`, expiresAt: undefined })])

    const failures: unknown[] = []
    const deleted = await sweepAll(stores, failures)
    expect(failures).toEqual([])
    expect(deleted.reduce((sum, one) => sum + one)).toBe(3000)
    expect(await idsOf(store, 'ticket')).toEqual([])
    expect(await idsOf(store, 'claim')).toHaveLength(300)
    for (const id of await idsOf(store, 'grant')) {
      expect((await store.find('grant', id))?.record.expiresAt).toBe(NOW + 900)
    }
    const gone = await store.list('grant', 'subject', 'subject old 7', { limit: 10 })
    expect(gone.rows).toEqual([])
    await untilNothing(() => store.deleteExpired(Number.MAX_SAFE_INTEGER, 500))
  })

  it('ST-20 what is prolonged at the moment of the sweep is gone or lives, as its writer was told', async () => {
    const stores = [openStore(), openStore(), openStore()]
    const [store, twin] = stores as [Store, Store]
    await fill(store, 1000, (at) => ['grant', expiredGrant(`${at}`)])
    const prolonged = new Set<string>()
    const prolong = async (id: string): Promise<void> => {
      const record = { ...expiredGrant(id), expiresAt: NOW + 900 }
      if (await twin.replace('grant', record, 1)) prolonged.add(id)
    }
    const writing = (async () => {
      // Each sweeper takes the oldest first, so some of these are too late.
      for (let at = 999; at >= 0; at -= 20) {
        await Promise.all(Array.from({ length: 20 }, (_, step) => prolong(`${at - step}`)))
      }
    })()
    const failures: unknown[] = []
    await Promise.all([sweepAll(stores, failures), writing])
    await untilNothing(() => store.deleteExpired(NOW, 500))
    expect(failures).toEqual([])
    expect(new Set(await idsOf(store, 'grant'))).toEqual(prolonged)
  })
}

function expiredGrant(id: string): ReturnType<typeof sampleGrant> {
  return sampleGrant({ id, subject: `subject ${id}`, expiresAt: NOW - 1 })
}

/** Sweeps with a server on each store until nothing more has expired; gives what each has deleted. */
async function sweepAll(stores: readonly Store[], failures: unknown[]): Promise<readonly number[]> {
  const deleted = stores.map(() => 0)
  const over = stores.map(() => false)
  const { clock, advance } = createClock()
  const sweeps = stores.map((inner, at) => {
    const store: Store = {
      ...inner,
      async deleteExpired(now, limit) {
        const count = await inner.deleteExpired(now, limit)
        deleted[at] = (deleted[at] ?? 0) + count
        over[at] = count < limit
        return count
      },
    }
    return createSweep({ store, clock, events: { emit: (event) => failures.push(event) } })
  })
  advance(60)
  for (const sweep of sweeps) sweep.touch()
  await vi.waitFor(() => expect(over).not.toContain(false), 60_000)
  return deleted
}

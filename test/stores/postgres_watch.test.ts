/** Changes to grants, as another server is told of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres, type PostgresOptions } from '../../src/postgres.ts'
import type { Store } from '../../src/stores/store.ts'
import { sampleClaim, sampleGrant } from '../../src/testing/contract/samples.ts'
import {
  pgbouncerSuite,
  postgresSuite,
  startPgbouncer,
  startPostgres,
  type TestPostgres,
} from '../support/postgres.ts'

postgresSuite(describe, 'the feed of PostgreSQL', () => {
  let server: TestPostgres
  let schemas = 0
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  const listeners = `SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`

  async function pair(options: PostgresOptions = {}): Promise<{
    writer: Store
    reader: Store
    heard: (string | undefined)[]
    stop: () => Promise<void>
    close: () => Promise<void>
  }> {
    const schema = `watch_${(schemas += 1)}`
    const writer = postgres(server.pool(), { schema })
    const reader = postgres(server.pool(), { schema, ...options })
    const heard: (string | undefined)[] = []
    await writer.insert('grant', sampleGrant({ id: 'first' }))
    const stop = (await reader.watch?.((id) => void heard.push(id))) ?? (async () => undefined)
    const close = async (): Promise<void> => {
      await reader.close()
      await writer.close()
    }
    return { writer, reader, heard, stop, close }
  }

  it('tells of every change to a grant by another, and of nothing else', async () => {
    const { writer, reader, heard, close } = await pair()
    await writer.insert('claim', sampleClaim())
    await writer.insert('grant', sampleGrant({ id: 'inserted' }))
    await writer.insert('grant', sampleGrant({ id: 'inserted' }))
    await writer.replace('grant', sampleGrant({ id: 'first' }), 1)
    await writer.replace('grant', sampleGrant({ id: 'first' }), 1)
    await reader.replace('grant', sampleGrant({ id: 'first' }), 2)
    await writer.take('grant', 'inserted')
    await writer.take('grant', 'inserted')
    await writer.insert('grant', sampleGrant({ id: 'half \ud800\0', expiresAt: 1 }))
    await writer.insert('claim', sampleClaim({ id: 'expired', expiresAt: 1 }))
    await writer.deleteExpired(1, 10)
    await writer.insert('grant', sampleGrant({ id: 'x'.repeat(5000) }))
    await writer.insert('grant', sampleGrant({ id: 'last' }))
    await expect.poll(() => heard.at(-1)).toBe('last')
    const half = 'half \ud800\0'
    expect(heard).toEqual(['inserted', 'first', 'inserted', half, half, undefined, 'last'])
    await close()
  })

  it('is told within a moment, under load', async () => {
    const { writer, heard, close } = await pair()
    let worst = 0
    for (let version = 1; version <= 200; version += 1) {
      const before = heard.length
      await writer.replace('grant', sampleGrant({ id: 'first' }), version)
      const answered = performance.now()
      while (heard.length === before) await new Promise((resolve) => setImmediate(resolve))
      worst = Math.max(worst, performance.now() - answered)
    }
    expect(worst).toBeLessThan(1000)
    await close()
  })

  it('tells of the gap when its connection is cut, and goes on after', async () => {
    const { writer, heard, close } = await pair()
    for (let round = 0; round < 3; round += 1) {
      heard.length = 0
      await server.run(`SELECT pg_terminate_backend(pid) FROM (${listeners}) AS listening`)
      await expect.poll(() => heard.length, { timeout: 5000 }).toBeGreaterThanOrEqual(2)
      expect(heard.every((id) => id === undefined)).toBe(true)
      await writer.insert('grant', sampleGrant({ id: `after ${round}` }))
      await expect.poll(() => heard.at(-1)).toBe(`after ${round}`)
    }
    await close()
  })

  it('keeps telling while the server is down or silent, and goes on after', async () => {
    const { writer, heard, close } = await pair({ timeout: 1 })
    await server.stop()
    await expect.poll(() => heard.length, { timeout: 5000 }).toBeGreaterThanOrEqual(3)
    await server.start()
    await goesOn(writer, heard)
    server.freeze()
    const before = heard.length
    try {
      // Nothing is cut: only that nothing arrives.
      await expect.poll(() => heard.length, { timeout: 8000 }).toBeGreaterThan(before)
      expect(heard.at(-1)).toBeUndefined()
    } finally {
      server.thaw()
    }
    await goesOn(writer, heard)
    await close()
  })

  async function goesOn(writer: Store, heard: readonly unknown[]): Promise<void> {
    let at = 0
    const tell = async (): Promise<unknown> => {
      const id = `again ${heard.length} ${(at += 1)}`
      await writer.insert('grant', sampleGrant({ id })).catch(() => undefined)
      await sleep(50)
      return heard.at(-1) === id
    }
    await expect.poll(tell, { timeout: 8000 }).toBe(true)
  }

  it('ends with close while the server is down', async () => {
    const { heard, close } = await pair({ timeout: 1 })
    await server.stop()
    try {
      await expect.poll(() => heard.length).toBeGreaterThanOrEqual(1)
      await close()
      const after = heard.length
      await sleep(1200)
      expect(heard).toHaveLength(after)
    } finally {
      await server.start()
    }
  })

  it('is refused by a pool of one connection, which goes on without it', async () => {
    const store = postgres(server.pool({ max: 1 }), { schema: `watch_${(schemas += 1)}` })
    await expect(store.watch?.(() => undefined)).rejects.toMatchObject({
      name: 'StoreUnavailable',
      message: expect.stringContaining('the option `listen`'),
    })
    expect(await store.insert('grant', sampleGrant())).toBe(true)
    await store.close()
  })

  it('ends with its stop and with close, and leaves no connection that listens', async () => {
    const first = await pair()
    await first.stop()
    await first.writer.replace('grant', sampleGrant({ id: 'first' }), 1)
    await sleep(100)
    expect(first.heard).toEqual([])
    await first.close()
    const second = await pair()
    await second.close()
    expect(second.heard).toEqual([])
    await expect.poll(() => server.run(listeners)).toEqual([])
    await expect(second.reader.watch?.(() => undefined)).rejects.toMatchObject({
      name: 'StoreUnavailable',
    })
  })
})

pgbouncerSuite(describe, 'the feed of PostgreSQL behind a pgbouncer', () => {
  let server: TestPostgres
  let pooler: Awaited<ReturnType<typeof startPgbouncer>>
  beforeAll(async () => {
    server = await startPostgres()
    pooler = await startPgbouncer(server, 'postgres')
  })
  afterAll(async () => {
    await pooler.close()
    await server.close()
  })

  it('is refused where nothing would ever arrive', async () => {
    const store = postgres(server.pool({ port: pooler.port }))
    await expect(store.watch?.(() => undefined)).rejects.toMatchObject({
      name: 'StoreUnavailable',
      message: expect.stringContaining('the option `listen`'),
    })
  })

  it('works with a direct connection beside it', async () => {
    const pool = server.pool({ port: pooler.port })
    const reader = postgres(pool, { listen: server.pool({ max: 1 }) })
    const writer = postgres(pool)
    const heard: unknown[] = []
    await reader.watch?.((id) => void heard.push(id))
    await writer.insert('grant', sampleGrant())
    await expect.poll(() => heard).toEqual(['grant'])
    await reader.close()
  })
})

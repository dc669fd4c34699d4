/** What is asked of PostgreSQL in one turn goes as one statement, and each still has its own answer. */
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from '../../src/postgres.ts'
import type { Store } from '../../src/stores/store.ts'
import { NOW, sampleClaim, sampleGrant } from '../../src/testing/contract/samples.ts'
import { postgresSuite, startPostgres, type TestPostgres } from '../support/postgres.ts'

const IDS: readonly string[] = Array.from({ length: 30 }, (_, at) => `${at}`)

postgresSuite(describe, 'one turn', () => {
  let server: TestPostgres
  let schemas = 0
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  interface Place {
    readonly pool: pg.Pool
    readonly store: Store
    readonly schema: string
    /** How many statements `work` takes. */
    count(work: () => Promise<unknown>): Promise<number>
  }

  /** With a claim for each of `IDS`. */
  async function start(config: pg.PoolConfig = {}): Promise<Place> {
    const schema = `turn_${(schemas += 1)}`
    const pool = server.pool(config)
    let statements = 0
    pool.on('acquire', () => (statements += 1))
    const store = postgres(pool, { schema, timeout: 1 })
    for (const id of IDS) await store.insert('claim', sampleClaim({ id }))
    const count = async (work: () => Promise<unknown>): Promise<number> => {
      const before = statements
      await work()
      return statements - before
    }
    return { pool, store, schema, count }
  }

  const replaceAll = (store: Store, value: string, version: number): Promise<boolean[]> =>
    Promise.all(IDS.map((id) => store.replace('claim', sampleClaim({ id, value }), version)))

  it('reads in one statement, those that are there and those that are not', async () => {
    const { store, count } = await start()
    const asked = [...IDS, 'none', '7', 'x\0y', '\ud800', '{"a"}', String.raw`\,NULL`]
    await store.insert('claim', sampleClaim({ id: 'x\0y' }))
    await store.insert('claim', sampleClaim({ id: String.raw`\,NULL` }))
    const answer = async (): Promise<void> => {
      const found = await Promise.all(asked.map((id) => store.find('claim', id)))
      const missing = new Set(['none', '\ud800', '{"a"}'])
      for (const [at, id] of asked.entries()) {
        expect(found[at]?.record.id, id).toBe(missing.has(id) ? undefined : id)
      }
    }
    expect(await count(answer)).toBe(1)
    const kinds = [store.find('claim', '1'), store.find('grant', '1'), store.find('claim', '1')]
    expect((await Promise.all(kinds)).map((one) => one?.version)).toEqual([1, undefined, 1])
  })

  it('writes in one statement, and tells each that was faster by its own', async () => {
    const { store, count } = await start()
    const write = async (): Promise<void> => {
      expect((await replaceAll(store, 'new', 1)).every(Boolean)).toBe(true)
    }
    expect(await count(write)).toBe(1)
    const [stale, gone, ...won] = await Promise.all([
      store.replace('claim', sampleClaim({ id: '0' }), 1),
      store.replace('claim', sampleClaim({ id: 'gone' }), 1),
      ...IDS.slice(1).map((id) => {
        const value = `"${id}",\\ {NULL}\n`
        return store.replace('claim', sampleClaim({ id, value, expiresAt: undefined }), 2)
      }),
    ])
    expect([stale, gone, new Set(won)]).toEqual([false, false, new Set([true])])
    for (const id of IDS.slice(1)) {
      expect(await store.find('claim', id)).toMatchObject({
        version: 3,
        record: { value: `"${id}",\\ {NULL}\n` },
      })
    }
  })

  it('ST-01 with one record thirty times: one replacement is true, and it is the one that is there', async () => {
    const { store } = await start()
    const writes = IDS.map((value) => store.replace('claim', sampleClaim({ id: '5', value }), 1))
    const won = (await Promise.all(writes)).flatMap((is, at) => (is ? [`${at}`] : []))
    expect(won).toHaveLength(1)
    expect(await store.find('claim', '5')).toMatchObject({ version: 2, record: { value: won[0] } })
  })

  it('ST-17 a row that somebody else holds keeps only its own writer waiting', async () => {
    const { store, schema } = await start()
    const other = await server.pool().connect()
    await other.query('BEGIN')
    await other.query(`UPDATE ${schema}.mcp_oauth_records SET version = 2 WHERE id = '3'`)
    const writes = IDS.map((id) => store.replace('claim', sampleClaim({ id, value: 'new' }), 1))
    const others = writes.filter((_, at) => at !== 3)
    expect((await Promise.all(others)).every(Boolean)).toBe(true)
    await other.query('COMMIT')
    other.release()
    expect(await writes[3]).toBe(false)
  })

  it('ST-17 a row that is refused fails alone', async () => {
    const { store, schema } = await start()
    await server.run(`CREATE FUNCTION ${schema}.fail() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.id = '7' THEN RAISE EXCEPTION 'injected'; END IF; RETURN NEW; END $$`)
    await server.run(`CREATE TRIGGER broken BEFORE UPDATE
      ON ${schema}.mcp_oauth_records FOR EACH ROW EXECUTE FUNCTION ${schema}.fail()`)
    const writes = IDS.map((id) => store.replace('claim', sampleClaim({ id, value: 'new' }), 1))
    for (const [at, result] of (await Promise.allSettled(writes)).entries()) {
      if (at !== 7) expect(result).toEqual({ status: 'fulfilled', value: true })
      else expect(result).toMatchObject({ reason: { name: 'StoreUnavailable' } })
    }
    const found = await Promise.all(IDS.map((id) => store.find('claim', id)))
    expect(found.filter((one) => one?.version === 2)).toHaveLength(IDS.length - 1)
  })

  it('ST-12 without an answer each is an outage, none a no', async () => {
    const { store } = await start({ max: 2 })
    server.freeze()
    try {
      const asked = [...IDS.map((id) => store.find('claim', id)), replaceAll(store, 'new', 1)]
      for (const result of await Promise.allSettled(asked)) {
        expect(result).toMatchObject({ reason: { name: 'StoreUnavailable' } })
      }
    } finally {
      server.thaw()
    }
  })

  it('ST-16 two servers that write the same records in opposite orders: nobody waits for the other', async () => {
    const { store, schema } = await start()
    const twin = postgres(server.pool(), { schema })
    const begun = performance.now()
    for (let version = 1; version <= 20; version += 1) {
      const write = (one: Store, ids: readonly string[]): Promise<boolean[]> =>
        Promise.all(ids.map((id) => one.replace('claim', sampleClaim({ id }), version)))
      const forth = write(store, IDS)
      const back = await write(twin, IDS.toReversed())
      const won = await forth
      for (const [at] of IDS.entries()) expect(won[at]).not.toBe(back[IDS.length - 1 - at])
    }
    // PostgreSQL breaks a deadlock after a second.
    const deadlocks = 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'
    expect(await server.run(deadlocks)).toEqual([{ deadlocks: '0' }])
    expect(performance.now() - begun).toBeLessThan(20_000)
  })

  it('a replacement that expires later leaves the indexed column, and is swept when it is due', async () => {
    const { store, schema } = await start()
    await server.run(
      `UPDATE ${schema}.mcp_oauth_records SET expires_at = ${NOW}, sweep_at = ${NOW}`,
    )
    for (const [id, expiresAt] of [
      ['0', NOW + 100],
      ['1', undefined],
      ['2', NOW - 100],
    ] as const) {
      expect(await store.replace('claim', sampleClaim({ id, expiresAt }), 1)).toBe(true)
    }
    expect(await store.deleteExpired(NOW - 50, 100)).toBe(1)
    expect(await store.deleteExpired(NOW, 100)).toBe(IDS.length - 3)
    expect(await store.deleteExpired(NOW + 99, 100)).toBe(0)
    expect(await store.deleteExpired(NOW + 100, 100)).toBe(1)
    expect(await store.deleteExpired(NOW * 2, 100)).toBe(0)
    expect(await store.find('claim', '1')).toBeDefined()
    await store.insert('grant', sampleGrant({ expiresAt: NOW }))
    await store.replace('grant', sampleGrant({ expiresAt: NOW + 100 }), 1)
    const grants = [2, 2].map((version) =>
      store.replace('grant', sampleGrant({ expiresAt: NOW + 200 }), version),
    )
    expect((await Promise.all(grants)).filter(Boolean)).toHaveLength(1)
    const columns = 'SELECT expires_at AS expires, sweep_at AS sweep'
    const row = `${columns} FROM ${schema}.mcp_oauth_records WHERE kind = 'grant'`
    expect(await server.run(row)).toEqual([{ expires: NOW + 200, sweep: NOW }])
  })
})

/** A server that is gone, slow or at odds with itself: an outage is told in time and ends by itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres, type PostgresPool } from '../../src/postgres.ts'
import type { Store } from '../../src/stores/store.ts'
import { NOW, sampleClaim, sampleGrant, sampleRefresh } from '../../src/testing/contract/samples.ts'
import { postgresSuite, startPostgres, type TestPostgres } from '../support/postgres.ts'

const unavailable = { name: 'StoreUnavailable' }

const VERBS: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
  ['find', (store) => store.find('grant', 'grant')],
  ['insert', (store) => store.insert('grant', sampleGrant({ id: 'new' }))],
  ['replace', (store) => store.replace('grant', sampleGrant(), 1)],
  ['take', (store) => store.take('grant', 'grant')],
  ['list', (store) => store.list('grant', 'subject', 'one', { limit: 1 })],
  ['scan', (store) => store.scan('grant', { limit: 1 })],
  ['deleteExpired', (store) => store.deleteExpired(NOW * 2, 10)],
]

postgresSuite(describe, 'a PostgreSQL in trouble', () => {
  let server: TestPostgres
  let schemas = 0
  const fresh = (): string => `trouble_${(schemas += 1)}`
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  it('ST-16 a delay between read and write: every increment counts, in two instances', async () => {
    const schema = fresh()
    const stores = [
      postgres(server.pool(), { schema }),
      postgres(server.pool(), { schema }),
    ] as const
    await stores[0].insert('grant', sampleGrant({ refresh: sampleRefresh(0) }))
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => countLate(stores[at % 2 === 0 ? 0 : 1])),
    )
    const found = await stores[1].find('grant', 'grant')
    expect(found?.record.refresh?.generation).toBe(20)
    expect(found?.version).toBe(21)
  })

  it('ST-16 a replacement that waits for the row judges the version that it finds then', async () => {
    const schema = fresh()
    const store = postgres(server.pool(), { schema })
    await store.insert('grant', sampleGrant())
    const other = await server.pool().connect()
    await other.query('BEGIN')
    await other.query(`UPDATE ${schema}.mcp_oauth_records SET version = 2`)
    const waiting = store.replace('grant', sampleGrant(), 1)
    await untilWaiting(server, 1)
    await other.query('COMMIT')
    other.release()
    expect(await waiting).toBe(false)
    expect(await store.replace('grant', sampleGrant(), 2)).toBe(true)
  })

  it.each(['40001', '40P01'])(
    'ST-17 a write that fails with %s is sent again, with a limit',
    async (code) => {
      const schema = fresh()
      const store = postgres(server.pool(), { schema })
      await store.insert('grant', sampleGrant())
      await server.run(`CREATE SEQUENCE ${schema}.tries`)
      const fail = (times: number): Promise<unknown> =>
        server.run(`CREATE OR REPLACE FUNCTION ${schema}.fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF nextval('${schema}.tries') <= ${times} THEN
          RAISE EXCEPTION 'injected' USING ERRCODE = '${code}'; END IF; RETURN NEW; END $$`)
      await fail(4)
      await server.run(`CREATE TRIGGER broken BEFORE UPDATE ON ${schema}.mcp_oauth_records
      FOR EACH ROW EXECUTE FUNCTION ${schema}.fail()`)
      expect(await store.replace('grant', sampleGrant(), 1)).toBe(true)
      expect(await store.find('grant', 'grant')).toMatchObject({ version: 2 })
      await fail(1000)
      await expect(store.replace('grant', sampleGrant(), 2)).rejects.toMatchObject({
        ...unavailable,
        cause: { code },
      })
      expect(await store.find('grant', 'grant')).toMatchObject({ version: 2 })
    },
  )

  it('ST-17 fifty replacements at once, each transaction serializable: one is true', async () => {
    const options = '-c default_transaction_isolation=serializable'
    const store = postgres(server.pool({ options, max: 25 }), { schema: fresh() })
    await store.insert('grant', sampleGrant())
    const results = await Promise.all(
      Array.from({ length: 50 }, () => store.replace('grant', sampleGrant(), 1)),
    )
    expect(results.filter(Boolean)).toHaveLength(1)
  })

  it('ST-09 a statement that fails leaves nothing behind, and its connection is used again', async () => {
    const schema = fresh()
    const store = postgres(server.pool({ max: 1 }), { schema })
    await store.insert('grant', sampleGrant())
    await server.run(`CREATE FUNCTION ${schema}.fail() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'injected'; END $$`)
    await server.run(`CREATE TRIGGER broken AFTER INSERT OR UPDATE OR DELETE
      ON ${schema}.mcp_oauth_records FOR EACH ROW EXECUTE FUNCTION ${schema}.fail()`)
    for (const verb of ['insert', 'replace', 'take', 'deleteExpired']) {
      const call = VERBS.find(([name]) => name === verb)?.[1]
      await expect(call?.(store), verb).rejects.toMatchObject({
        ...unavailable,
        cause: { message: 'injected' },
      })
    }
    expect(await store.find('grant', 'grant')).toMatchObject({ version: 1 })
    expect((await store.scan('grant', { limit: 10 })).rows).toHaveLength(1)
    await server.run(`DROP TRIGGER broken ON ${schema}.mcp_oauth_records`)
    for (const [verb, call] of VERBS) await expect(call(store), verb).resolves.not.toBeNull()
  })

  it('ST-17 every connection cut in the middle of the load, again and again: what was answered holds', async () => {
    const store = postgres(server.pool(), { schema: fresh() })
    await store.insert('claim', sampleClaim())
    const load = startLoad(store)
    for (let round = 0; round < 5; round += 1) {
      await sleep(60)
      await server.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
    }
    await load.stop()
    expect(load.failures.length).toBeGreaterThan(0)
    for (const failure of load.failures) expect(failure).toMatchObject(unavailable)
    await checkLoad(store, load)
  })

  it('ST-17 the server restarted in the middle of the load: an outage, then all goes on', async () => {
    // A pool that nobody listens to, as most programs have it: the restart must not end the process.
    const pool = new pg.Pool({
      host: '127.0.0.1',
      port: server.port,
      user: 'test',
      database: 'postgres',
    })
    const store = postgres(pool, { schema: fresh() })
    await store.insert('claim', sampleClaim())
    const load = startLoad(store)
    await sleep(100)
    await server.stop()
    for (const [verb, call] of VERBS) {
      await expect(call(store), verb).rejects.toMatchObject(unavailable)
    }
    await server.start()
    const before = load.inserted.size
    await expect.poll(() => load.inserted.size, { timeout: 5000 }).toBeGreaterThan(before + 20)
    await load.stop()
    for (const failure of load.failures) expect(failure).toMatchObject(unavailable)
    await checkLoad(store, load)
    await store.close()
    await pool.end()
  })

  it('ST-17 idle connections of a pool that nobody listens to are cut: the process lives', async () => {
    const config = { host: '127.0.0.1', port: server.port, user: 'test', database: 'postgres' }
    const pool = new pg.Pool(config)
    const store = postgres(pool, { schema: fresh() })
    const ids = Array.from({ length: 20 }, (_, at) => `${at}`)
    await Promise.all(ids.map((id) => store.insert('claim', sampleClaim({ id }))))
    expect(pool.idleCount).toBeGreaterThan(1)
    await server.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
    await expect.poll(() => pool.totalCount).toBe(0)
    for (const id of ids) expect(await store.take('claim', id)).toBeDefined()
    await store.close()
    await pool.end()
  })

  it('ST-12 a server that is there and says nothing: each call ends in time, and all work again', async () => {
    const pool = server.pool({ max: 3 })
    const store = postgres(pool, { schema: fresh(), timeout: 0.5 })
    await store.insert('grant', sampleGrant())
    server.freeze()
    const begun = performance.now()
    try {
      // What is on its way may be done when the server thaws, so that is a read: it has the connection.
      const reading = store.find('grant', 'grant')
      await expect.poll(() => pool.idleCount).toBe(0)
      const calls = Array.from({ length: 10 }, () => VERBS.map(([, call]) => call(store))).flat()
      calls.push(reading)
      for (const result of await Promise.allSettled(calls)) {
        expect(result).toMatchObject({ status: 'rejected', reason: unavailable })
      }
      expect(performance.now() - begun).toBeLessThan(3000)
    } finally {
      server.thaw()
    }
    await expect
      .poll(() => store.insert('claim', sampleClaim({ id: 'after' })).catch(() => 'not yet'), {
        timeout: 5000,
      })
      .not.toBe('not yet')
    // What nobody waits for any more is not done later.
    expect(await store.find('grant', 'new')).toBeUndefined()
  })

  it('ST-12 a pool without a free connection: the call ends in time, and is not done later', async () => {
    const pool = server.pool({ max: 1 })
    const store = postgres(pool, { schema: fresh(), timeout: 0.3 })
    await store.find('claim', 'claim')
    const taken = await pool.connect()
    await expect(store.insert('claim', sampleClaim())).rejects.toMatchObject(unavailable)
    taken.release()
    expect(await store.find('claim', 'claim')).toBeUndefined()
    expect(await store.insert('claim', sampleClaim())).toBe(true)
  })

  it('ST-12 while nothing answers no more than ten thousand wait, and the rest is refused at once', async () => {
    let connects = 0
    const never: PostgresPool = {
      connect: () => {
        connects += 1
        return new Promise(() => undefined)
      },
    }
    const store = postgres(never, { timeout: 0.2 })
    const calls = Array.from({ length: 12_000 }, () => store.find('claim', 'claim'))
    for (const result of await Promise.allSettled(calls)) expect(result.status).toBe('rejected')
    expect(connects).toBeLessThanOrEqual(10_000)
    await store.close()
  })

  it('ST-17 a server that only reads is an outage for writes, and its connection is let go', async () => {
    const schema = fresh()
    const pool = server.pool({ max: 1 })
    const store = postgres(pool, { schema })
    await store.insert('claim', sampleClaim())
    const client = await pool.connect()
    await client.query('SET default_transaction_read_only = on')
    client.release()
    await expect(store.take('claim', 'claim')).rejects.toMatchObject(unavailable)
    expect(await store.take('claim', 'claim')).toBeDefined()
  })
})

async function countLate(store: Store): Promise<void> {
  for (;;) {
    const found = await store.find('grant', 'grant')
    await sleep(20)
    if (found === undefined) throw new Error('the grant is gone')
    const refresh = sampleRefresh((found.record.refresh?.generation ?? 0) + 1)
    if (await store.replace('grant', { ...found.record, refresh }, found.version)) return
  }
}

async function untilWaiting(server: TestPostgres, count: number): Promise<void> {
  const waiting = (): Promise<number> =>
    server
      .run(`SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)
      .then((rows) => rows.length)
  await expect.poll(waiting).toBe(count)
}

interface Load {
  /** What the store said was in, and what it said was taken. */
  readonly inserted: Set<string>
  readonly taken: Set<string>
  readonly failures: unknown[]
  /** Ids of a take that failed: whether it was done, nobody knows. */
  readonly unknown: Set<string>
  stop(): Promise<void>
}

/** Puts claims in and takes every third, in eight lanes, and writes down what was answered. */
function startLoad(store: Store): Load {
  const load = {
    inserted: new Set<string>(),
    taken: new Set<string>(),
    failures: [] as unknown[],
    unknown: new Set<string>(),
  }
  let running = true
  async function lane(name: number): Promise<void> {
    for (let at = 0; running; at += 1) await step(`${name}-${at}`, at % 3 === 0)
  }
  async function step(id: string, take: boolean): Promise<void> {
    let asked = false
    try {
      if (await store.insert('claim', sampleClaim({ id }))) load.inserted.add(id)
      asked = take
      if (take && (await store.take('claim', id)) !== undefined) load.taken.add(id)
    } catch (error) {
      load.failures.push(error)
      if (asked) load.unknown.add(id)
      await sleep(5)
    }
  }
  const lanes = Promise.all(Array.from({ length: 8 }, (_, name) => lane(name)))
  return {
    ...load,
    async stop() {
      running = false
      await lanes
    },
  }
}

async function checkLoad(store: Store, load: Load): Promise<void> {
  expect(load.inserted.size).toBeGreaterThan(20)
  for (const id of load.inserted) {
    if (load.unknown.has(id)) continue
    expect((await store.find('claim', id)) === undefined, id).toBe(load.taken.has(id))
  }
}

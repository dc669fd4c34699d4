/** The first use of a database: who makes the tables, and what is refused. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from '../../src/postgres.ts'
import { sampleClaim, sampleGrant } from '../../src/testing/contract/samples.ts'
import { buildOnce } from '../support/build.ts'
import { postgresSuite, startPostgres, type TestPostgres } from '../support/postgres.ts'

const EIGHT: readonly number[] = Array.from({ length: 8 }, (_, at) => at)

postgresSuite(describe, 'the first use of a database', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  it.each([undefined, 'of_its_own'])(
    'ST-23 eight servers start at once on an empty database (schema %s)',
    async (schema) => {
      for (let round = 0; round < 3; round += 1) {
        const database = await server.freshDatabase()
        const pools = EIGHT.map(() => server.pool({ database }))
        const stores = pools.map((pool) => postgres(pool, { schema }))
        const inserted = await Promise.all(
          stores.map((store) => store.insert('claim', sampleClaim())),
        )
        expect(inserted.filter(Boolean)).toHaveLength(1)
        await Promise.all(stores.map((store) => store.close()))
        await Promise.all(pools.map((pool) => pool.end()))
      }
    },
  )

  it('ST-23 eight processes start at once on an empty database', async () => {
    const build = await buildOnce()
    const database = await server.freshDatabase()
    const script = `
      import pg from 'pg'
      const { postgres } = await import(${JSON.stringify(`${build}/postgres.js`)})
      const pool = new pg.Pool({ host: '127.0.0.1', port: ${server.port}, user: 'test', database: '${database}' })
      const store = postgres(pool)
      process.stdout.write(String(await store.insert('claim', { id: 'claim', value: 'v' })))
      await store.close()
      await pool.end()`
    const told = await Promise.all(
      EIGHT.map(() =>
        promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
          cwd: process.cwd(),
        }),
      ),
    )
    expect(told.map(({ stdout }) => stdout).filter((word) => word === 'true')).toHaveLength(1)
    expect(told.map(({ stdout }) => stdout).filter((word) => word === 'false')).toHaveLength(7)
  })

  it('ST-23 tables that a newer release has made are refused, by every verb', async () => {
    const database = await server.freshDatabase()
    const pool = server.pool({ database })
    await postgres(pool).insert('claim', sampleClaim())
    await server.run(`UPDATE mcp_oauth_meta SET value = 2`, database)
    const store = postgres(pool)
    const refusal = {
      name: 'StoreUnavailable',
      message: expect.stringContaining('its schema version is 2 and this release knows 1'),
    }
    await expect(store.find('claim', 'claim')).rejects.toMatchObject(refusal)
    await expect(store.insert('claim', sampleClaim())).rejects.toMatchObject(refusal)
    await server.run(`UPDATE mcp_oauth_meta SET value = 1`, database)
    expect(await store.find('claim', 'claim')).toBeDefined()
  })

  it('a database that does not hold Unicode is refused', async () => {
    const database = await server.freshDatabase(`ENCODING 'LATIN1' TEMPLATE template0`)
    await expect(postgres(server.pool({ database })).find('claim', 'claim')).rejects.toMatchObject({
      name: 'StoreUnavailable',
      message: `the database's encoding is LATIN1; it must be UTF8`,
    })
  })

  it('where the tables are, a role that may only read and write rows will do', async () => {
    const database = await server.freshDatabase()
    await postgres(server.pool({ database }), { schema: 'auth' }).insert('claim', sampleClaim())
    await server.run('CREATE ROLE modest LOGIN', database)
    await server.run('GRANT USAGE ON SCHEMA auth TO modest', database)
    await server.run('GRANT SELECT ON ALL TABLES IN SCHEMA auth TO modest', database)
    await server.run('GRANT INSERT, UPDATE, DELETE ON auth.mcp_oauth_records TO modest', database)
    const store = postgres(server.pool({ database, user: 'modest' }), { schema: 'auth' })
    expect(await store.take('claim', 'claim')).toBeDefined()
    expect(await store.insert('grant', sampleGrant({ expiresAt: 1 }))).toBe(true)
    expect(await store.replace('grant', sampleGrant({ expiresAt: 1 }), 1)).toBe(true)
    expect(await store.deleteExpired(1, 10)).toBe(1)
  })

  it('TN-01 two schemas of one database share nothing', async () => {
    const pool = server.pool({ database: await server.freshDatabase() })
    const one = postgres(pool, { schema: 'one' })
    const other = postgres(pool, { schema: 'Other-2' })
    await one.insert('grant', sampleGrant())
    expect(await other.find('grant', 'grant')).toBeUndefined()
    expect(await other.take('grant', 'grant')).toBeUndefined()
    expect(await other.deleteExpired(Number.MAX_SAFE_INTEGER, 10)).toBe(0)
    expect(await one.find('grant', 'grant')).toBeDefined()
  })

  it('without a schema the tables are where the search path leads', async () => {
    const database = await server.freshDatabase()
    await server.run('CREATE SCHEMA theirs', database)
    const store = postgres(server.pool({ database, options: '-c search_path=theirs' }))
    await store.insert('claim', sampleClaim())
    expect(await server.run('SELECT id FROM theirs.mcp_oauth_records', database)).toHaveLength(1)
  })

  it('ST-21 a schema that is no name is refused before anything is sent', () => {
    for (const schema of ['', 'a"b', 'a;b', 'a b', `a'b`, 'ä', '1a', 'x'.repeat(64), 'a\0']) {
      expect(() => postgres(server.pool(), { schema }), schema).toThrow(RangeError)
    }
    for (const timeout of [0, -1, Number.NaN, Infinity]) {
      expect(() => postgres(server.pool(), { timeout })).toThrow(RangeError)
    }
  })

  it('the pool stays open after close, and has no listener of ours', async () => {
    const pool = server.pool({ database: await server.freshDatabase() })
    const before = pool.listenerCount('error')
    const store = postgres(pool)
    await store.insert('claim', sampleClaim())
    await store.close()
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect(pool.listenerCount('error')).toBe(before)
    expect(await postgres(pool).find('claim', 'claim')).toBeDefined()
  })

  it('ST-21 ids that PostgreSQL cannot hold or index are told apart', async () => {
    const store = postgres(server.pool({ database: await server.freshDatabase() }))
    const long = 'ä'.repeat(5000)
    const ids = ['\0', '\0\0', '\ud800', '\ud801', '\ufffd', '\ufffe"\\ud800"', '\ufffe']
    ids.push('\ufffe#', long, `${long}b`, `${long}\0`, `${long}\ud800`, 'x'.repeat(1000))
    for (const id of ids) {
      expect(await store.insert('grant', sampleGrant({ id, subject: id }))).toBe(true)
    }
    for (const id of ids) {
      expect((await store.find('grant', id))?.record.id).toBe(id)
      const { rows } = await store.list('grant', 'subject', id, { limit: 9 })
      expect(rows.map(({ record }) => record.id)).toEqual([id])
    }
    for (const id of ids) expect((await store.take('grant', id))?.id).toBe(id)
  })
})

import { afterAll, beforeAll, describe, it } from 'vitest'
import { postgres, type PostgresPool } from '../../src/postgres.ts'
import { storeContract } from '../../src/testing.ts'
import {
  pgbouncerSuite,
  postgresSuite,
  startPgbouncer,
  startPostgres,
  type TestPostgres,
} from '../support/postgres.ts'

postgresSuite(describe, 'ST-22 the contract, in PostgreSQL', () => {
  let server: TestPostgres
  let pools: PostgresPool[]
  let made = 0
  beforeAll(async () => {
    server = await startPostgres()
    pools = [server.pool(), server.pool()]
  })
  afterAll(() => server.close())

  storeContract({
    describe,
    it,
    createStore: () => postgres(pools[0] ?? server.pool(), { schema: `one_${(made += 1)}` }),
    createPair: async () => {
      const schema = `pair_${(made += 1)}`
      const [first = server.pool(), second = server.pool()] = pools
      return [postgres(first, { schema }), postgres(second, { schema, prepare: false })]
    },
  })
})

postgresSuite(describe, 'ST-17 the contract, where every transaction is serializable', () => {
  let server: TestPostgres
  let pool: PostgresPool
  let made = 0
  beforeAll(async () => {
    server = await startPostgres()
    pool = server.pool({ options: '-c default_transaction_isolation=serializable' })
  })
  afterAll(() => server.close())

  storeContract({
    describe,
    it,
    createStore: () => postgres(pool, { schema: `serializable_${(made += 1)}` }),
  })
})

pgbouncerSuite(describe, 'ST-17 the contract, behind a pgbouncer that pools transactions', () => {
  let server: TestPostgres
  let pooler: Awaited<ReturnType<typeof startPgbouncer>>
  let pools: PostgresPool[]
  let listen: PostgresPool
  let made = 0
  beforeAll(async () => {
    server = await startPostgres()
    pooler = await startPgbouncer(server, 'postgres')
    pools = [server.pool({ port: pooler.port }), server.pool({ port: pooler.port })]
    listen = server.pool()
  })
  afterAll(async () => {
    await pooler.close()
    await server.close()
  })

  storeContract({
    describe,
    it,
    createStore: () => postgres(pools[0] ?? server.pool(), { schema: `one_${(made += 1)}` }),
    createPair: async () => {
      const schema = `pair_${(made += 1)}`
      const [first = server.pool(), second = server.pool()] = pools
      return [postgres(first, { schema, listen }), postgres(second, { schema, listen })]
    },
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from '../../src/gateway/open_store.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import { NOW, sampleClaim } from '../../src/testing/contract/samples.ts'
import { run, start } from '../cli/support.ts'
import { refresh, signIn } from '../support/flow.ts'
import { postgresSuite, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { startServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')

/** Signs in on a file, copies it to `place`, and goes on there. */
async function goOnAt(place: string): Promise<void> {
  const file = fresh()
  const first = await startServer({ store: sqlite(file) })
  const { client, tokens } = await signIn(first)
  await first.close()
  const env = { MCP_OAUTH_STORE_FROM: `sqlite:${file}`, MCP_OAUTH_STORE_TO: place }
  for (let round = 0; round < 2; round += 1) {
    const { status, out, err } = await run(['store', 'copy'], env)
    expect([status, err]).toEqual([0, expect.stringContaining('grant 100 % (1 of 1)')])
    expect(out).toContain('grant  1 in the source, 1 in the target, equal\n')
  }
  const { store, close } = await openStore(place, {})
  const second = await startServer({ store, keys: first.keys, resources: [first.resource] })
  const { status } = await refresh(second, client, tokens.refresh_token)
  expect(status).toBe(200)
  await second.close()
  await close()
}

/** Kills a copy to `place` on its way, and copies again. */
async function killAndRepeat(place: string): Promise<void> {
  const file = fresh()
  const source = sqlite(file)
  const ids = Array.from({ length: 10_000 }, (_, index) => `claim ${index}`)
  const expiresAt = NOW + 1e9
  await Promise.all(ids.map((id) => source.insert('claim', sampleClaim({ id, expiresAt }))))
  await source.close()
  const env = { MCP_OAUTH_STORE_FROM: `sqlite:${file}`, MCP_OAUTH_STORE_TO: place }
  const killed = await start(['store', 'copy'], env)
  await killed.told('claim 10 %')
  killed.child.kill('SIGKILL')
  await killed.ended()
  expect(killed.child.signalCode).toBe('SIGKILL')
  const { status, out } = await run(['store', 'copy'], env)
  expect([status, out]).toEqual([
    0,
    expect.stringContaining('claim  10000 in the source, 10000 in the target, equal\n'),
  ])
}

describe('store copy to SQLite', () => {
  it(
    'is killed on its way, and the next one finishes',
    () => killAndRepeat(`sqlite:${fresh()}`),
    90_000,
  )
})

redisSuite(describe, 'store copy to Redis', () => {
  let server: TestRedis
  beforeAll(async () => void (server = await startRedis()))
  afterAll(() => server.close())

  it('sessions go on there', () => goOnAt(server.url))
  it('is killed on its way, and the next one finishes', async () => {
    await server.cli('FLUSHALL')
    await killAndRepeat(server.url)
  }, 90_000)
})

postgresSuite(describe, 'store copy to PostgreSQL', () => {
  let server: TestPostgres
  beforeAll(async () => void (server = await startPostgres()))
  afterAll(() => server.close())

  async function place(): Promise<string> {
    const { user, host } = server.pool().options
    return `postgres://${user}@${host}:${server.port}/${await server.freshDatabase()}`
  }

  it('sessions go on there', async () => goOnAt(await place()))
  it(
    'is killed on its way, and the next one finishes',
    async () => killAndRepeat(await place()),
    90_000,
  )
})

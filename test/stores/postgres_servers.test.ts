/** Two servers on one PostgreSQL, each with a pool of its own: races, an outage, and a thief of the data. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { postgres } from '../../src/postgres.ts'
import {
  authorize,
  call,
  post,
  redeem,
  refresh,
  register,
  signIn,
  type TestClient,
} from '../support/flow.ts'
import {
  findPostgres,
  postgresSuite,
  startPostgres,
  type TestPostgres,
} from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { signInUpstream, startWorld, type World } from '../support/upstream_flow.ts'

const FIFTY: readonly number[] = Array.from({ length: 50 }, (_, at) => at)

postgresSuite(describe, 'two servers on one PostgreSQL', () => {
  let database: TestPostgres
  let server: TestServer
  let replica: TestServer
  let client: TestClient
  beforeAll(async () => {
    database = await startPostgres()
    const options = { keys: [generateKey()], rateLimits: { token: 0, register: 0, authorize: 0 } }
    server = await startServer({ ...options, store: postgres(database.pool()) })
    replica = await startServer({
      ...options,
      store: postgres(database.pool()),
      resources: [server.resource],
    })
    client = await register(server)
  })
  afterAll(async () => {
    await server.close()
    await replica.close()
    await database.close()
  })

  const either = (at: number): TestServer => (at % 2 === 0 ? server : replica)
  /** The guard of the other one, over the resource of the first. */
  const callReplica = (token: string): Promise<Response> =>
    call({ resource: `${replica.origin}/mcp` }, token)

  it('ST-16 MI-01 TK-20 of fifty redemptions over both exactly one succeeds', async () => {
    for (let round = 0; round < 3; round += 1) {
      const authorized = await authorize(server, client)
      const answers = await Promise.all(FIFTY.map((at) => redeem(either(at), authorized)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      const errors = answers.flatMap(({ status, body }) => (status === 200 ? [] : [body['error']]))
      expect(new Set(errors)).toEqual(new Set(['invalid_grant']))
    }
  })

  it('ST-16 MI-01 RF-06 of fifty refreshes over both there is one successor, and it works', async () => {
    const { tokens } = await signIn(server, { client })
    const answers = await Promise.all(
      FIFTY.map((at) => refresh(either(at), client, tokens.refresh_token)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ body }) => body['refresh_token'])).size).toBe(1)
    const next = await refresh(replica, client, String(answers[0]?.body['refresh_token']))
    expect(next.status).toBe(200)
    expect((await callReplica(String(next.body['access_token']))).status).toBe(200)
  })

  it('RV-08 revocations here and a refresh there: nothing that came out of it lives', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { tokens } = await signIn(server, { client })
      const revoke = (): ReturnType<typeof post> =>
        post(server, '/revoke', { token: tokens.refresh_token, client_id: client.client_id })
      const [refreshed, ...revoked] = await Promise.all([
        refresh(replica, client, tokens.refresh_token),
        ...Array.from({ length: 8 }, revoke),
      ])
      expect(new Set(revoked.map(({ status }) => status))).toEqual(new Set([200]))
      expect((await callReplica(tokens.access_token)).status).toBe(401)
      if (refreshed?.status !== 200) continue
      expect((await callReplica(String(refreshed.body['access_token']))).status).toBe(401)
      const next = await refresh(server, client, String(refreshed.body['refresh_token']))
      expect(next.body['error']).toBe('invalid_grant')
    }
  })

  it('ST-17 GD-28 while the database is down each answer is 503 and never 401, and sessions are there after', async () => {
    const { tokens } = await signIn(server, { client })
    await database.stop()
    for (const response of [
      await refresh(server, client, tokens.refresh_token),
      await post(server, '/revoke', { token: tokens.refresh_token, client_id: client.client_id }),
      await callReplica(tokens.access_token),
    ]) {
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
    }
    await database.start()
    expect((await callReplica(tokens.access_token)).status).toBe(200)
    expect((await refresh(replica, client, tokens.refresh_token)).status).toBe(200)
  })
})

postgresSuite(describe, 'a PostgreSQL that is stolen', () => {
  let database: TestPostgres
  let world: World
  beforeAll(async () => {
    database = await startPostgres()
    world = await startWorld({ store: postgres(database.pool()) })
  })
  afterAll(async () => {
    await world.close()
    await database.close()
  })

  it('ST-01 no byte of its files, its log or its dump is a secret of a whole flow', async () => {
    const { server, provider } = world
    const client = await register(server, { token_endpoint_auth_method: 'client_secret_post' })
    const { tokens, authorized } = await signInUpstream(world, 'ada', { client })
    const next = (await refresh(server, client, tokens.refresh_token)).body
    const upstream = await server.auth.upstreamToken(await authInfoOf(server, next['access_token']))
    const secrets = [
      server.keys[0],
      provider.client_secret,
      client.client_secret,
      authorized.code,
      authorized.verifier,
      tokens.access_token,
      tokens.refresh_token,
      next['access_token'],
      next['refresh_token'],
      upstream,
    ].map(String)
    await database.run('CHECKPOINT')
    const dump = everyByte(database)
    // What must be there is found in the same way, so the search can be trusted.
    expect(dump.includes(client.client_id)).toBe(true)
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(15)
      expect(dump.includes(secret), secret).toBe(false)
      expect(dump.includes(Buffer.from(secret).toString('base64')), secret).toBe(false)
    }
  })
})

async function authInfoOf(
  server: TestServer,
  token: unknown,
): Promise<NonNullable<Awaited<ReturnType<TestServer['auth']['verifyToken']>>>> {
  const authInfo = await server.auth.verifyToken(undefined, String(token))
  if (authInfo === undefined) throw new Error('the token does not hold')
  return authInfo
}

/** The tables, the indexes, the write-ahead log, and what a backup would hold. */
function everyByte({ data, port }: TestPostgres): Buffer {
  const files = readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  const dump = execFileSync(
    join(findPostgres() ?? '', 'pg_dumpall'),
    ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'test'],
    { maxBuffer: 2 ** 28 },
  )
  return Buffer.concat([...files, dump])
}

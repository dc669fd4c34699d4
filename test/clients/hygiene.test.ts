/**
 * Two servers on one store of each engine: how many register in an hour, and which clients go and which
 * stay. Their clock is one, and a test moves it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { postgres } from '../../src/postgres.ts'
import { redis } from '../../src/redis.ts'
import { sqlite } from '../../src/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { upstash } from '../../src/upstash.ts'
import {
  authorize,
  post,
  redeem,
  refresh,
  register,
  REDIRECT,
  signIn,
  type TestClient,
} from '../support/flow.ts'
import { postgresSuite, startPostgres } from '../support/postgres.ts'
import { redisSuite, startRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import { startRest } from '../support/redis_rest.ts'
import { startServer, type TestServer, type TestServerOptions } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'

interface Engine {
  /** A maker of stores over the same fresh data. */
  fresh(): Promise<() => Store>
  close(): Promise<void>
}

const HOUR = 60 * 60
const DAY = 24 * HOUR
const START = 500_000 * HOUR
/** So far the clocks of two servers may differ. */
const SKEW = 30
const UNLIMITED = { register: 0, authorize: 0, token: 0 }

const file = tempFiles('.db')
const clients = testClients('file')

describe('two servers on one SQLite file', () => {
  hygiene(async () => ({
    fresh: async () => {
      const name = file()
      return () => sqlite(name)
    },
    close: async () => undefined,
  }))
})

postgresSuite(describe, 'two servers on one PostgreSQL', () => {
  hygiene(async () => {
    const server = await startPostgres()
    let made = 0
    return {
      fresh: async () => {
        const schema = `hygiene_${(made += 1)}`
        return () => postgres(server.pool(), { schema })
      },
      close: server.close,
    }
  })
})

redisSuite(describe, 'two servers on one Redis', () => {
  hygiene(async () => {
    const server = await startRedis()
    let made = 0
    return {
      fresh: async () => {
        const prefix = `hygiene${(made += 1)}`
        return () => redis(clients.ioRedis(server.port), { prefix })
      },
      close: server.close,
    }
  })
})

redisSuite(describe, 'two servers on one Upstash', () => {
  hygiene(async () => {
    const server = await startRedis()
    const rest = await startRest(server.port, 'token')
    let made = 0
    return {
      fresh: async () => {
        const prefix = `hygiene${(made += 1)}`
        return () => upstash({ url: rest.url, token: 'token', prefix })
      },
      close: async () => {
        await rest.close()
        await server.close()
      },
    }
  })
})

interface Pair {
  readonly servers: readonly [TestServer, TestServer]
  readonly store: Store
  at(turn: number): TestServer
  advance(seconds: number): void
  /** Deletes all that has expired by a clock that is ahead. */
  sweep(batch?: number): Promise<void>
}

function hygiene(start: () => Promise<Engine>): void {
  let engine: Engine
  const ends: (() => Promise<void>)[] = []
  beforeAll(async () => {
    engine = await start()
  }, 60_000)
  afterAll(async () => {
    await Promise.all(ends.map((end) => end()))
    await engine.close()
  })

  async function startPair(options: TestServerOptions = {}): Promise<Pair> {
    const open = await engine.fresh()
    let now = START
    const shared = { keys: [generateKey()], now: () => now, rateLimits: UNLIMITED, ...options }
    const one = await startServer({ ...shared, store: open() })
    const other = await startServer({ ...shared, store: open(), resources: [one.resource] })
    ends.push(one.close, other.close)
    return {
      servers: [one, other],
      store: one.store,
      at: (turn) => (turn % 2 === 0 ? one : other),
      advance: (seconds) => void (now += seconds),
      sweep: async (batch = 100) => {
        while ((await other.store.deleteExpired(now + SKEW, batch)) > 0);
      },
    }
  }

  it('RFC 7591 §5 RG-39 DS-05 a flood at both registers what one hour has, and leaves alone who is known', async () => {
    const { servers, store, at, advance, sweep } = await startPair({
      registration: { maxPerHour: 20 },
    })
    const known = await register(servers[0], { client_name: 'known' })
    for (let hour = 0; hour < 2; hour += 1) {
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, turn) =>
          tryRegister(at(turn), { client_name: `${hour} ${turn}` }),
        ),
      )
      const refused = answers.filter(({ status }) => status !== 201)
      expect(answers.length - refused.length).toBe(hour === 0 ? 19 : 20)
      for (const { status, error, retryAfter } of refused) {
        expect([status, error, retryAfter]).toEqual([503, 'temporarily_unavailable', HOUR])
      }
      for (const server of servers) {
        const again = await tryRegister(server, { client_name: 'known' })
        expect(again).toMatchObject({ status: 201, client_id: known.client_id })
        await signIn(server, { client: known })
      }
      advance(HOUR)
    }
    const { events } = servers[0]
    expect(events.filter(({ type }) => type === 'client_refused')[0]?.reason).toContain(
      'registration.maxPerHour',
    )
    advance(DAY)
    await sweep()
    const { rows } = await store.scan('client', { limit: 1000 })
    expect(new Set(rows.map(({ record }) => record.id))).toEqual(new Set([known.client_id]))
    const claims = await store.scan('claim', { limit: 1000 })
    expect(claims.rows.filter(({ record }) => record.id.startsWith('registrations'))).toEqual([])
  }, 60_000)

  it('RFC 7591 §5 RG-31 ST-25 a client stays while a grant of it may live, and goes when none may', async () => {
    const refreshTokenAbsolute = 10 * DAY
    const { servers, store, advance, sweep } = await startPair({
      lifetimes: { refreshTokenAbsolute, refreshTokenIdle: refreshTokenAbsolute },
    })
    const [one, other] = servers
    const client = await register(one)
    const unused = await register(one, { client_name: 'unused' })
    const secret = await register(one, { token_endpoint_auth_method: 'client_secret_post' })
    await signIn(one, { client })
    const withSecret = await signIn(one, { client: secret })
    advance(8 * DAY)
    await sweep()
    expect(await store.find('client', unused.client_id)).toBeUndefined()
    const second = await signIn(other, { client })
    advance(2 * DAY + 2)
    await sweep()
    // The grants of the first day are over; the one of the eighth day lives.
    const late = await refresh(other, secret, withSecret.tokens.refresh_token)
    expect(late.body).toMatchObject({ error: 'invalid_grant' })
    const next = await refresh(one, client, second.tokens.refresh_token)
    expect(next.status).toBe(200)
    // It ends at once, and nothing but time decides about its client.
    const token = String(next.body['refresh_token'])
    await post(other, '/revoke', { token, client_id: client.client_id })
    await sweep()
    expect(await store.find('client', client.client_id)).toBeDefined()
    advance(9 * DAY + 1)
    await sweep()
    for (const { client_id } of [client, secret]) {
      expect(await store.find('client', client_id)).toBeUndefined()
      expect((await store.list('grant', 'client_id', client_id, { limit: 10 })).rows).toEqual([])
    }
  }, 60_000)

  it('RFC 7591 §5 RG-31 who redeems a code while its client is swept away keeps client and grant', async () => {
    const lifetimes = { code: 300 }
    const { at, store, advance, sweep } = await startPair({
      lifetimes,
      registration: { unusedLifetime: 280 },
    })
    const signedIn = await Promise.all(
      Array.from({ length: 24 }, async (_, turn) => {
        const client = await register(at(turn), { client_name: `client ${turn}` })
        return authorize(at(turn), client)
      }),
    )
    // To the one server the clients have a second left, to the other they are over.
    advance(279)
    // Six at a time, so that some clients are gone before, some meanwhile, and some not at all.
    const answers: Awaited<ReturnType<typeof redeem>>[] = []
    const redeemFrom = async (turn: number): Promise<void> => {
      const one = signedIn[turn]
      if (one === undefined) return
      answers[turn] = await redeem(at(turn), one)
      await redeemFrom(turn + 6)
    }
    const lanes = [0, 1, 2, 3, 4, 5].map(redeemFrom)
    await expect.poll(() => answers.length, { interval: 1 }).toBeGreaterThan(0)
    await Promise.all([...lanes, sweep(1)])
    let lived = 0
    for (const [turn, { status, body }] of answers.entries()) {
      const client = signedIn[turn]?.client as TestClient
      if (status !== 200) {
        expect(body['error']).toBe('invalid_client')
        continue
      }
      lived += 1
      expect(await store.find('client', client.client_id)).toBeDefined()
      const next = await refresh(at(turn + 1), client, String(body['refresh_token']))
      expect(next.status).toBe(200)
    }
    expect(lived).toBeGreaterThan(0)
  }, 60_000)
}

async function tryRegister(
  { issuer }: TestServer,
  metadata: { readonly client_name: string },
): Promise<{ status: number; client_id: unknown; error: unknown; retryAfter: number }> {
  const response = await fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...metadata,
    }),
  })
  const { client_id, error } = (await response.json()) as { client_id?: unknown; error?: unknown }
  const retryAfter = Number(response.headers.get('retry-after'))
  return { status: response.status, client_id, error, retryAfter }
}

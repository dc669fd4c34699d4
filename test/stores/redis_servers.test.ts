/** Two servers on one Redis, on a cluster, and over REST: whole sign-ins, and the races between them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { redis } from '../../src/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import { upstash } from '../../src/upstash.ts'
import { authorize, call, post, redeem, refresh, register, signIn } from '../support/flow.ts'
import { redisSuite, startCluster, startRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import { startRest } from '../support/redis_rest.ts'
import { startServer, type TestServer } from '../support/server.ts'

interface Place {
  open(): Store | Promise<Store>
  close(): Promise<void>
}

const clients = testClients('file')

const PLACES: readonly (readonly [string, () => Promise<Place>])[] = [
  [
    'Redis, through ioredis',
    async () => {
      const server = await startRedis()
      return { open: () => redis(clients.ioRedis(server.port)), close: server.close }
    },
  ],
  [
    'a cluster, through ioredis',
    async () => {
      const cluster = await startCluster()
      const ports = cluster.nodes.map(({ port }) => port)
      return { open: () => redis(clients.ioRedisCluster(ports)), close: cluster.close }
    },
  ],
  [
    'a cluster, through node-redis',
    async () => {
      const cluster = await startCluster()
      const ports = cluster.nodes.map(({ port }) => port)
      return {
        open: async () => redis(await clients.nodeRedisCluster(ports)),
        close: cluster.close,
      }
    },
  ],
  [
    'Upstash',
    async () => {
      const server = await startRedis()
      const rest = await startRest(server.port, 'token')
      return {
        open: () => upstash({ url: rest.url, token: 'token' }),
        close: async () => {
          await rest.close()
          await server.close()
        },
      }
    },
  ],
]

const TWENTY: readonly number[] = Array.from({ length: 20 }, (_, at) => at)

redisSuite(describe, 'two servers', () => {
  describe.each(PLACES)('on %s', (_, start) => {
    let place: Place
    let servers: readonly [TestServer, TestServer]
    const at = (turn: number): TestServer => servers[turn % 2 === 0 ? 0 : 1]

    beforeAll(async () => {
      place = await start()
      const shared = { keys: [generateKey()], rateLimits: { token: 0, register: 0 } }
      const first = await startServer({ ...shared, store: await place.open() })
      const resources = [first.resource]
      const second = await startServer({ ...shared, store: await place.open(), resources })
      servers = [first, second]
    }, 60_000)
    afterAll(async () => {
      await Promise.all(servers.map((server) => server.close()))
      await place.close()
    })

    it('what one has answered the other knows: client, tokens, revocation', async () => {
      const [one, other] = servers
      const { client, tokens } = await signIn(one)
      const next = await refresh(other, client, tokens.refresh_token)
      expect(next.status).toBe(200)
      const access_token = String(next.body['access_token'])
      expect((await call(one, access_token)).status).toBe(200)
      const { client_id } = client
      const token = String(next.body['refresh_token'])
      expect((await post(other, '/revoke', { token, client_id })).status).toBe(200)
      expect((await call(one, access_token)).status).toBe(401)
      expect((await refresh(one, client, token)).body).toMatchObject({ error: 'invalid_grant' })
    })

    it('TK-20 RFC 6749 §4.1.2 twenty redemptions of one code at both: one succeeds', async () => {
      const client = await register(servers[0])
      for (let round = 0; round < 3; round += 1) {
        const authorized = await authorize(servers[0], client)
        const answers = await Promise.all(TWENTY.map((turn) => redeem(at(turn), authorized)))
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
        for (const { status, body } of answers.filter((answer) => answer.status !== 200)) {
          expect([status, body['error']]).toEqual([400, 'invalid_grant'])
        }
      }
    })

    it('RF-06 OAuth 2.1 §4.3.1 ten refreshes with one token at both: one and the same answer', async () => {
      const { client, tokens } = await signIn(servers[0])
      let token = tokens.refresh_token
      for (let round = 0; round < 3; round += 1) {
        const answers = await Promise.all(
          TWENTY.slice(10).map((turn) => refresh(at(turn), client, token)),
        )
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
        expect(new Set(answers.map(({ body }) => body['refresh_token'])).size).toBe(1)
        token = String(answers[0]?.body['refresh_token'])
        expect((await call(servers[0], String(answers[0]?.body['access_token']))).status).toBe(200)
      }
    })

    it('RV-08 RFC 7009 §2.2 eight revocations and a refresh at both: nothing lives on', async () => {
      const { client, tokens } = await signIn(servers[0])
      const { client_id } = client
      const [refreshed, ...revoked] = await Promise.all([
        refresh(servers[1], client, tokens.refresh_token),
        ...TWENTY.slice(12).map((turn) =>
          post(at(turn), '/revoke', { token: tokens.refresh_token, client_id }),
        ),
      ])
      expect(revoked.map(({ status }) => status)).toEqual(revoked.map(() => 200))
      const { access_token, refresh_token } = refreshed.body
      const alive = [tokens.access_token, String(access_token)].map((token) =>
        call(servers[0], token),
      )
      for (const { status } of await Promise.all(alive)) expect(status).toBe(401)
      for (const token of [tokens.refresh_token, String(refresh_token)]) {
        expect((await refresh(servers[1], client, token)).status).toBe(400)
      }
    })
  })
})

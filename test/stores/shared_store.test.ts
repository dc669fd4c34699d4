/**
 * Two servers, each with an issuer and a resource of its own, over one store: what is of one is unknown at
 * the other. With a prefix or schema of its own each has its own store; here they share all of it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { open, type Sealed } from '../../src/crypto/seal.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { redis } from '../../src/redis.ts'
import { sqlite } from '../../src/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { createAgent } from '../support/agent.ts'
import {
  agentOf,
  authorize,
  authorizeUrl,
  call,
  decide,
  pkce,
  post,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/flow.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'
import { depart, signInUpstream, startWorld, UNLIMITED } from '../support/upstream_flow.ts'

const fresh = tempFiles('.db')
const RESOURCE_SERVER = { client_id: 'rs', client_secret: 'a secret of a resource server, long' }

/** Two servers on one file; `one` lets everybody in, and what `two` lets in is the test's. */
async function pair(
  keys: readonly [string, string],
  allow: () => boolean = () => true,
): Promise<{ one: TestServer; two: TestServer; store: Store; close(): Promise<void> }> {
  const store = sqlite(fresh())
  const common = { store, rateLimits: UNLIMITED, resourceServer: RESOURCE_SERVER }
  const one = await startServer({ ...common, keys: [keys[0]], allow: async () => allow() })
  const two = await startServer({ ...common, keys: [keys[1]] })
  return {
    one,
    two,
    store,
    async close() {
      await one.close()
      await two.close()
    },
  }
}

function introspect(server: TestServer, token: string): ReturnType<typeof post> {
  const { client_id, client_secret } = RESOURCE_SERVER
  return post(server, '/introspect', { token, client_id, client_secret })
}

const same = generateKey()

describe.each([
  ['keys of their own', [generateKey(), generateKey()] as const],
  ['the same keys, by mistake', [same, same] as const],
])('TN-01 two servers on one store with %s', (_, keys) => {
  it('TN-01 a code of one is none at the other, and stays good at its own', async () => {
    const { one, two, close } = await pair(keys)
    const authorized = await authorize(one, await register(one))
    const refused = await redeem(two, authorized)
    expect([refused.status, refused.body['access_token']]).toEqual([400, undefined])
    expect((await redeem(one, authorized)).status).toBe(200)
    await close()
  })

  it('TN-01 a refresh token of one is none at the other, and its grant goes on', async () => {
    const { one, two, close } = await pair(keys)
    const { client, tokens } = await signIn(one)
    const refused = await refresh(two, client, tokens.refresh_token)
    expect([refused.status, refused.body['access_token']]).toEqual([400, undefined])
    expect((await refresh(one, client, tokens.refresh_token)).status).toBe(200)
    await close()
  })

  it('TN-01 an access token of one opens nothing at the other and is told to nobody there', async () => {
    const { one, two, close } = await pair(keys)
    const { tokens } = await signIn(one)
    expect((await call(two, tokens.access_token)).status).toBe(401)
    expect((await introspect(two, tokens.access_token)).body).toEqual({ active: false })
    expect((await introspect(one, tokens.access_token)).body['active']).toBe(true)
    await close()
  })

  it('TN-01 TN-04 a ticket of one, with its cookie, cannot be approved at the other', async () => {
    // The first server lets nobody in; the second, whose user the attacker is, lets everybody in.
    const { one, two, store, close } = await pair(keys, () => false)
    const client = await register(one)
    const agent = agentOf('eve')
    const { challenge } = pkce()
    const [before] = [await agent.get(authorizeUrl(two, client, challenge))]
    const id = /name="ticket" value="([^"]*)"/.exec(before.body)?.[1] ?? ''
    const found = await store.find('ticket', id)
    expect(found?.record.resource).toBe(two.resource)
    // As if it had been begun at the first.
    await store.replace('ticket', { ...found!.record, resource: one.resource }, found!.version)
    const after = await decide(two, agent, before)
    expect([after.status, after.leadsTo]).toEqual([400, undefined])
    expect((await store.scan('grant', { limit: 10 })).rows).toEqual([])
    await close()
  })

  it('TN-01 the resource of one cannot be asked for at the other', async () => {
    const { one, two, close } = await pair(keys)
    const url = authorizeUrl(two, await register(two), pkce().challenge, { resource: one.resource })
    const page = await agentOf('eve').get(url)
    expect(page.leadsTo ?? page.body).toContain('invalid_target')
    await close()
  })
})

describe('TN-01 two servers on one store with the same keys', () => {
  it('TN-04 whom one has locked out gets no new token of it at the other', async () => {
    let allowed = true
    const { one, two, close } = await pair([same, same], () => allowed)
    const { client, tokens } = await signIn(one)
    allowed = false
    expect((await refresh(two, client, tokens.refresh_token)).body['error']).toBe('invalid_target')
    expect((await refresh(one, client, tokens.refresh_token)).body['error']).toBe('invalid_grant')
    await close()
  })

  it('TN-01 a callback of one does not end at the other', async () => {
    const store = sqlite(fresh())
    const one = await startWorld({ store, keys: [same] })
    const two = await startWorld({ store, keys: [same] })
    const departure = await depart(one)
    const callback = new URL(await one.provider.signIn(departure.upstreamUrl, 'ada'))
    const elsewhere = `${two.server.issuer}/callback${callback.search}`
    const agent = createAgent(departure.agent.jar)
    expect((await agent.get(elsewhere)).status).toBe(400)
    expect((await store.scan('grant', { limit: 10 })).rows).toEqual([])
    // It was not used up there.
    expect((await departure.agent.get(callback.href)).leadsTo).toContain('code=')
    await two.close()
    await one.close()
  })
})

describe('TN-03 rows of two servers', () => {
  it('TN-03 what one has sealed opens at the other neither in its place nor in another', async () => {
    const [first, second] = [generateKey(), generateKey()]
    const [from, to] = [sqlite(fresh()), sqlite(fresh())]
    const one = await startWorld({ store: from, keys: [first] })
    const two = await startWorld({ store: to, keys: [second] })
    await signInUpstream(one, 'ada')
    await signInUpstream(two, 'ada')
    const [mine] = (await from.scan('connection', { limit: 1 })).rows
    const [theirs] = (await to.scan('connection', { limit: 1 })).rows
    const place = `connection/${mine!.record.id}/access_token` as const
    const other = `connection/${theirs!.record.id}/access_token` as const
    const openBy = (key: string, sealed: Sealed, where: typeof place): string | undefined =>
      open(createKeyring([key]), sealed, where)
    expect(openBy(first, mine!.record.access_token, place)).toBeDefined()
    expect(openBy(second, mine!.record.access_token, place)).toBeUndefined()
    expect(openBy(second, theirs!.record.access_token, other)).toBeDefined()
    // With the same keys the id still binds it.
    expect(openBy(first, mine!.record.access_token, `connection/${sha256('x')}/access_token`)).toBe(
      undefined,
    )
    await two.close()
    await one.close()
  })
})

redisSuite(describe, 'two servers on one Redis, each with a prefix of its own', () => {
  let server: TestRedis
  const clients = testClients()
  beforeAll(async () => void (server = await startRedis()))
  afterAll(() => server.close())

  it('TN-01 TN-03 not even with the same keys is anything of one known at the other', async () => {
    const client = clients.ioRedis(server.port)
    const stores = ['t1', 't2'].map((prefix) => redis(client, { prefix }))
    const [one, two] = await Promise.all(
      stores.map((store) => startServer({ store, keys: [same], rateLimits: UNLIMITED })),
    )
    const { client: known, tokens, authorized } = await signIn(one!)
    expect((await refresh(two!, known, tokens.refresh_token)).body['error']).toBe('invalid_client')
    expect((await redeem(two!, authorized)).body['error']).toBe('invalid_client')
    expect((await call(two!, tokens.access_token)).status).toBe(401)
    for (const kind of ['client', 'grant', 'ticket'] as const) {
      expect((await stores[1]!.scan(kind, { limit: 10 })).rows).toEqual([])
    }
    await one!.close()
    await two!.close()
  })
})

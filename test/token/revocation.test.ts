/**
 * Revocation over the wire: RFC 7009, with two replicas on one SQLite file.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import { StoreUnavailable, type Store } from '../../src/stores/store.ts'
import {
  call,
  post,
  refresh,
  register,
  signIn,
  type Params,
  type TestClient,
} from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'

const file = tempFiles('.db')()
const keys = [generateKey()]
let failing = false

let server: TestServer
let replica: TestServer
let client: TestClient
let confidential: TestClient

/** A store that fails to write while `failing`. */
function mayFail(store: Store): Store {
  return {
    ...store,
    find: store.find.bind(store),
    insert: store.insert.bind(store),
    take: store.take.bind(store),
    list: store.list.bind(store),
    scan: store.scan.bind(store),
    deleteExpired: store.deleteExpired.bind(store),
    close: store.close.bind(store),
    replace: (kind, record, version) =>
      failing
        ? Promise.reject(new StoreUnavailable('the disk is gone'))
        : store.replace(kind, record, version),
  }
}

beforeAll(async () => {
  const options = { keys, rateLimits: { token: 0, register: 0 } }
  server = await startServer({ ...options, store: mayFail(sqlite(file)) })
  replica = await startServer({ ...options, store: sqlite(file), resources: [server.resource] })
  client = await register(server)
  confidential = await register(server, { token_endpoint_auth_method: 'client_secret_post' })
})
afterAll(async () => {
  await server.close()
  await replica.close()
})

function revoke(token: string | undefined, one = client, params: Params = {}) {
  return post(server, '/revoke', {
    token,
    client_id: one.client_id,
    client_secret: one.client_secret,
    ...params,
  })
}

/** Another instance knows of a revocation within a second, as it may have read the grant before. */
const expectRefusedByReplica = (token: string) =>
  vi.waitFor(async () => expect((await callReplica(token)).status).toBe(401), {
    timeout: 1000,
    interval: 5,
  })

/** The replica guards the same resource. */
const callReplica = (token: string) => call({ resource: `${replica.origin}/mcp` }, token)

describe('RFC 7009 §2.1', () => {
  it('RV-01 RV-11 a refresh token takes its grant along, here at once, on every replica within a second', async () => {
    const { tokens } = await signIn(server, { client })
    expect((await callReplica(tokens.access_token)).status).toBe(200)
    const { status, text } = await revoke(tokens.refresh_token)
    expect([status, text]).toEqual([200, ''])
    await expectRefusedByReplica(tokens.access_token)
    expect((await call(server, tokens.access_token)).status).toBe(401)
    expect((await refresh(server, client, tokens.refresh_token)).body['error']).toBe(
      'invalid_grant',
    )
  })

  it('RV-02 GD-20 an access token is over at once, and alone', async () => {
    const { tokens } = await signIn(server, { client })
    expect((await revoke(tokens.access_token)).status).toBe(200)
    await expectRefusedByReplica(tokens.access_token)
    const next = await refresh(server, client, tokens.refresh_token)
    expect((await call(server, String(next.body['access_token']))).status).toBe(200)
  })

  it('RV-03 another client hears the same, and the token lives: decision 0002', async () => {
    const { tokens } = await signIn(server, { client })
    const thief = await register(server, { client_name: 'thief' })
    const before = server.events.length
    for (const token of [tokens.refresh_token, tokens.access_token]) {
      const { status, text } = await revoke(token, thief)
      expect([status, text]).toEqual([200, ''])
    }
    expect((await call(server, tokens.access_token)).status).toBe(200)
    expect(server.events.slice(before).map(({ type }) => type)).toEqual([
      'revocation_refused',
      'revocation_refused',
    ])
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200)
  })

  it('RV-05 a confidential client authenticates, or nothing happens', async () => {
    const { tokens } = await signIn(server, { client: confidential })
    for (const client_secret of [undefined, 'wrong']) {
      const refused = await revoke(tokens.refresh_token, confidential, { client_secret })
      expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client'])
    }
    expect((await call(server, tokens.access_token)).status).toBe(200)
    expect((await revoke(tokens.refresh_token, confidential)).status).toBe(200)
    expect((await call(server, tokens.access_token)).status).toBe(401)
  })

  it.each(['access_token', 'nonsense', 'refresh_token'])(
    'RV-06 the hint %s stops nothing',
    async (token_type_hint) => {
      const { tokens } = await signIn(server, { client })
      expect((await revoke(tokens.refresh_token, client, { token_type_hint })).status).toBe(200)
      expect((await call(server, tokens.access_token)).status).toBe(401)
    },
  )

  it('RV-07 no token, two tokens, GET and JSON are refused', async () => {
    expect((await revoke(undefined)).body['error']).toBe('invalid_request')
    const twice = `token=a&token=b&client_id=${client.client_id}`
    expect((await post(server, '/revoke', twice)).body['error']).toBe('invalid_request')
    expect((await fetch(`${server.issuer}/revoke?token=a`)).status).toBe(405)
    const json = await post(server, '/revoke', '{"token":"a"}', {
      'content-type': 'application/json',
    })
    expect(json.status).toBe(415)
  })

  it('an old refresh token of the family ends it too: whoever hands it back wants out', async () => {
    const { tokens } = await signIn(server, { client })
    const next = await refresh(server, client, tokens.refresh_token)
    expect((await revoke(tokens.refresh_token)).status).toBe(200)
    expect((await call(server, String(next.body['access_token']))).status).toBe(401)
  })
})

describe('RFC 7009 §2.2', () => {
  it.each(['random', 'x', 'x'.repeat(5000), 'mcp_rt_aaaaaa.W10.x', 'mcp_at_'])(
    'RV-04 an unknown token is 200 and empty',
    async (token) => {
      const { status, text } = await revoke(token)
      expect([status, text]).toEqual([200, ''])
    },
  )

  it('RV-08 again and at once: each 200, and nothing that came out of a racing refresh lives', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { tokens } = await signIn(server, { client })
      const [refreshed, ...revoked] = await Promise.all([
        refresh(replica, client, tokens.refresh_token),
        ...Array.from({ length: 8 }, () => revoke(tokens.refresh_token)),
      ])
      expect(new Set(revoked.map(({ status }) => status))).toEqual(new Set([200]))
      if (refreshed?.status === 200) {
        expect((await call(server, String(refreshed.body['access_token']))).status).toBe(401)
        const next = await refresh(server, client, String(refreshed.body['refresh_token']))
        expect(next.body['error']).toBe('invalid_grant')
      }
    }
  })
})

describe('RFC 7009 §2.2.1', () => {
  it('RV-09 GD-28 a store that fails is 503 with Retry-After, and the token is as it was', async () => {
    const { tokens } = await signIn(server, { client })
    failing = true
    try {
      const { status, headers, body } = await revoke(tokens.refresh_token)
      expect([status, body['error']]).toEqual([503, 'temporarily_unavailable'])
      expect(headers.get('retry-after')).toMatch(/^\d+$/)
    } finally {
      failing = false
    }
    expect((await call(server, tokens.access_token)).status).toBe(200)
    expect((await revoke(tokens.refresh_token)).status).toBe(200)
    expect((await call(server, tokens.access_token)).status).toBe(401)
  })

  it('RV-12 the end of a grant is one write: there is no half of it', async () => {
    const { tokens } = await signIn(server, { client })
    const all = [tokens.access_token]
    let token = tokens.refresh_token
    for (let index = 0; index < 20; index += 1) {
      const { body } = await refresh(server, client, token)
      token = String(body['refresh_token'])
      all.push(String(body['access_token']))
    }
    await revoke(token)
    const statuses = await Promise.all(all.map(async (one) => (await callReplica(one)).status))
    expect(new Set(statuses)).toEqual(new Set([401]))
  })
})

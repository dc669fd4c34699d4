/**
 * Refreshing over the wire: OAuth 2.1 §4.3.1, with two replicas on one SQLite file.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import {
  call,
  redeem,
  authorize,
  refresh,
  register,
  signIn,
  type TestClient,
} from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'

const file = tempFiles('.db')()
const keys = [generateKey()]
let moved = 0
const now = () => Math.floor(Date.now() / 1000) + moved

let server: TestServer
/** Another process’s server, as far as they can tell: only the file and the keys are shared. */
let replica: TestServer
let client: TestClient

beforeAll(async () => {
  const options = { keys, now, rateLimits: { token: 0, register: 0 } }
  server = await startServer({ ...options, store: sqlite(file) })
  replica = await startServer({
    ...options,
    store: sqlite(file),
    resources: [server.resource],
  })
  client = await register(server)
})
beforeEach(() => {
  moved = 0
})
afterAll(async () => {
  await server.close()
  await replica.close()
})

const string = (value: unknown) => String(value)

describe('OAuth 2.1 §4.3.1 rotation', () => {
  it('RF-01 each refresh gives a new pair, not stored anywhere on the way', async () => {
    const { tokens } = await signIn(server, { client })
    const { status, body, headers } = await refresh(server, client, tokens.refresh_token)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body['refresh_token']).not.toBe(tokens.refresh_token)
    expect(body['access_token']).not.toBe(tokens.access_token)
    expect((await call(server, string(body['access_token']))).status).toBe(200)
  })

  it('RF-02 an old token ends the family: the newest refresh token and every access token', async () => {
    const { tokens } = await signIn(server, { client })
    const second = await refresh(server, client, tokens.refresh_token)
    const third = await refresh(server, client, string(second.body['refresh_token']))
    const old = await refresh(server, client, tokens.refresh_token)
    expect([old.status, old.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await refresh(server, client, string(third.body['refresh_token']))).status).toBe(400)
    for (const token of [
      tokens.access_token,
      second.body['access_token'],
      third.body['access_token'],
    ]) {
      expect((await call(server, string(token))).status).toBe(401)
    }
    expect(server.events).toContainEqual(
      expect.objectContaining({ type: 'grant_ended', reason: 'refresh_token_reused' }),
    )
  })

  it('RF-07 RF-12 RF-14 a lost answer is given again, the same, by any replica', async () => {
    const { tokens } = await signIn(server, { client })
    const first = await refresh(server, client, tokens.refresh_token)
    for (const one of [server, replica, server, replica, replica]) {
      expect((await refresh(one, client, tokens.refresh_token)).text).toBe(first.text)
    }
    // RF-13: once the successor has been used, the old one is a thief's.
    expect((await refresh(replica, client, string(first.body['refresh_token']))).status).toBe(200)
    expect((await refresh(server, client, tokens.refresh_token)).body['error']).toBe(
      'invalid_grant',
    )
  })

  it('RF-14 a server that was started anew knows the answer too', async () => {
    const { tokens } = await signIn(server, { client })
    const first = await refresh(server, client, tokens.refresh_token)
    const anew = await startServer({ keys, now, store: sqlite(file), resources: [server.resource] })
    try {
      expect((await refresh(anew, client, tokens.refresh_token)).text).toBe(first.text)
    } finally {
      await anew.close()
    }
  })

  it('RF-02 after the window the token before ends the grant', async () => {
    const { tokens } = await signIn(server, { client })
    const first = await refresh(server, client, tokens.refresh_token)
    moved = 61
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(400)
    expect((await refresh(server, client, string(first.body['refresh_token']))).status).toBe(400)
  })

  it('RF-06 MI-01 fifty at once over two replicas: one successor, and it works', async () => {
    const { tokens } = await signIn(server, { client })
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        refresh(index % 2 === 0 ? server : replica, client, tokens.refresh_token),
      ),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ body }) => body['refresh_token'])).size).toBe(1)
    const next = await refresh(replica, client, string(answers[0]?.body['refresh_token']))
    expect(next.status).toBe(200)
  })

  it('RF-20 an old token beside a good one, at once: never a live family afterwards', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { tokens } = await signIn(server, { client })
      const second = await refresh(server, client, tokens.refresh_token)
      const third = await refresh(server, client, string(second.body['refresh_token']))
      const [, good] = await Promise.all([
        refresh(server, client, tokens.refresh_token),
        refresh(replica, client, string(third.body['refresh_token'])),
      ])
      const last = string(good.body['refresh_token'] ?? third.body['refresh_token'])
      expect((await refresh(server, client, last)).status).toBe(400)
    }
  })

  it('RF-19 a chain of two hundred leaves one record, no larger than at its second link', async () => {
    const { tokens } = await signIn(server, { client })
    let token = tokens.refresh_token
    const sizes: number[] = []
    for (let link = 0; link < 200; link += 1) {
      token = string((await refresh(server, client, token)).body['refresh_token'])
      const [, body = ''] = token.split('.')
      const [grantId] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string]
      const found = await server.store.find('grant', grantId)
      sizes.push(JSON.stringify(found?.record).length)
    }
    const [first = 0] = sizes
    expect(Math.max(...sizes)).toBeLessThan(first + 16)
  })
})

describe('RFC 6749 §6 what a refresh may ask', () => {
  it('RF-03 another client gets nothing, and ends nothing', async () => {
    const { tokens } = await signIn(server, { client })
    const thief = await register(server, { client_name: 'thief' })
    const stolen = await refresh(server, thief, tokens.refresh_token)
    expect([stolen.status, stolen.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200)
  })

  it('RF-04 RF-16 less scope, then all of it again, never more', async () => {
    const { tokens } = await signIn(server, { client })
    const narrow = await refresh(server, client, tokens.refresh_token, { scope: 'notes:read' })
    expect(narrow.body['scope']).toBe('notes:read')
    const scoped = await call(server, string(narrow.body['access_token']), 'tools/call', {
      name: 'delete_note',
      arguments: {},
    })
    expect(scoped.status).toBe(403)
    const more = await refresh(server, client, string(narrow.body['refresh_token']), {
      scope: 'notes:read admin',
    })
    expect([more.status, more.body['error']]).toEqual([400, 'invalid_scope'])
    const whole = await refresh(server, client, string(narrow.body['refresh_token']))
    expect(whole.body['scope']).toBe('notes:read notes:write')
  })

  it('RF-05 another resource is invalid_target, and the token still works', async () => {
    const { tokens } = await signIn(server, { client })
    const refused = await refresh(server, client, tokens.refresh_token, {
      resource: 'https://evil.example/mcp',
    })
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_target'])
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200)
  })

  it('RF-10 whatever is not the token, to the last bit, is invalid_grant', async () => {
    const { tokens } = await signIn(server, { client })
    const good = tokens.refresh_token
    const last = good.at(-1) === 'A' ? 'B' : 'A'
    const wrong = [
      'random',
      good.slice(0, -1),
      `${good}A`,
      `${good.slice(0, -1)}${last}`,
      good.toUpperCase(),
      'null',
      `${good}=`,
      'x'.repeat(50_000),
    ]
    for (const token of wrong) {
      const { status, body } = await refresh(server, client, token)
      expect([status, body['error']]).toEqual([400, 'invalid_grant'])
    }
    expect((await refresh(server, client, '')).body['error']).toBe('invalid_request')
    expect((await refresh(server, client, good)).status).toBe(200)
  })

  it('RF-11 a later sign-in with more scope gives the earlier one nothing', async () => {
    const narrow = await redeem(
      server,
      await authorize(server, client, { params: { scope: 'notes:read' } }),
    )
    await signIn(server, { client })
    const { body } = await refresh(server, client, string(narrow.body['refresh_token']))
    expect(body['scope']).toBe('notes:read')
  })

  it('RF-15 unused for too long it expires, and no rotation outlives the absolute end', async () => {
    const { tokens } = await signIn(server, { client })
    moved = 30 * 86_400 + 1
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(400)
    moved = 0
    const { tokens: kept } = await signIn(server, { client })
    let token = kept.refresh_token
    for (let day = 25; day < 365; day += 25) {
      moved = day * 86_400
      const { status, body } = await refresh(server, client, token)
      expect(status).toBe(200)
      token = string(body['refresh_token'])
    }
    moved = 365 * 86_400
    expect((await refresh(server, client, token)).body['error']).toBe('invalid_grant')
  })
})

describe('RFC 8252 §7.3 a native client at another port', () => {
  it('RG-38 may register again before it refreshes, as some do', async () => {
    const native = (port: number) =>
      register(server, { redirect_uris: [`http://127.0.0.1:${port}/callback`] })
    const { tokens } = await signIn(server, { client: await native(4000) })
    const again = await native(5000)
    expect((await refresh(server, again, tokens.refresh_token)).status).toBe(200)
    expect((await signIn(server, { client: again })).tokens.access_token).toBeDefined()
  })
})

describe('design: several instances', () => {
  it('MI-03 a replica that knows the new key only as its second reads what it made', async () => {
    const [older, newer] = [generateKey(), generateKey()]
    const store = sqlite(tempFile())
    const before = await startServer({ keys: [older], store, now })
    try {
      const one = await register(before)
      const { tokens } = await signIn(before, { client: one })
      const after = await startServer({
        keys: [newer, older],
        store,
        now,
        resources: [before.resource],
      })
      const next = await refresh(after, one, tokens.refresh_token)
      expect(next.status).toBe(200)
      // The old replica does not know the new key: a token of it is refused, and nothing is ended.
      expect((await refresh(before, one, string(next.body['refresh_token']))).status).toBe(400)
      expect((await refresh(after, one, string(next.body['refresh_token']))).status).toBe(200)
      await after.close()
    } finally {
      await before.close()
    }
  })
})

const tempFile = tempFiles('.db')

/**
 * A fresh upstream token for a tool: one refresh whoever asks, and what the upstream's failures mean.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyring } from '../../src/crypto/keyring.ts'
import { seal } from '../../src/crypto/seal.ts'
import type { AuthInfo } from '../../src/guard/verifier.ts'
import type { McpOAuth } from '../../src/server/server.ts'
import type { ConnectionRecord } from '../../src/stores/records.ts'
import { memory } from '../../src/stores/memory.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import { StoreUnavailable, type Store } from '../../src/stores/store.ts'
import { oauth2 } from '../../src/upstream/generic.ts'
import { call, post, redeem, refresh, register, type Tokens } from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'
import {
  arrive,
  depart,
  signInUpstream,
  startWorld,
  UNLIMITED,
  upstreamAt,
  type World,
} from '../support/upstream_flow.ts'

const freshFile = tempFiles('.db')

async function infoOf(auth: McpOAuth, { access_token }: Tokens): Promise<AuthInfo> {
  const info = await auth.verifyToken(undefined, access_token)
  if (info === undefined) throw new Error('the token does not verify')
  return info
}

async function connectionOf(store: Store, info: AuthInfo): Promise<ConnectionRecord> {
  const { connectionId = '' } = (await store.find('grant', info.extra.grantId))?.record ?? {}
  const found = await store.find('connection', connectionId)
  if (found === undefined) throw new Error('there is no connection')
  return found.record
}

/** Who is behind an upstream token, told by the provider's own API. */
async function whose({ provider }: Pick<World, 'provider'>, token: string): Promise<unknown> {
  const response = await fetch(provider.notesUrl, { headers: { authorization: `Bearer ${token}` } })
  return response.status === 200
    ? ((await response.json()) as { user: unknown }).user
    : response.status
}

const expired = (code: string) => ({ name: 'OAuthError', code })

describe('two instances on one SQLite file', () => {
  let world: World
  let second: TestServer
  let skew = 0

  beforeAll(async () => {
    const file = freshFile()
    world = await startWorld({ store: sqlite(file), provider: { accessTokenLifetime: 100 } })
    const { server, provider } = world
    second = await startServer({
      rateLimits: UNLIMITED,
      store: sqlite(file),
      keys: server.keys,
      resources: [server.resource],
      upstream: (issuer) => upstreamAt(provider, issuer),
      now: () => Math.floor(Date.now() / 1000) + skew,
    })
  })
  afterAll(async () => {
    await second.close()
    await world.close()
  })

  it('CB-20 GW-26 fifty callers on both: one refresh at the provider, one token for all', async () => {
    const { server, provider } = world
    const { tokens } = await signInUpstream(world, 'ada')
    const info = await infoOf(server.auth, tokens)
    const first = await server.auth.upstreamToken(info)
    const before = provider.tokenCalls().refresh
    server.advance(101)
    skew += 101
    const got = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 === 0 ? server.auth : second.auth).upstreamToken(info),
      ),
    )
    expect(provider.tokenCalls().refresh).toBe(before + 1)
    expect(new Set(got).size).toBe(1)
    expect(got[0]).not.toBe(first)
    expect(await whose(world, got[0] ?? '')).toBe('ada')
    expect((await connectionOf(server.store, info)).lease).toBeUndefined()
    server.advance(-skew)
    skew = 0
  })

  it('CB-20 each refresh uses the token that the one before brought, as the provider rotates', async () => {
    const { server, provider } = world
    const { tokens } = await signInUpstream(world, 'grace')
    const info = await infoOf(server.auth, tokens)
    const before = provider.tokenCalls().refresh
    for (let round = 1; round <= 4; round += 1) {
      server.advance(101)
      skew += 101
      const auth = round % 2 === 0 ? server.auth : second.auth
      expect(await whose(world, await auth.upstreamToken(info))).toBe('grace')
      expect(provider.tokenCalls().refresh).toBe(before + round)
    }
    server.advance(-skew)
    skew = 0
  })

  it('CB-20 a clock that is 30 seconds ahead does not take a lease that is held', async () => {
    const { server, provider } = world
    const { tokens } = await signInUpstream(world, 'ada')
    const info = await infoOf(server.auth, tokens)
    const before = provider.tokenCalls().refresh
    server.advance(101)
    skew += 131
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? server.auth : second.auth).upstreamToken(info),
      ),
    )
    expect(provider.tokenCalls().refresh).toBe(before + 1)
    server.advance(-101)
    skew = 0
  })

  it('CB-26 each user gets their own token, whatever grants of others there are', async () => {
    const { server } = world
    const client = await register(server)
    const users = ['ada', 'grace', 'ada', 'grace'] as const
    const infos = await Promise.all(
      users.map(async (user) =>
        infoOf(server.auth, (await signInUpstream(world, user, { client })).tokens),
      ),
    )
    const got = await Promise.all(infos.map((info) => server.auth.upstreamToken(info)))
    expect(await Promise.all(got.map((token) => whose(world, token)))).toEqual(users)
  })
})

describe('failures of the upstream', () => {
  it('CB-21 a permanent one ends the grants of that user alone: 401 at the guard, invalid_grant at refresh', async () => {
    const world = await startWorld({ provider: { accessTokenLifetime: 100 } })
    const { server, provider } = world
    const client = await register(server)
    const laptop = await signInUpstream(world, 'ada', { client })
    const phone = await signInUpstream(world, 'ada', { client })
    const other = await signInUpstream(world, 'grace', { client })
    const info = await infoOf(server.auth, laptop.tokens)
    await provider.forget('ada')
    server.advance(101)
    await expect(server.auth.upstreamToken(info)).rejects.toMatchObject(expired('invalid_grant'))
    for (const { tokens } of [laptop, phone]) {
      const refused = await call(server, tokens.access_token)
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
      const { status, body } = await refresh(server, client, tokens.refresh_token)
      expect([status, body['error']]).toEqual([400, 'invalid_grant'])
    }
    expect((await call(server, other.tokens.access_token)).status).toBe(200)
    await expect(server.auth.upstreamToken(info)).rejects.toMatchObject(expired('invalid_grant'))
    expect((await connectionOf(server.store, info)).deadAt).toBeDefined()
    const ended = server.events.filter(({ type }) => type === 'grant_ended')
    expect(ended.map(({ reason }) => reason)).toEqual(['upstream_refused', 'upstream_refused'])

    // The user signs in again: the same connection lives, with tokens of now.
    const again = await signInUpstream(world, 'ada', { client })
    const alive = await infoOf(server.auth, again.tokens)
    expect(await whose(world, await server.auth.upstreamToken(alive))).toBe('ada')
    expect((await connectionOf(server.store, alive)).deadAt).toBeUndefined()
    server.advance(101)
    expect(await whose(world, await server.auth.upstreamToken(alive))).toBe('ada')
    // What was ended stays so.
    expect((await call(server, laptop.tokens.access_token)).status).toBe(401)
    await world.close()
  })

  it('CB-21 fifty callers at a permanent one hear the same, and the provider is asked once', async () => {
    const world = await startWorld({ provider: { accessTokenLifetime: 100 } })
    const { server, provider } = world
    const info = await infoOf(server.auth, (await signInUpstream(world)).tokens)
    await provider.forget('ada')
    server.advance(101)
    const before = provider.tokenCalls().refresh
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => server.auth.upstreamToken(info)),
    )
    for (const result of results) {
      expect(result.status === 'rejected' && result.reason).toMatchObject(expired('invalid_grant'))
    }
    expect(provider.tokenCalls().refresh).toBe(before + 1)
    expect(server.events.filter(({ type }) => type === 'grant_ended')).toHaveLength(1)
    await world.close()
  })

  it('CB-10 CB-21 a transient one is temporarily_unavailable, ends nothing, and passes', async () => {
    const world = await startWorld({ provider: { accessTokenLifetime: 100 } })
    const { server, provider } = world
    const { client, tokens } = await signInUpstream(world)
    const info = await infoOf(server.auth, tokens)
    server.advance(101)
    provider.outage(true)
    for (let time = 0; time < 3; time += 1) {
      await expect(server.auth.upstreamToken(info)).rejects.toMatchObject({
        ...expired('temporarily_unavailable'),
        status: 503,
      })
    }
    expect((await connectionOf(server.store, info)).lease).toBeUndefined()
    expect((await call(server, tokens.access_token)).status).toBe(200)
    // Our own tokens are rotated without the upstream.
    const rotated = await refresh(server, client, tokens.refresh_token)
    expect(rotated.status).toBe(200)
    provider.outage(false)
    expect(await whose(world, await server.auth.upstreamToken(info))).toBe('ada')
    await world.close()
  })

  it('CB-21 ahead of time the old token still does while the upstream is down', async () => {
    const world = await startWorld({ provider: { accessTokenLifetime: 100 } })
    const { server, provider } = world
    const info = await infoOf(server.auth, (await signInUpstream(world)).tokens)
    const first = await server.auth.upstreamToken(info)
    server.advance(60)
    provider.outage(true)
    expect(await server.auth.upstreamToken(info)).toBe(first)
    provider.outage(false)
    const before = provider.tokenCalls().refresh
    expect(await server.auth.upstreamToken(info)).not.toBe(first)
    expect(provider.tokenCalls().refresh).toBe(before + 1)
    await world.close()
  })

  it('CB-20 an upstream that does not rotate: the refresh token of before goes on', async () => {
    const world = await startWorld({ provider: { accessTokenLifetime: 100, rotate: false } })
    const { server, provider } = world
    const info = await infoOf(server.auth, (await signInUpstream(world)).tokens)
    const seen = new Set<string>()
    for (let round = 1; round <= 3; round += 1) {
      server.advance(101)
      seen.add(await server.auth.upstreamToken(info))
      expect(provider.tokenCalls().refresh).toBe(round)
    }
    expect(seen.size).toBe(3)
    await world.close()
  })
})

describe('an upstream that gives no refresh token, or speaks badly', () => {
  /** A provider of a few lines: `/token` answers what `answers` has next, or the last of it again. */
  async function startRaw(answers: ((grant_type: string) => [number, string, string])[]) {
    const asked: string[] = []
    const server = createServer((req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        if (req.url === '/user') {
          res.setHeader('content-type', 'application/json')
          res.end('{"id":7,"login":"ada"}')
          return
        }
        const form = new URLSearchParams(Buffer.concat(chunks).toString())
        const grant_type = form.get('grant_type') ?? ''
        asked.push(`${grant_type} ${form.get('refresh_token') ?? ''}`.trim())
        const next = answers.length > 1 ? answers.shift() : answers[0]
        const [status, type, body] = next?.(grant_type) ?? [500, 'text/plain', '']
        res.writeHead(status, { 'content-type': type }).end(body)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const upstream = () =>
      oauth2({
        id: 'raw',
        name: 'Raw',
        client_id: 'us',
        client_secret: 'secret',
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        userinfo_endpoint: `${origin}/user`,
        identify: { sub: 'id', name: 'login' },
      })
    return { upstream, asked, close: () => (server.closeAllConnections(), server.close()) }
  }

  function tokens(more: object): (grant_type: string) => [number, string, string] {
    const json = { access_token: 'upstream-access', token_type: 'bearer', ...more }
    return () => [200, 'application/json', JSON.stringify(json)]
  }

  async function signIn(server: TestServer) {
    const departure = await depart({ server })
    const state = new URL(departure.upstreamUrl).searchParams.get('state') ?? ''
    const page = await departure.agent.get(`${server.issuer}/callback?code=c&state=${state}`)
    return { departure, page }
  }

  async function signInFully(server: TestServer): Promise<AuthInfo> {
    const { departure, page } = await signIn(server)
    const { body } = await redeem(server, arrive(departure, page))
    return infoOf(server.auth, body as unknown as Tokens)
  }

  it('without an end and without a refresh token it is used for good', async () => {
    const raw = await startRaw([tokens({})])
    const server = await startServer({ rateLimits: UNLIMITED, upstream: raw.upstream })
    const info = await signInFully(server)
    server.advance(3000)
    expect(await server.auth.upstreamToken(info)).toBe('upstream-access')
    expect(raw.asked).toEqual(['authorization_code'])
    await server.close()
    raw.close()
  })

  it('CB-21 with an end and no refresh token the user signs in again after it', async () => {
    const raw = await startRaw([tokens({ expires_in: 100 })])
    const server = await startServer({ rateLimits: UNLIMITED, upstream: raw.upstream })
    const info = await signInFully(server)
    server.advance(99)
    expect(await server.auth.upstreamToken(info)).toBe('upstream-access')
    server.advance(1)
    await expect(server.auth.upstreamToken(info)).rejects.toMatchObject(expired('invalid_grant'))
    expect(server.events.at(-1)).toMatchObject({ type: 'grant_ended', reason: 'upstream_refused' })
    const again = await signInFully(server)
    expect(await server.auth.upstreamToken(again)).toBe('upstream-access')
    await server.close()
    raw.close()
  })

  it('CB-21 a later sign-in without a refresh token keeps the one before; after a refusal it does not', async () => {
    const raw = await startRaw([
      tokens({ expires_in: 100, refresh_token: 'first' }),
      tokens({ expires_in: 100 }),
      () => [400, 'application/json', '{"error":"invalid_grant"}'],
      tokens({ expires_in: 100 }),
    ])
    const server = await startServer({ rateLimits: UNLIMITED, upstream: raw.upstream })
    await signInFully(server)
    const info = await signInFully(server)
    server.advance(101)
    await expect(server.auth.upstreamToken(info)).rejects.toMatchObject(expired('invalid_grant'))
    expect(raw.asked.at(-1)).toBe('refresh_token first')
    const again = await signInFully(server)
    server.advance(101)
    await expect(server.auth.upstreamToken(again)).rejects.toMatchObject(expired('invalid_grant'))
    expect(raw.asked.filter((line) => line === 'refresh_token first')).toHaveLength(1)
    await server.close()
    raw.close()
  })

  it.each([
    ['HTML with 200', () => [200, 'text/html', '<html>secret-words</html>']],
    [
      'an error with 200, as GitHub',
      () => [
        200,
        'application/json',
        '{"error":"bad_verification_code","error_description":"secret-words"}',
      ],
    ],
    ['500', () => [500, 'text/plain', 'secret-words']],
    ['429', () => [429, 'application/json', '{"error":"slow_down"}']],
    ['a redirect', () => [302, 'text/plain', '']],
    ['30 MB', () => [200, 'application/json', `{"x":"${'y'.repeat(30_000_000)}"}`]],
    ['no access_token', () => [200, 'application/json', '{"token_type":"bearer"}']],
    [
      'an access_token that is none',
      () => [200, 'application/json', '{"access_token":{"a":1},"token_type":"bearer"}'],
    ],
    ['token_type mac', () => [200, 'application/json', '{"access_token":"x","token_type":"mac"}']],
    ['broken JSON', () => [200, 'application/json', '{"access_token":']],
    ['nothing', () => [200, 'application/json', '']],
  ] as [string, () => [number, string, string]][])(
    'CB-09 %s at the exchange is an error for the client; nothing is kept',
    async (_what, answer) => {
      const raw = await startRaw([answer])
      const server = await startServer({ rateLimits: UNLIMITED, upstream: raw.upstream })
      const { page } = await signIn(server)
      const parameters = new URL(page.leadsTo ?? '').searchParams
      expect(['server_error', 'temporarily_unavailable']).toContain(parameters.get('error'))
      expect([parameters.get('state'), parameters.has('code')]).toEqual(['a state', false])
      expect(page.body).not.toContain('secret-words')
      expect(server.events.map(({ type }) => type)).not.toContain('grant_begun')
      await server.close()
      raw.close()
    },
  )

  it.each([
    ['HTML with 200', [200, 'text/html', '<html></html>']],
    ['500', [500, 'text/plain', '']],
    [
      'invalid_client, the operator’s fault',
      [401, 'application/json', '{"error":"invalid_client"}'],
    ],
    ['an unknown error', [400, 'application/json', '{"error":"secret_words"}']],
    ['no access_token', [200, 'application/json', '{"token_type":"bearer"}']],
  ] as [string, [number, string, string]][])(
    'CB-21 %s at a refresh is transient: nothing ends',
    async (_what, answer) => {
      const good = tokens({ expires_in: 100, refresh_token: 'r' })
      const raw = await startRaw([good, () => answer, good])
      const server = await startServer({ rateLimits: UNLIMITED, upstream: raw.upstream })
      const info = await signInFully(server)
      server.advance(101)
      const failure = server.auth.upstreamToken(info)
      await expect(failure).rejects.toMatchObject(expired('temporarily_unavailable'))
      await expect(failure).rejects.not.toThrow(/secret_words/)
      expect(await server.auth.upstreamToken(info)).toBe('upstream-access')
      expect(server.events.map(({ type }) => type)).not.toContain('grant_ended')
      await server.close()
      raw.close()
    },
  )

  it('CB-20 a refusal of a token that was replaced meanwhile ends nothing: the new one is used', async () => {
    const store = memory()
    const good = tokens({ expires_in: 100, refresh_token: 'r' })
    const late: { replace?: () => Promise<void> } = {}
    const raw = await startRaw([good, () => [400, 'application/json', '{"error":"invalid_grant"}']])
    const upstream = raw.upstream()
    const server = await startServer({
      store,
      rateLimits: UNLIMITED,
      upstream: () => ({
        ...upstream,
        async refresh(token, endpoint) {
          await late.replace?.()
          return upstream.refresh(token, endpoint)
        },
      }),
    })
    const info = await signInFully(server)
    const { id } = await connectionOf(store, info)
    server.advance(101)
    // Another instance whose lease came after ours: it has refreshed while ours was on its way.
    late.replace = async () => {
      const found = await store.find('connection', id)
      if (found === undefined) return
      const access_token = seal(
        createKeyring(server.keys),
        'newer',
        `connection/${id}/access_token`,
      )
      const accessExpiresAt = (found.record.accessExpiresAt ?? 0) + 1000
      await store.replace(
        'connection',
        { ...found.record, access_token, accessExpiresAt, lease: undefined },
        found.version,
      )
    }
    expect(await server.auth.upstreamToken(info)).toBe('newer')
    expect(server.events.map(({ type }) => type)).not.toContain('grant_ended')
    await server.close()
    raw.close()
  })
})

describe('the store in the middle of a refresh', () => {
  it('CB-20 a rotated token is stored before it is used: a store that fails for a moment is asked again', async () => {
    const inner = memory()
    let failures = 0
    const store: Store = {
      ...inner,
      replace: async (kind, record, version) => {
        if (kind === 'connection' && failures > 0 && Reflect.get(record, 'lease') === undefined) {
          failures -= 1
          throw new StoreUnavailable('down for a moment')
        }
        return inner.replace(kind, record, version)
      },
    }
    const world = await startWorld({ store, provider: { accessTokenLifetime: 100 } })
    const { server, provider } = world
    const info = await infoOf(server.auth, (await signInUpstream(world)).tokens)
    server.advance(101)
    failures = 3
    expect(await whose(world, await server.auth.upstreamToken(info))).toBe('ada')
    server.advance(101)
    expect(await whose(world, await server.auth.upstreamToken(info))).toBe('ada')
    expect(provider.tokenCalls().refresh).toBe(2)
    await world.close()
  })

  it('CB-20 a holder that died leaves a lease that runs out, and the next one refreshes', async () => {
    const store = memory()
    const world = await startWorld({ store, provider: { accessTokenLifetime: 100 } })
    const { server } = world
    const info = await infoOf(server.auth, (await signInUpstream(world)).tokens)
    const { id } = await connectionOf(store, info)
    const found = await store.find('connection', id)
    if (found === undefined) throw new Error('gone')
    const now = Math.floor(Date.now() / 1000)
    await store.replace(
      'connection',
      { ...found.record, lease: { holder: 'dead', until: now + 150 } },
      found.version,
    )
    server.advance(151)
    expect(await whose(world, await server.auth.upstreamToken(info))).toBe('ada')
    await world.close()
  })

  it('ST-01 a sealed token that was moved to another connection opens nothing there', async () => {
    const store = memory()
    const world = await startWorld({ store })
    const { server } = world
    const ada = await infoOf(server.auth, (await signInUpstream(world, 'ada')).tokens)
    const grace = await infoOf(server.auth, (await signInUpstream(world, 'grace')).tokens)
    const theirs = await connectionOf(store, ada)
    const { id } = await connectionOf(store, grace)
    const mine = await store.find('connection', id)
    if (mine === undefined) throw new Error('gone')
    const { access_token, refresh_token } = theirs
    await store.replace('connection', { ...mine.record, access_token, refresh_token }, mine.version)
    await expect(server.auth.upstreamToken(grace)).rejects.toMatchObject(expired('invalid_grant'))
    expect(await whose(world, await server.auth.upstreamToken(ada))).toBe('ada')
    await world.close()
  })
})

describe('who may ask', () => {
  it('CB-26 a token of the app’s own login has no upstream token, and an ended grant has none any more', async () => {
    const world = await startWorld()
    const { server } = world
    const { client, tokens } = await signInUpstream(world)
    const info = await infoOf(server.auth, tokens)
    const invented = { ...info, extra: { ...info.extra, grantId: 'x' } }
    await expect(server.auth.upstreamToken(invented)).rejects.toMatchObject(
      expired('invalid_grant'),
    )
    await post(server, '/revoke', { token: tokens.refresh_token, client_id: client.client_id })
    await expect(server.auth.upstreamToken(info)).rejects.toMatchObject(expired('invalid_grant'))
    await world.close()
  })
})

/**
 * The sign-ins of a server by the skill, taken over from a real Redis while a real OpenID provider says
 * who its users are.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { open } from '../../src/crypto/seal.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import { run } from '../cli/support.ts'
import { call, post, signIn } from '../support/flow.ts'
import {
  startOidcProvider,
  type TestOidcProvider,
  type TestUser,
} from '../support/oidc_provider.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { startRest } from '../support/redis_rest.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'
import { signInUpstream, UNLIMITED, upstreamAt } from '../support/upstream_flow.ts'
import { freePort } from '../support/free_port.ts'

const fresh = tempFiles('.db')
const TOKEN = 'skill-refresh-token-of-ada'

/** What the upstream gave for a user: asked of it by a server of ours, and taken out of its store. */
async function upstreamTokens(
  provider: TestOidcProvider,
  user: TestUser,
): Promise<{ access: string; refresh: string }> {
  const server = await startServer({
    rateLimits: UNLIMITED,
    upstream: (issuer) => upstreamAt(provider, issuer),
  })
  await signInUpstream({ server, provider }, user)
  const { rows } = await server.store.scan('connection', { limit: 1 })
  const keys = createKeyring(server.keys)
  const { id, access_token, refresh_token } = rows[0]?.record ?? {}
  const [access, refresh] = [
    access_token && open(keys, access_token, `connection/${id}/access_token`),
    refresh_token && open(keys, refresh_token, `connection/${id}/refresh_token`),
  ]
  await server.close()
  if (!access || !refresh) throw new Error('the provider gave no tokens')
  return { access, refresh }
}

redisSuite(describe, 'store adopt-skill', () => {
  let redis: TestRedis
  let provider: TestOidcProvider
  let keys: string
  let file: string
  let port: number

  beforeAll(async () => {
    redis = await startRedis()
    provider = await startOidcProvider()
  })
  afterAll(async () => {
    await redis.close()
    await provider.close()
  })
  beforeEach(async () => {
    await redis.cli('FLUSHALL')
    keys = generateKey()
    file = fresh()
    port = await freePort()
  })

  const origin = (): string => `http://127.0.0.1:${port}`

  /** As the skill's callback and token routes leave a user behind. */
  async function leave(
    user: TestUser,
    userId: string,
    { expiresAt = Date.now() + 3_600_000, token = TOKEN } = {},
  ): Promise<{ access: string; refresh: string }> {
    const { access, refresh } = await upstreamTokens(provider, user)
    const tokens = { accessToken: access, refreshToken: refresh, expiresAt, scope: 'openid' }
    await redis.cli('SET', `user:${userId}:tokens`, JSON.stringify(tokens), 'EX', '2592000')
    await redis.cli('SET', `refresh:${token}`, JSON.stringify({ userId }), 'EX', '2592000')
    await redis.cli('SET', `mcp_token:access-of-${userId}`, JSON.stringify(userId), 'EX', '86400')
    return { access, refresh }
  }

  function adopt(...choice: (string | Readonly<{ [name: string]: string }>)[]) {
    const flags = choice.filter((one) => typeof one === 'string')
    const variables = choice.filter((one) => typeof one !== 'string')
    return run(['store', 'adopt-skill', '--from', redis.url, ...flags], {
      ...Object.assign({}, ...variables),
      MCP_OAUTH_KEYS: keys,
      MCP_OAUTH_STORE: `sqlite:${file}`,
      MCP_OAUTH_ISSUER: origin(),
      MCP_OAUTH_UPSTREAM: provider.issuer,
      MCP_OAUTH_UPSTREAM_CLIENT_ID: provider.client_id,
      MCP_OAUTH_UPSTREAM_CLIENT_SECRET: provider.client_secret,
    })
  }

  /** The server that goes on, with a tool that asks for the upstream's token. */
  async function goOn(): Promise<TestServer> {
    const server: TestServer = await startServer({
      port,
      keys: [keys],
      store: sqlite(file),
      rateLimits: UNLIMITED,
      upstream: (issuer) => upstreamAt(provider, issuer),
      handler: (req, res) => {
        server.auth.upstreamToken(Reflect.get(req, 'auth')).then(
          (token) => res.end(token),
          (error: unknown) => res.writeHead(502).end(String(error)),
        )
      },
    })
    return server
  }

  const refreshWith = (server: TestServer, refresh_token: string, client_id = 'claude-of-old') =>
    post(server, '/token', { grant_type: 'refresh_token', refresh_token, client_id })

  it('keeps a user signed in whose client never heard of this server', async () => {
    const { access } = await leave('ada', 'k3j2h1')
    const { status, out, err } = await adopt()
    expect([status, err]).toEqual([0, expect.stringContaining('1 of 1 users')])
    expect(out).toContain('sessions  1 taken over, 0 known before, 0 over\n')
    const server = await goOn()
    const first = await refreshWith(server, TOKEN)
    expect([first.status, first.text]).toEqual([200, expect.stringContaining('mcp_rt_')])
    const answer = await call(server, String(first.body['access_token']))
    expect([answer.status, await answer.text()]).toEqual([200, access])
    const second = await refreshWith(server, String(first.body['refresh_token']))
    expect(second.status).toBe(200)
    const { rows } = await server.store.scan('grant', { limit: 10 })
    expect(rows.map(({ record }) => record.user.sub)).toEqual(['ada'])
    await server.close()
  })

  it('§6 binds the token to the first client that presents it', async () => {
    await leave('ada', 'k3j2h1')
    await adopt()
    const server = await goOn()
    const [one, other] = await Promise.all([
      refreshWith(server, TOKEN, 'one'),
      refreshWith(server, TOKEN, 'other'),
    ])
    const statuses = [one.status, other.status].sort()
    expect(statuses).toEqual([200, statuses[1]])
    expect([400, 401]).toContain(statuses[1])
    const won = one.status === 200 ? one : other
    const loser = one.status === 200 ? 'other' : 'one'
    const stolen = await refreshWith(server, String(won.body['refresh_token']), loser)
    expect([stolen.status, stolen.body['error']]).toEqual([401, 'invalid_client'])
    await server.close()
  })

  it('OAuth 2.1 §4.3.1 ends a grant whose old token comes again, and its client is unknown then', async () => {
    await leave('ada', 'k3j2h1')
    await adopt()
    const server = await goOn()
    const first = await refreshWith(server, TOKEN)
    server.advance(61)
    const again = await refreshWith(server, TOKEN)
    expect([again.status, again.body['error']]).toEqual([400, 'invalid_grant'])
    const later = await refreshWith(server, String(first.body['refresh_token']))
    expect([later.status, later.body['error']]).toEqual([401, 'invalid_client'])
    await server.close()
  })

  it('RFC 7009 §2 the client that holds it revokes it', async () => {
    await leave('ada', 'k3j2h1')
    await adopt()
    const server = await goOn()
    const revoked = await post(server, '/revoke', { token: TOKEN, client_id: 'claude-of-old' })
    expect(revoked.status).toBe(200)
    expect((await refreshWith(server, TOKEN)).status).toBe(401)
    await server.close()
  })

  it('is no way past the secret of a client that is known', async () => {
    await leave('ada', 'k3j2h1')
    await adopt()
    const server = await startServer({
      port,
      keys: [keys],
      store: sqlite(file),
      upstream: (issuer) => upstreamAt(provider, issuer),
      clients: [
        {
          client_id: 'known',
          client_secret: 'a-secret-of-thirty-two-characters',
          redirect_uris: ['https://a.example/cb'],
        },
      ],
    })
    const { status, body } = await refreshWith(server, TOKEN, 'known')
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
    await server.close()
  })

  it('leaves no plaintext, and no key of other programs is touched', async () => {
    const { access, refresh } = await leave('ada', 'k3j2h1')
    await redis.cli('SET', 'session:of-the-app', 'theirs')
    await redis.cli('SET', 'mcp_token:of-another-program', JSON.stringify('nobody-we-know'))
    await redis.cli('LPUSH', 'refresh:queue', 'theirs')
    expect((await adopt()).out).toContain('removed   3 plaintext keys\n')
    const left = (await redis.cli('KEYS', '*')).split('\n').filter(Boolean).sort()
    expect(left).toEqual(['mcp_token:of-another-program', 'refresh:queue', 'session:of-the-app'])
    const store = sqlite(file)
    const kept = JSON.stringify([
      await store.scan('grant', { limit: 10 }),
      await store.scan('connection', { limit: 10 }),
    ])
    for (const secret of [access, refresh, TOKEN]) expect(kept).not.toContain(secret)
    await store.close()
  })

  it('is repeated without harm, and --keep leaves the keys', async () => {
    await leave('ada', 'k3j2h1')
    expect((await adopt('--keep')).out).toContain('removed   0 plaintext keys\n')
    const server = await goOn()
    const first = await refreshWith(server, TOKEN)
    await server.close()
    expect((await adopt()).out).toContain('sessions  0 taken over, 1 known before, 0 over\n')
    const later = await goOn()
    expect((await refreshWith(later, String(first.body['refresh_token']))).status).toBe(200)
    await later.close()
  })

  it('renews an upstream token that is over, once, and keeps what came', async () => {
    const { refresh } = await leave('ada', 'k3j2h1', { expiresAt: Date.now() - 1000 })
    await redis.cli('SET', 'refresh:another-session-of-hers', 'k3j2h1')
    const before = provider.tokenCalls().refresh
    const { status, out } = await adopt('--keep')
    expect([status, provider.tokenCalls().refresh - before]).toEqual([0, 1])
    expect(out).toContain('sessions  2 taken over')
    const kept = JSON.parse(await redis.cli('GET', 'user:k3j2h1:tokens')) as {
      refreshToken: string
    }
    expect(kept.refreshToken).not.toBe(refresh)
    expect(Number(await redis.cli('TTL', 'user:k3j2h1:tokens'))).toBeGreaterThan(86_400)
  })

  it('tries again later where the upstream is down, and removes nothing', async () => {
    await leave('ada', 'k3j2h1')
    provider.outage(true)
    const { status, err } = await adopt()
    provider.outage(false)
    expect([status, err]).toEqual([1, expect.stringContaining('run this again')])
    expect(await redis.cli('EXISTS', `refresh:${TOKEN}`)).toContain('1')
    expect((await adopt()).status).toBe(0)
  })

  it('takes nothing away where the upstream refuses everybody', async () => {
    await redis.cli('SET', 'user:nobody:tokens', JSON.stringify({ access_token: 'of-elsewhere' }))
    await redis.cli('SET', `refresh:${TOKEN}`, 'nobody')
    const { status, err } = await adopt()
    expect([status, err]).toEqual([1, expect.stringContaining('Is it the right upstream?')])
    expect(await redis.cli('EXISTS', `refresh:${TOKEN}`)).toContain('1')
  })

  it('removes those whom the upstream has signed out, beside others', async () => {
    await leave('ada', 'k3j2h1')
    await redis.cli('SET', 'user:nobody:tokens', JSON.stringify({ access_token: 'of-elsewhere' }))
    await redis.cli('SET', 'refresh:skill-refresh-token-of-nobody', 'nobody')
    expect((await adopt()).out).toMatch(/1 taken over, 1 refused by .*, 0 to be tried again/)
    expect((await redis.cli('KEYS', '*')).trim()).toBe('')
  })

  it('reads every usual spelling, over the REST interface of Upstash', async () => {
    const { access, refresh } = await upstreamTokens(provider, 'grace')
    const soon = Math.floor(Date.now() / 1000) + 3600
    const spelt = {
      plain: { access_token: access, refresh_token: refresh, expires_at: soon },
      quoted: { accessToken: access, expiresAt: new Date(soon * 1000).toISOString() },
      object: { access_token: access, expires_at: String(soon * 1000), scope: 'openid' },
    }
    const values = { plain: 'plain', quoted: '"quoted"', object: '{"user_id":"object"}' }
    for (const [id, tokens] of Object.entries(spelt)) {
      await redis.cli('SET', `user:${id}:tokens`, JSON.stringify(tokens))
    }
    for (const [id, value] of Object.entries(values)) {
      await redis.cli('SET', `refresh:token-that-is-spelt-${id}`, value)
    }
    await redis.cli('SET', 'refresh:token-of-nobody-at-all', '{"exp":1}')
    const rest = await startRest(redis.port, 'rest-token')
    const { status, out, err } = await adopt('--from', 'upstash', {
      KV_REST_API_URL: rest.url,
      KV_REST_API_TOKEN: 'rest-token',
    })
    await rest.close()
    expect([status, err]).toEqual([0, expect.stringContaining('3 of 3 users')])
    expect(out).toContain('sessions  3 taken over')
    const server = await goOn()
    const { rows } = await server.store.list('grant', 'client_id', '', { limit: 10 })
    expect(new Set(rows.map(({ record }) => record.subject)).size).toBe(1)
    for (const id of Object.keys(values)) {
      const { status } = await refreshWith(server, `token-that-is-spelt-${id}`, `client-${id}`)
      expect(status).toBe(200)
    }
    await server.close()
  })

  it('names what is missing', async () => {
    expect(await run(['store', 'adopt-skill'])).toMatchObject({ status: 2 })
    const { status, err } = await run(['store', 'adopt-skill', '--from', 'sqlite:x.db'], {
      MCP_OAUTH_KEYS: keys,
      MCP_OAUTH_UPSTREAM: provider.issuer,
      MCP_OAUTH_UPSTREAM_CLIENT_ID: provider.client_id,
      MCP_OAUTH_UPSTREAM_CLIENT_SECRET: provider.client_secret,
    })
    expect([status, err]).toEqual([1, expect.stringContaining('from must be a Redis')])
    const without = await run(['store', 'adopt-skill', '--from', redis.url])
    expect([without.status, without.err]).toEqual([1, expect.stringContaining('keys')])
  })

  it('a text that was never given out is refused like any other', async () => {
    const server = await startServer()
    const { client } = await signIn(server)
    const guess = 'a-guess-that-is-long-enough'
    const { status, body } = await refreshWith(server, guess, client.client_id)
    expect([status, body['error']]).toEqual([400, 'invalid_grant'])
    expect((await refreshWith(server, guess, 'unknown')).status).toBe(401)
    await server.close()
  })
})

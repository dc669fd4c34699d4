/**
 * The end of a connection: when its last grant is over, and what happens when a sign-in comes just then.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { saveConnection, connectionIdOf } from '../../src/server/connections/save.ts'
import { endConnection, releaseConnection } from '../../src/server/connections/end.ts'
import { upstreamToken } from '../../src/server/connections/upstream_token.ts'
import { subjectOf } from '../../src/server/config/subject.ts'
import { beginGrant } from '../../src/server/grants/begin.ts'
import { isLive, redeem as redeemed } from '../../src/server/grants/grant.ts'
import { readCode } from '../../src/server/tokens/code.ts'
import { applyToGrant } from '../../src/server/grants/apply.ts'
import type { AuthorizationTicket, GrantRecord, User } from '../../src/stores/records.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { UpstreamError, type UpstreamTokens } from '../../src/upstream/upstream.ts'
import { createTestContext, RESOURCE, testUpstream, type TestContext } from '../support/context.ts'
import { post, register } from '../support/flow.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { signInUpstream, startWorld } from '../support/upstream_flow.ts'

const USER: User = {
  issuer: 'https://id.example',
  sub: 'ada',
  name: 'Ada',
  email: undefined,
  email_verified: false,
}
const SUBJECT = subjectOf(USER)

function tokens(access_token: string): UpstreamTokens {
  return {
    access_token,
    refresh_token: `refresh of ${access_token}`,
    expires_in: 100,
    scope: undefined,
    token_endpoint: 'https://id.example/token',
  }
}

function ticket(): AuthorizationTicket {
  return {
    id: 'ticket',
    type: 'authorization',
    step: 'upstream',
    expiresAt: undefined,
    createdAt: 0,
    browserHash: sha256('a'),
    csrfHash: sha256('b'),
    client_id: 'client',
    redirect_uri: 'https://client.example/cb',
    state: undefined,
    code_challenge: 'x'.repeat(43),
    scope: ['notes:read'],
    resource: RESOURCE,
    prompt: [],
    login_hint: undefined,
    subject: undefined,
    upstreamSecrets: undefined,
  }
}

/** What the callback does once the upstream has answered: the grant, and then the connection. */
async function signIn({ context }: TestContext, access_token: string): Promise<GrantRecord> {
  const connectionId = connectionIdOf(context, SUBJECT)
  const code = await beginGrant(context, ticket(), { subject: SUBJECT, user: USER, connectionId })
  await saveConnection(context, SUBJECT, tokens(access_token))
  const grantId = readCode(context.keys, code) ?? ''
  const found = await context.store.find('grant', grantId)
  if (found === undefined) throw new Error('no grant')
  return found.record
}

/** Redeems the code of a grant, as the token endpoint does. */
async function redeem({ context }: TestContext, { id, code }: GrantRecord): Promise<void> {
  const found = await context.store.find('grant', id)
  if (found === undefined || code === undefined) throw new Error('no grant')
  const now = context.clock()
  const first = { refresh: undefined, accessExpiresAt: now + 3600 }
  await applyToGrant(context, found, (grant) => redeemed(grant, first, now))
}

async function isAlive({ context }: TestContext, { id }: GrantRecord): Promise<boolean> {
  const found = await context.store.find('grant', id)
  return found !== undefined && isLive(found.record, context.clock())
}

/** A store that lets something happen at its `count`-th call from now on, before that call is made. */
function interrupted(): { store: Store; at(count: number, what: () => Promise<void>): void } {
  const inner = memory()
  let left = 0
  let happen: (() => Promise<void>) | undefined
  async function tick(): Promise<void> {
    left -= 1
    if (left !== 0 || happen === undefined) return
    const what = happen
    happen = undefined
    await what()
  }
  const store: Store = {
    ...inner,
    find: async (kind, id) => (await tick(), inner.find(kind, id)),
    insert: async (kind, record) => (await tick(), inner.insert(kind, record)),
    replace: async (kind, record, version) => (await tick(), inner.replace(kind, record, version)),
    take: async (kind, id) => (await tick(), inner.take(kind, id)),
    list: async (kind, index, value, page) => (await tick(), inner.list(kind, index, value, page)),
  }
  return {
    store,
    at(count, what) {
      left = count
      happen = what
    },
  }
}

describe('RFC 7009 §2.1 the last grant', () => {
  it('RV-10 revoked takes the upstream tokens along: from the store, and at the upstream', async () => {
    const world = await startWorld({ provider: { accessTokenLifetime: 1000 } })
    const { server, provider } = world
    const client = await register(server)
    const [one, two] = [
      await signInUpstream(world, 'ada', { client }),
      await signInUpstream(world, 'ada', { client }),
    ]
    const info = await server.auth.verifyToken(undefined, two.tokens.access_token)
    if (info === undefined) throw new Error('not verified')
    const token = await server.auth.upstreamToken(info)
    const { connectionId = '' } =
      (await server.store.find('grant', info.extra.grantId))?.record ?? {}
    const before = await server.store.find('connection', connectionId)

    await post(server, '/revoke', { token: one.tokens.refresh_token, client_id: client.client_id })
    expect((await server.store.find('connection', connectionId))?.record).toEqual(before?.record)
    const bearer = { headers: { authorization: `Bearer ${token}` } }
    expect((await fetch(provider.notesUrl, bearer)).status).toBe(200)

    await post(server, '/revoke', { token: two.tokens.refresh_token, client_id: client.client_id })
    const after = JSON.stringify((await server.store.find('connection', connectionId)) ?? {})
    expect(after).not.toContain(before?.record.access_token)
    expect(after).not.toContain(before?.record.refresh_token)
    await expect.poll(async () => (await fetch(provider.notesUrl, bearer)).status).toBe(401)
    server.advance(61)
    await server.auth.fetch(new Request(`${server.issuer}/jwks`))
    await expect.poll(() => server.store.find('connection', connectionId)).toBeUndefined()

    const again = await signInUpstream(world, 'ada', { client })
    const fresh = await server.auth.verifyToken(undefined, again.tokens.access_token)
    expect(fresh && (await server.auth.upstreamToken(fresh))).not.toBe(token)
    await world.close()
  })

  it('RV-10 an upstream that cannot be reached keeps nobody from revoking', async () => {
    const world = await startWorld()
    const { server, provider } = world
    const { client, tokens: ours } = await signInUpstream(world)
    provider.outage(true)
    const { status } = await post(server, '/revoke', {
      token: ours.refresh_token,
      client_id: client.client_id,
    })
    expect(status).toBe(200)
    await expect.poll(() => server.events.at(-1)?.type).toBe('upstream_failed')
    await world.close()
  })

  it('RV-10 the revocation of an access token alone lets nothing go', async () => {
    const world = await startWorld()
    const { server } = world
    const { client, tokens: ours } = await signInUpstream(world)
    await post(server, '/revoke', { token: ours.access_token, client_id: client.client_id })
    const grants = await server.store.list('grant', 'client_id', client.client_id, { limit: 10 })
    const { connectionId = '' } = grants.rows[0]?.record ?? {}
    expect((await server.store.find('connection', connectionId))?.record.deadAt).toBeUndefined()
    await world.close()
  })

  it('RV-10 a revocation that hangs at the upstream does not keep the client waiting', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const test = createTestContext({
      upstream: testUpstream({
        revoke: async () => void (await fetch(url).catch(() => undefined)),
      }),
    })
    const grant = await signIn(test, 'first')
    await test.context.store.take('grant', grant.id)
    await releaseConnection(test.context, connectionIdOf(test.context, SUBJECT))
    expect(
      (await test.context.store.find('connection', connectionIdOf(test.context, SUBJECT)))?.record
        .deadAt,
    ).toBeDefined()
    silent.closeAllConnections()
    silent.close()
  })
})

describe('a sign-in that comes just then', () => {
  it.each([1, 2, 3, 4, 5])(
    'RV-10 a release does not take the connection of a sign-in that happens before its step %i',
    async (step) => {
      const { store, at } = interrupted()
      const test = createTestContext({
        store,
        upstream: testUpstream({ revoke: async () => undefined }),
      })
      const old = await signIn(test, 'old')
      await store.take('grant', old.id)
      const id = connectionIdOf(test.context, SUBJECT)
      const begun: GrantRecord[] = []
      at(step, async () => void begun.push(await signIn(test, 'new')))
      await releaseConnection(test.context, id)
      // Past the last step it simply comes afterwards.
      const grant = begun[0] ?? (await signIn(test, 'new'))
      await redeem(test, grant)
      expect(await upstreamToken(test.context, id)).toBe('new')
      const { record } = (await store.find('connection', id)) ?? {}
      expect(record?.expiresAt).toBeGreaterThan(test.context.clock())
      await store.deleteExpired(test.context.clock() + 60, 100)
      expect(await upstreamToken(test.context, id)).toBe('new')
    },
  )

  it('RV-10 nor that of one that has begun its grant and not saved its connection', async () => {
    const { store } = interrupted()
    const test = createTestContext({
      store,
      upstream: testUpstream({ revoke: async () => undefined }),
    })
    const old = await signIn(test, 'old')
    await store.take('grant', old.id)
    const { context } = test
    const connectionId = connectionIdOf(context, SUBJECT)
    await beginGrant(context, ticket(), { subject: SUBJECT, user: USER, connectionId })
    await releaseConnection(context, connectionId)
    await saveConnection(context, SUBJECT, tokens('new'))
    expect(await upstreamToken(context, connectionId)).toBe('new')
  })

  it.each([1, 2, 3, 4, 5, 6])(
    'CB-21 a refusal does not end the grant of a sign-in that happens before step %i of its end',
    async (step) => {
      const { store, at } = interrupted()
      const test = createTestContext({ store })
      const { context } = test
      const old = await signIn(test, 'old')
      await redeem(test, old)
      const id = connectionIdOf(context, SUBJECT)
      const seen = (await store.find('connection', id))?.record
      if (seen === undefined) throw new Error('no connection')
      const begun: GrantRecord[] = []
      at(step, async () => {
        begun.push(await signIn(test, 'new'))
        for (const grant of begun) await redeem(test, grant)
      })
      await endConnection(context, seen, 'refused')
      at(0, async () => undefined)
      const grant = begun[0] ?? (await signIn(test, 'new'))
      expect(await isAlive(test, grant)).toBe(true)
      expect(await upstreamToken(context, id)).toBe('new')
    },
  )
})

describe('a refresh that is refused', () => {
  it('CB-21 ends every live grant of the connection, also beyond one page of a listing', async () => {
    const refused = testUpstream({
      refresh: async () => {
        throw new UpstreamError('permanent', 'invalid_grant')
      },
    })
    const test = createTestContext({ upstream: refused, config: { maxGrantsPerClient: 1000 } })
    const { context, advance } = test
    const grants: GrantRecord[] = []
    for (let count = 0; count < 450; count += 1) {
      const grant = await signIn(test, 'x')
      await redeem(test, grant)
      grants.push(grant)
    }
    advance(101)
    const id = connectionIdOf(context, SUBJECT)
    await expect(upstreamToken(context, id)).rejects.toMatchObject({ code: 'invalid_grant' })
    const alive = await Promise.all(grants.map((grant) => isAlive(test, grant)))
    expect(alive.filter(Boolean)).toHaveLength(0)
  })

  it('CB-21 an error of another kind gives the lease back and is no refusal', async () => {
    const broken = testUpstream({
      refresh: async () => {
        throw new TypeError('a bug')
      },
    })
    const test = createTestContext({ upstream: broken })
    const grant = await signIn(test, 'x')
    test.advance(101)
    const id = connectionIdOf(test.context, SUBJECT)
    await expect(upstreamToken(test.context, id)).rejects.toThrow(TypeError)
    const { record } = (await test.context.store.find('connection', id)) ?? {}
    expect([record?.deadAt, record?.lease, grant.endedAt]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('a connection is not kept for longer than a grant of its last sign-in can live', async () => {
    const test = createTestContext()
    await signIn(test, 'x')
    const { store, config, clock } = test.context
    const { record } = (await store.find('connection', connectionIdOf(test.context, SUBJECT))) ?? {}
    expect(record?.expiresAt).toBeGreaterThan(clock() + config.lifetimes.refreshTokenAbsolute)
    expect(record?.expiresAt).toBeLessThan(clock() + config.lifetimes.refreshTokenAbsolute + 600)
  })
})

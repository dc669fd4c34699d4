/**
 * What an earlier release has stored and given out, used by this one: `fixtures/` has a directory for
 * each, made by `scripts/store_fixture.js`. And what a later one may store, read by this one.
 */
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redis } from '../../src/redis.ts'
import { createMcpOAuth, type McpOAuth } from '../../src/server/server.ts'
import { memory } from '../../src/stores/memory.ts'
import { postgres } from '../../src/stores/postgres.ts'
import { type GrantRecord, type Kind, KINDS, type Records } from '../../src/stores/records.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { sampleGrant, SAMPLES } from '../../src/testing/contract/samples.ts'
import type { AuthInfo } from '../../src/guard/verifier.ts'
import { UpstreamError } from '../../src/upstream/upstream.ts'
import { testUpstream } from '../support/context.ts'
import { postgresSuite, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import type { TestHttp } from '../support/redis_http.ts'
import { startRest } from '../support/redis_rest.ts'
import { tempFiles } from '../support/temp.ts'

const FIXTURES = join(import.meta.dirname, 'fixtures')
const RELEASES = readdirSync(FIXTURES)
const fresh = tempFiles('.db')

interface Pair {
  readonly access_token: string
  readonly refresh_token: string
}

interface Redeemable {
  readonly code: string
  readonly code_verifier: string
}

/** What clients and browsers hold of a release. */
interface Given {
  readonly issuer: string
  readonly resource: string
  readonly now: number
  readonly key: string
  readonly clients: { readonly [name in 'open' | 'confidential']: { readonly client_id: string } }
  readonly rotated: Pair & { readonly before: string }
  readonly secret: Pair
  readonly revoked: Pair
  readonly dropped: Pair
  readonly code: Redeemable
  readonly consent: {
    readonly form: { readonly [name: string]: string }
    readonly cookie: string
    readonly code_verifier: string
  }
  readonly callback: {
    readonly callback: string
    readonly cookie: string
    readonly code_verifier: string
  }
}

function givenBy(release: string): Given {
  return JSON.parse(readFileSync(join(FIXTURES, release, 'given.json'), 'utf8')) as Given
}

/** Puts every record of a release into a store of another engine. */
async function fill(store: Store, release: string): Promise<Store> {
  const text = readFileSync(join(FIXTURES, release, 'records.jsonl'), 'utf8')
  for (const line of text.trim().split('\n')) {
    const { kind, record } = JSON.parse(line) as { kind: Kind; record: Records[Kind] }
    expect(await store.insert(kind, record)).toBe(true)
  }
  return store
}

/** The provider of the fixtures. */
const upstream = testUpstream({
  id: 'example',
  name: 'Example ID',
  authorizationUrl: async ({ state }) => `https://id.example/authorize?state=${state}`,
  async exchange(query) {
    const sub = new URLSearchParams(query).get('code')
    if (sub === null) throw new UpstreamError('permanent', 'no code')
    const tokens = { access_token: `upstream access ${sub}`, refresh_token: undefined }
    const user = { issuer: 'https://id.example', sub, name: sub, email: undefined }
    return {
      tokens: {
        ...tokens,
        expires_in: 7200,
        scope: undefined,
        token_endpoint: 'https://id.example/token',
      },
      user: { ...user, email_verified: false },
    }
  },
  refresh: async (token) => ({
    access_token: `made of ${token}`,
    refresh_token: undefined,
    expires_in: 7200,
    scope: undefined,
    token_endpoint: 'https://id.example/token',
  }),
})

function serve(store: Store, { issuer, resource, key, now }: Given, later = 0): McpOAuth {
  const scopes = { 'notes:read': 'Read your notes' }
  const clock = (): number => now + later
  return createMcpOAuth({ issuer, resource, scopes, keys: [key], store, upstream, clock })
}

/** A call with the token: its status, and who is calling. */
async function callWith(
  auth: McpOAuth,
  { resource }: Given,
  token: string,
): Promise<{ status: number; authInfo: AuthInfo | undefined }> {
  let authInfo: AuthInfo | undefined
  const handler = auth.protect((_, extra) => {
    authInfo = extra.authInfo
    return new Response('{}')
  })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })
  const { status } = await handler(new Request(resource, { method: 'POST', headers, body }))
  return { status, authInfo }
}

async function tokens(
  auth: McpOAuth,
  { issuer }: Given,
  form: { readonly [name: string]: string },
): Promise<{ status: number } & Partial<Pair>> {
  const body = new URLSearchParams(form)
  const answer = await auth.fetch(new Request(`${issuer}/token`, { method: 'POST', body }))
  return { status: answer.status, ...((await answer.json()) as Partial<Pair>) }
}

/** The code in the answer to a request of the browser. */
async function arrive(
  auth: McpOAuth,
  { issuer }: Given,
  { callback, cookie, code_verifier }: Given['callback'],
): Promise<Redeemable> {
  const answer = await auth.fetch(new Request(`${issuer}${callback}`, { headers: { cookie } }))
  const where = answer.headers.get('location') ?? (await answer.text())
  return { code: /[?&;]code=([\w.-]+)/.exec(where)?.[1] ?? '', code_verifier }
}

async function approve(auth: McpOAuth, given: Given): Promise<Given['callback']> {
  const { form, cookie, code_verifier } = given.consent
  const headers = { cookie, origin: 'null', 'sec-fetch-site': 'same-origin' }
  const init = { method: 'POST', headers, body: new URLSearchParams(form) }
  const answer = await auth.fetch(new Request(`${given.issuer}/consent`, init))
  const [, state] = /state=([\w-]+)/.exec(
    answer.headers.get('location') ?? (await answer.text()),
  ) ?? ['', '']
  const cookies = answer.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
  return {
    callback: `/callback?code=fay&state=${state}`,
    cookie: cookies.join('; '),
    code_verifier,
  }
}

/** Everything that was out goes on; what was over stays over. */
async function goesOn(store: Store, given: Given): Promise<void> {
  const auth = serve(store, given)
  const { open, confidential } = given.clients
  const { status, authInfo } = await callWith(auth, given, given.rotated.access_token)
  expect(status).toBe(200)
  expect(await auth.upstreamToken(authInfo!)).toBe('upstream access ada')

  const grant_type = 'refresh_token'
  const repeated = await tokens(auth, given, {
    ...open,
    grant_type,
    refresh_token: given.rotated.before,
  })
  expect(repeated).toMatchObject({ status: 200, refresh_token: given.rotated.refresh_token })
  for (const [client, { refresh_token }] of [
    [open, given.rotated],
    [confidential, given.secret],
    [open, given.dropped],
  ] as const) {
    const fresh = await tokens(auth, given, { ...client, grant_type, refresh_token })
    expect(fresh.status).toBe(200)
    expect((await callWith(auth, given, fresh.access_token ?? '')).status).toBe(200)
  }
  for (const { access_token } of [given.revoked, given.dropped]) {
    expect((await callWith(auth, given, access_token)).status).toBe(401)
  }
  const over = { ...open, grant_type, refresh_token: given.revoked.refresh_token }
  expect((await tokens(auth, given, over)).status).toBe(400)

  for (const redeemable of [
    given.code,
    await arrive(auth, given, given.callback),
    await arrive(auth, given, await approve(auth, given)),
  ]) {
    const form = { ...open, grant_type: 'authorization_code', ...redeemable }
    const { status: redeemed, access_token = '' } = await tokens(auth, given, form)
    expect([redeemed, (await callWith(auth, given, access_token)).status]).toEqual([200, 200])
    expect((await tokens(auth, given, form)).status).toBe(400)
  }
  // Two hours on: the upstream's token is over, and the one that was sealed beside it makes another.
  const later = serve(store, given, 7200)
  expect(await later.upstreamToken(authInfo!)).toBe('made of upstream refresh ada')
  await auth.close()
}

/** What a later release may have written: members and kinds that this one does not know. */
async function readsLater(store: Store): Promise<void> {
  const more = { added: { by: ['a later release'] } }
  for (const kind of KINDS) {
    await store.insert(kind, { ...SAMPLES[kind], ...more })
    expect((await store.find(kind, SAMPLES[kind].id))?.record).toMatchObject(more)
    expect((await store.scan(kind, { limit: 10 })).rows).toMatchObject([{ record: more }])
  }
  const unknown = 'kind_of_later' as Kind
  await store.insert(unknown, { ...SAMPLES.claim, id: 'later' } as Records[Kind]).catch(() => false)
  const page = { limit: 10 }
  const { subject } = SAMPLES.grant
  const [row] = (await store.list('grant', 'subject', subject, page)).rows
  expect(row?.record).toMatchObject(more)
  // A transition writes what it has read, with what it changes: the member goes on.
  const next: GrantRecord = { ...row!.record, endedAt: 5 }
  expect(await store.replace('grant', next, row!.version)).toBe(true)
  expect((await store.find('grant', next.id))?.record).toMatchObject({ ...more, endedAt: 5 })
  expect(await store.insert('grant', sampleGrant({ id: 'another' }))).toBe(true)
  expect((await store.scan('grant', page)).rows).toHaveLength(2)
  expect(await store.take('claim', SAMPLES.claim.id)).toMatchObject(more)
  expect(await store.take('claim', 'later')).toBeUndefined()
  await store.deleteExpired(SAMPLES.grant.createdAt + 1e9, 1000)
  await store.close()
}

function suite(make: () => Store | Promise<Store>): void {
  it.each(RELEASES)('MI-06 ST-23 what release %s has given out goes on', async (release) => {
    await goesOn(await fill(await make(), release), givenBy(release))
  })

  it('MI-06 ST-23 members and kinds of a later release break nothing, and the members stay', async () => {
    await readsLater(await make())
  })
}

describe('memory', () => {
  suite(memory)
})

describe('SQLite', () => {
  suite(() => sqlite(fresh()))

  it.each(RELEASES)('MI-06 ST-23 the very file of release %s is opened', async (release) => {
    const file = fresh()
    copyFileSync(join(FIXTURES, release, 'store.sqlite'), file)
    await goesOn(sqlite(file), givenBy(release))
  })
})

postgresSuite(describe, 'PostgreSQL', () => {
  let server: TestPostgres
  beforeAll(async () => void (server = await startPostgres()))
  afterAll(() => server.close())
  suite(async () => postgres(server.pool({ database: await server.freshDatabase() })))
})

redisSuite(describe, 'Redis', () => {
  let server: TestRedis
  let rest: TestHttp
  let made = 0
  const clients = testClients()
  beforeAll(async () => {
    server = await startRedis()
    rest = await startRest(server.port, 'token')
  })
  afterAll(async () => {
    await rest.close()
    await server.close()
  })
  suite(() => redis(clients.ioRedis(server.port), { prefix: `redis${(made += 1)}` }))

  describe('over REST', () => {
    suite(() => upstash({ url: rest.url, token: 'token', prefix: `rest${(made += 1)}` }))
  })
})

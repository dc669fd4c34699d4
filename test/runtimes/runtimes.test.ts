/**
 * One program, six runtimes: Node 20, 22 and 24, Bun, Deno and workerd, with real stores.
 *
 * All of them are installed once, for every test of this file.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { Redis } from 'ioredis'
import { generateKey } from '../../src/crypto/keyring.ts'
import { redis as redisStore } from '../../src/stores/redis.ts'
import { startNameServer } from '../http/support/name_server.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { createAgent } from '../support/agent.ts'
import { buildOnce } from '../support/build.ts'
import { authorize, redeem, register } from '../support/flow.ts'
import { findPostgres, startPostgres } from '../support/postgres.ts'
import { installProject, type Program, type Project } from '../support/project.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import type { TestHttp } from '../support/redis_http.ts'
import { startRest } from '../support/redis_rest.ts'
import {
  commandOf,
  RUNTIMES,
  startDoors,
  startNodeDoor,
  startProgram,
  startWayOut,
  type Runtime,
  type Running,
} from './support/launch.ts'
import { startHoldingProxy, type HoldingProxy } from './support/holding_proxy.ts'
import { HOSTILE, statusOf } from './support/hostile_requests.ts'
import { leave } from './support/leaving.ts'
import { startManual } from './support/manual.ts'
import * as wayOut from './support/way_out_suite.ts'
import type { WorkersOptions } from './support/workers.ts'
import { checkMany, checkSignIn, signIn, whoami } from './support/sign_in_suite.ts'

const REST_TOKEN = 'a-token'

const { './package.json': _, ...exported } = manifest.exports

/** What cannot be on a runtime, and the sentence that says so. */
const REFUSED: { readonly [runtime in Runtime]?: Readonly<{ [door: string]: string }> } = {
  Bun: { './gateway': 'createGateway() cannot run on Bun: run the gateway on Node' },
  Workers: {
    './stores/sqlite': 'sqlite() cannot run on Workers: they have no files; use upstash()',
    './stores/postgres':
      'postgres() cannot run on Workers: its connections end with a request; use upstash()',
    './stores/redis':
      'redis() cannot run on Workers: its connections end with a request; use upstash()',
    './gateway':
      'createGateway() cannot run on Workers: run the gateway on Node, or the library on Workers with auth.fetch and auth.protect',
  },
}

let project: Project
let upstream: TestOidcProvider
let redis: TestRedis
let rest: TestHttp
const running: Program[] = []
const closing: (() => Promise<void>)[] = []

beforeAll(async () => {
  upstream = await startOidcProvider()
  redis = await startRedis()
  rest = await startRest(redis.port, REST_TOKEN)
  project = await installProject(join(import.meta.dirname, 'projects/runtimes'))
  cpSync(await buildOnce(), join(project.directory, 'tree'), { recursive: true })
  await project.run('npm', ['run', 'build'])
}, 300_000)

afterEach(async () => {
  for (const program of running.splice(0)) await program.stop()
  for (const close of closing.splice(0)) await close()
})
afterAll(async () => {
  await rest.close()
  await redis.close()
  await upstream.close()
})

async function start(
  runtime: Runtime,
  env: Readonly<{ [name: string]: string }>,
  provider = upstream,
  options: WorkersOptions = {},
): Promise<Running> {
  const program = await startProgram(project, runtime, provider, env, options)
  running.push(program)
  return program
}

async function through(target: () => string): Promise<HoldingProxy> {
  const proxy = await startHoldingProxy(target)
  closing.push(() => proxy.close())
  return proxy
}

function overRest(): Readonly<{ [name: string]: string }> {
  return { STORE: 'upstash', KV_REST_API_URL: rest.url, KV_REST_API_TOKEN: REST_TOKEN }
}

const WITH_FILES = RUNTIMES.filter((runtime) => runtime !== 'Workers')

describe.each(RUNTIMES)('one program on %s', (runtime) => {
  it('signs in, acts at the upstream, rotates and revokes', async () => {
    await checkSignIn(await start(runtime, { STORE: 'memory' }), upstream)
  })

  it('serves many at once, from the first request on, over Upstash', async () => {
    await checkMany(await start(runtime, overRest()), upstream)
  })
})

it.each(WITH_FILES)('one program on %s keeps sign-ins in a SQLite file', async (runtime) => {
  const env = { STORE: join(project.directory, `${runtime}.db`), MCP_OAUTH_KEYS: generateKey() }
  const before = await start(runtime, env)
  const { provider } = await signIn(before, upstream)
  await before.stop()
  const after = await start(runtime, { ...env, PORT: new URL(before.issuer).port })
  expect(await whoami(after, provider)).toMatchObject({ user: 'ada' })
})

describe.each(RUNTIMES)('the doors on %s', (runtime) => {
  let url = ''
  let program: Program
  beforeAll(async () => {
    const started = await startDoors(project, runtime, overRest())
    program = started
    url = started.url
  })
  afterAll(() => program.stop())
  const ask = async (question: string): Promise<string> =>
    await (await fetch(`${url}?${question}`)).text()

  it.each(Object.keys(exported))('%s opens, or says what to take instead', async (door) => {
    const refused = REFUSED[runtime]?.[door]
    expect(await ask(`door=${door}`)).toBe(
      refused === undefined ? 'open' : `RangeError: ${refused}`,
    )
  })

  it('every exported contract holds of the store that is for it', async () => {
    const store = runtime === 'Workers' ? 'upstash' : 'sqlite'
    expect(await ask(`store=${store}`)).toMatch(/^\d\d hold$/)
  }, 120_000)
})

it.each(['Bun', 'Deno'] as const)(
  'ioredis and pg keep their connections on %s',
  async (runtime) => {
    const server = findPostgres() === undefined ? undefined : await startPostgres()
    if (server !== undefined) closing.push(() => server.close())
    const env = { REDIS_PORT: `${redis.port}`, POSTGRES_PORT: `${server?.port ?? ''}` }
    const [program, ...words] = commandOf(project, runtime, env)
    const told = await project.run(program, [...words, 'out/contracts.js'], env)
    expect(told).toMatch(/redis: \d\d hold/)
    if (server !== undefined) expect(told).toMatch(/postgres: \d\d hold/)
  },
)

describe.each(RUNTIMES)('the way out on %s', (runtime) => {
  let asked: wayOut.WayOut
  let program: Program
  beforeAll(async () => {
    const started = await startWayOut(project, runtime)
    program = started
    asked = { runtime, url: started.url }
  })
  afterAll(() => program.stop())

  it('CI-36 answers, with nothing ambient', () => wayOut.checkAnswers(asked))
  it('CI-22 no redirect is followed', () => wayOut.checkRedirects(asked))
  it('CI-25 bytes are bounded', () => wayOut.checkBytes(asked))
  it('CI-25 nothing that is encoded is read', () => wayOut.checkCodings(asked))
  it('CI-26 time is bounded', () => wayOut.checkTime(asked))
  it('CI-20 what is not public is refused', () => wayOut.checkRefused(asked))
})

describe.each(['Node 22', 'Bun', 'Deno', 'Workers'] as const)('the manual on %s', (runtime) => {
  it('starts as it says', async () => {
    const { port, program } = await startManual(project, runtime, overRest())
    running.push(program)
    const origin = `http://127.0.0.1:${port}`
    const metadata = await fetch(`${origin}/.well-known/oauth-authorization-server`)
    expect(await metadata.json()).toMatchObject({ issuer: 'https://mcp.example.com' })
    const refused = await fetch(`${origin}/mcp`, { method: 'POST', body: '{}' })
    expect(refused.status).toBe(401)
  })
})

describe('work on Workers, which belongs to the request that began it', () => {
  const forged = { method: 'POST', headers: { authorization: 'Bearer mcp_at_x' }, body: '{}' }

  it('keeps nobody else waiting when its client has gone', async () => {
    const proxy = await through(() => rest.url)
    const env = { ...overRest(), KV_REST_API_URL: proxy.url }
    const server = await start('Workers', env, upstream, { front: true })
    await leave(proxy, () => true, server.resource, forged)
    const signal = AbortSignal.timeout(4000)
    expect((await fetch(server.resource, { ...forged, signal })).status).toBe(401)
  })

  it('is seen through where an answer that is lost would sign a user out', async () => {
    let port = 0
    const proxy = await through(() => `http://127.0.0.1:${port}`)
    const provider = await startOidcProvider({ publicOrigin: proxy.url, accessTokenLifetime: 1 })
    port = provider.port
    closing.push(() => provider.close())
    const server = await start('Workers', overRest(), provider, { front: true })
    const signedIn = await signIn(server, provider)
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } }
    const headers = {
      authorization: `Bearer ${signedIn.access_token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    await leave(proxy, (path) => path.endsWith('/token'), server.resource, init)
    await expect.poll(() => provider.tokenCalls().refresh).toBe(1)
    expect(await whoami(server, signedIn.provider)).toMatchObject({ user: 'ada' })
  }, 15_000)
})

describe.each(WITH_FILES)('at the door ./node on %s', (runtime) => {
  let server: Awaited<ReturnType<typeof startNodeDoor>>
  let token = ''
  beforeAll(async () => {
    server = await startNodeDoor(project, runtime)
    const client = await register(server)
    const params = { scope: undefined }
    const authorized = await authorize(server, client, { agent: createAgent(), params })
    token = String((await redeem(server, authorized)).body['access_token'])
  })
  afterAll(() => server.stop())

  it.each(HOSTILE)('a request with %s is answered with %i', async (_what, status, request) => {
    expect(await statusOf(server.port, token, request)).toBe(status)
  })
})

it.each(WITH_FILES)('a kept connection that breaks on %s is replaced', async (runtime) => {
  const { url, ...program } = await startWayOut(project, runtime)
  running.push(program)
  await wayOut.checkKept({ runtime, url })
})

describe.each(WITH_FILES)('CI-33 the look-up on %s', (runtime) => {
  it.each(wayOut.ZONES)('refuses a name that %s', async (_why, zone) => {
    const { server, questions } = await startNameServer(zone)
    const { url, ...program } = await startWayOut(project, runtime, { NAME_SERVER: server })
    running.push(program)
    const told = await wayOut.ask({ runtime, url }, { url: 'https://docs.example:9/' })
    expect(told.failure).toBe('refused')
    expect(questions.length).toBeGreaterThan(0)
  })
})

describe('what is different on Workers', () => {
  it('the platform keeps from private addresses, and names of inner networks are refused', async () => {
    const { url, ...program } = await startWayOut(project, 'Workers', {}, { reach: ['public'] })
    running.push(program)
    const asked = { runtime: 'Workers', url } as const
    await wayOut.checkInnerNames(asked)
    const trusted = { url: `${upstream.issuer}/jwks`, trustedOrigins: [upstream.issuer] }
    expect((await wayOut.ask(asked, trusted)).failure).toBe('unreachable')
  })

  it('without global_fetch_strictly_public no stranger’s document is fetched', async () => {
    const started = start('Workers', overRest(), upstream, { flags: ['nodejs_compat'] })
    await expect(started).rejects.toThrow(
      'clientIdMetadataDocuments needs global_fetch_strictly_public in compatibility_flags on Workers, or enabled: false',
    )
  })

  it('the oldest compatibility date that the manual names will do', async () => {
    const server = await start('Workers', overRest(), upstream, { date: '2025-09-15' })
    await checkSignIn(server, upstream)
  })

  it('what has expired is swept after an answer that did not wait for it', async () => {
    const client = new Redis(redis.port, '127.0.0.1')
    closing.push(async () => client.disconnect())
    const store = redisStore(client)
    const inserted = Array.from({ length: 450 }, (_, at) =>
      store.insert('claim', { id: `swept-${at}`, value: '', expiresAt: 1 }),
    )
    await Promise.all(inserted)
    const server = await start('Workers', overRest())
    expect((await fetch(`${server.issuer}/jwks`)).status).toBe(200)
    await expect.poll(() => store.find('claim', 'swept-449'), { timeout: 20_000 }).toBe(undefined)
    await expect.poll(() => store.find('claim', 'swept-0'), { timeout: 20_000 }).toBe(undefined)
  })
})

/** A server with the wrong keys serves nothing, and goes on by itself when the fault is mended. */
import { afterAll, describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { retireKeys } from '../../src/moving/key_rotation.ts'
import { connectionIdOf, saveConnection } from '../../src/server/connections/save.ts'
import { upstreamToken } from '../../src/server/connections/upstream_token.ts'
import { checkKeys, forgetKey } from '../../src/server/keys/key_register.ts'
import { memory } from '../../src/stores/memory.ts'
import { StoreUnavailable, type Store } from '../../src/stores/store.ts'
import { createTestContext } from '../support/context.ts'
import { authorizeUrl, pkce, signIn } from '../support/flow.ts'
import { startServer, type TestServer, type TestServerOptions } from '../support/server.ts'

const [OLD, NEW] = [generateKey(), generateKey()]
const kid = (key: string): string => createKeyring([key]).newest.kid
const ORIGIN = 'http://localhost:1'
const servers: TestServer[] = []
afterAll(async () => {
  for (const server of servers) await server.close()
})

/** Instances of one issuer, each on a port of its own. */
async function serverOf(options: TestServerOptions): Promise<TestServer> {
  const server = await startServer({ publicOrigin: ORIGIN, ...options })
  servers.push(server)
  return server
}

function ask({ auth, issuer }: TestServer, path: string, init: RequestInit = {}) {
  return auth.fetch(new Request(issuer + path, init))
}

function tokenStatus(server: TestServer): Promise<number> {
  return ask(server, '/token', { method: 'POST' }).then(({ status }) => status)
}

function callAt({ auth, resource }: TestServer, token: string | undefined): Promise<Response> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
  return auth.protect(() => new Response('served'))(
    new Request(resource, { method: 'POST', headers, body }),
  )
}

/** What became of a store: every call of it. */
function listening(inner: Store): { readonly store: Store; readonly calls: string[] } {
  const calls: string[] = []
  const store = new Proxy(inner, {
    get: (target, verb: keyof Store) => {
      const method: unknown = target[verb]
      if (typeof method !== 'function') return method
      return (...args: unknown[]): unknown => {
        calls.push(`${verb} ${String(args[0])}`)
        return Reflect.apply(method, target, args)
      }
    },
  })
  return { store, calls }
}

describe('ST-06 MI-04 a server with the keys of another store', () => {
  it('ST-06 MI-04 answers 503 to whoever needs the store, writes nothing, and signs nobody out', async () => {
    const inner = memory()
    const right = await startServer({ store: inner, keys: [OLD] })
    servers.push(right)
    const { client, tokens } = await signIn(right)
    const { store, calls } = listening(inner)
    const wrong = await serverOf({ store, keys: [NEW], publicOrigin: right.origin })

    // Not 401: the client would throw a good token away.
    const answer = await callAt(wrong, tokens.access_token)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
    const url = new URL(authorizeUrl(wrong, client, pkce().challenge))
    const page = await ask(wrong, url.pathname + url.search, { headers: { cookie: 'user=ada' } })
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5'])
    expect(page.headers.get('location')).toBeNull()
    for (const path of ['/token', '/register', '/revoke']) {
      const response = await ask(wrong, path, { method: 'POST', body: '{}' })
      expect([path, response.status]).toEqual([path, 503])
      expect(response.headers.get('retry-after')).toBe('5')
      expect(await response.text()).not.toContain(kid(OLD))
    }
    await expect(wrong.auth.upstreamToken({ extra: { grantId: 'any' } })).rejects.toBeInstanceOf(
      StoreUnavailable,
    )

    // One look for all of these, one event, and nothing but the look.
    expect(calls).toEqual(['find claim'])
    const told = wrong.events.filter(({ type }) => type === 'keys_refused')
    expect(told).toMatchObject([{ reason: expect.stringContaining(kid(OLD)) }])
    expect(JSON.stringify(told)).not.toContain('mok_')
    expect((await callAt(right, tokens.access_token)).status).toBe(200)
  })

  it('ST-06 needs no store for documents and strangers, and looks for nothing', async () => {
    const { store, calls } = listening(memory())
    const server = await serverOf({ store, keys: [OLD] })
    expect((await ask(server, '/.well-known/oauth-authorization-server')).status).toBe(200)
    expect((await callAt(server, undefined)).status).toBe(401)
    expect(calls).toEqual([])
  })

  it('ST-06 checkKeys tells at the start of a program', async () => {
    const store = memory()
    const right = await serverOf({ store, keys: [OLD] })
    const wrong = await serverOf({ store, keys: [NEW] })
    await right.auth.checkKeys()
    await expect(wrong.auth.checkKeys()).rejects.toMatchObject({
      name: 'KeysRefused',
      message: expect.stringContaining('are not of this store'),
    })
    expect(await wrong.auth.forgetKey(kid(OLD))).toBe(true)
    await wrong.auth.checkKeys()
    expect(await tokenStatus(wrong)).toBe(415)
  })
})

describe('MI-03 a server that lacks a key', () => {
  it('MI-03 is tried again every five seconds, and serves once the other side is mended', async () => {
    const inner = memory()
    const { auth } = await serverOf({ store: inner, keys: [OLD] })
    await auth.checkKeys()
    await (await serverOf({ store: inner, keys: [NEW, OLD] })).auth.checkKeys()
    const { store, calls } = listening(inner)
    let time = 1_800_000_000
    const behind = await serverOf({ store, keys: [OLD], now: () => time })
    const tryIt = () => tokenStatus(behind)

    expect([await tryIt(), await tryIt()]).toEqual([503, 503])
    await retireKeys(inner, [kid(NEW)])
    time += 4
    expect(await tryIt()).toBe(503)
    expect(calls).toEqual(['find claim'])
    time += 1
    expect(await tryIt()).toBe(415)
    expect(calls.filter((line) => line === 'find claim')).toHaveLength(2)
  })

  it('MI-03 a clock that is turned back does not keep it out', async () => {
    const store = memory()
    await (await serverOf({ store, keys: [NEW] })).auth.checkKeys()
    let time = 1_800_000_000
    const behind = await serverOf({ store, keys: [OLD], now: () => time })
    await expect(behind.auth.checkKeys()).rejects.toThrow('not of this store')
    await behind.auth.forgetKey(kid(NEW))
    time -= 3600
    expect(await tokenStatus(behind)).toBe(415)
  })

  it('MI-03 looks once in its life, however many ask at once, and an outage is not remembered', async () => {
    const { store, calls } = listening(memory())
    let isDown = true
    const find: Store['find'] = (kind, id) =>
      isDown ? Promise.reject(new StoreUnavailable('down')) : store.find(kind, id)
    const server = await serverOf({ store: { ...memory(), ...store, find }, keys: [OLD] })
    expect(await tokenStatus(server)).toBe(503)
    isDown = false
    const answers = await Promise.all(Array.from({ length: 50 }, () => tokenStatus(server)))
    expect(new Set(answers)).toEqual(new Set([415]))
    expect(calls.filter((line) => line.endsWith(' claim'))).toEqual(['find claim', 'insert claim'])
    expect(server.events.filter(({ type }) => type === 'keys_refused')).toEqual([])
  })
})

describe('ST-06 a connection sealed with a key that is lost', () => {
  it('ST-06 is over, once the operator has said so, and not before', async () => {
    const store = memory()
    const before = createTestContext({ store, keys: createKeyring([OLD]) })
    const after = createTestContext({ store, keys: createKeyring([NEW]) })
    const { issuer } = before.context.config
    await checkKeys({ store, issuer }, before.context.keys)
    await saveConnection(before.context, 'ada', {
      access_token: 'the token of the upstream',
      refresh_token: undefined,
      expires_in: undefined,
      scope: undefined,
      token_endpoint: 'https://upstream.example/token',
    })
    const id = connectionIdOf(before.context, 'ada')
    await expect(upstreamToken(after.context, id)).rejects.toMatchObject({ status: 503 })
    await forgetKey({ store, issuer }, kid(OLD))
    await expect(upstreamToken(after.context, id)).rejects.toMatchObject({ code: 'invalid_grant' })
    expect((await store.find('connection', id))?.record.deadAt).toBeDefined()
  })
})

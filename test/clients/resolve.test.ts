import { describe, expect, it } from 'vitest'
import { extendClient } from '../../src/server/clients/extend.ts'
import { resolveClient, resolveKnownClient } from '../../src/server/clients/resolve.ts'
import { registerClient } from '../../src/server/clients/register.ts'
import type { StaticClient } from '../../src/server/config/context.ts'
import { parseRegistration } from '../../src/protocol/client_metadata.ts'
import { memory } from '../../src/stores/memory.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { createTestContext, START } from '../support/context.ts'
import { createHost, errorOf } from './support.ts'

const DAY = 24 * 60 * 60
const METADATA = parseRegistration(
  { redirect_uris: ['https://client.example/cb'], token_endpoint_auth_method: 'none' },
  { privateUseSchemes: true, redirectHosts: undefined, allowHttp: false },
)

function staticClient(client_id: string): StaticClient {
  return { client_id, metadata: METADATA, client_secret_hash: undefined }
}

describe('resolveClient', () => {
  it('finds a client that the operator wrote down, without the store', async () => {
    const store = memory()
    await store.close()
    const clients = new Map([['app', staticClient('app')]])
    const { context } = createTestContext({ store, config: { clients } })
    const client = { client_id: 'app', source: 'static', client_secret_hash: undefined }
    expect(await resolveClient(context, 'app')).toMatchObject(client)
    expect(await resolveKnownClient(context, 'app')).toMatchObject(client)
  })

  it('§2 takes the operator at their word for a URL too, and fetches nothing', async () => {
    const url = 'https://claude.ai/oauth/client.json'
    const host = createHost()
    const clients = new Map([[url, staticClient(url)]])
    const { context } = createTestContext({ fetch: host.fetch, config: { clients } })
    expect((await resolveClient(context, url)).source).toBe('static')
    expect(host.fetched).toEqual([])
  })

  it('§3.2.1 finds a registered client', async () => {
    const { context } = createTestContext()
    const { client_id } = await registerClient(context, METADATA)
    for (const resolve of [resolveClient, resolveKnownClient]) {
      expect(await resolve(context, client_id)).toMatchObject({
        client_id,
        source: 'dynamic',
        metadata: METADATA,
      })
    }
  })

  it.each([
    ['unknown'],
    [''],
    ['a b'],
    ['\0'],
    ['é'],
    ['x'.repeat(10_000)],
    ['__proto__'],
    ['toString'],
  ])('§2.2 %j is invalid_client, 400 to a browser', async (client_id) => {
    const { context } = createTestContext()
    const error = await errorOf(resolveClient(context, client_id))
    expect([error.code, error.status]).toEqual(['invalid_client', 400])
  })

  it('CI-49 a URL is never looked up among the registrations, and nothing else is ever fetched', async () => {
    const url = 'https://client.example/c.json'
    const host = createHost()
    const { context } = createTestContext({ fetch: host.fetch })
    const record = {
      client_secret_hash: undefined,
      createdAt: START,
      freshUntil: START + DAY,
      expiresAt: START + DAY,
      metadata: METADATA,
    }
    await context.store.insert('client', { ...record, id: url, source: 'dynamic' })
    await context.store.insert('client', { ...record, id: 'opaque', source: 'metadata_document' })
    await errorOf(resolveKnownClient(context, url))
    expect(host.fetched).toEqual([])
    await errorOf(resolveClient(context, url))
    expect(host.fetched).toEqual([url])
    await errorOf(resolveClient(context, 'opaque'))
    await errorOf(resolveClient(context, ' https://client.example/c.json'))
    expect(host.fetched).toEqual([url])
  })

  it('RG-31 an unused registration expires; one with a grant lives as long as the grant', async () => {
    const { context, advance } = createTestContext()
    const unused = await registerClient(context, METADATA)
    const used = await registerClient(context, { ...METADATA, client_name: 'used' })
    const until = START + 30 * DAY
    await extendClient(context, await resolveClient(context, used.client_id), until)
    advance(DAY - 1)
    expect((await resolveClient(context, unused.client_id)).source).toBe('dynamic')
    advance(1)
    // Expired though nothing has swept it away yet.
    expect((await errorOf(resolveClient(context, unused.client_id))).code).toBe('invalid_client')
    await context.store.deleteExpired(context.clock(), 1000)
    expect(await context.store.find('client', unused.client_id)).toBeUndefined()
    expect((await resolveKnownClient(context, used.client_id)).source).toBe('dynamic')
    advance(29 * DAY - 1)
    expect((await resolveKnownClient(context, used.client_id)).source).toBe('dynamic')
    advance(DAY + 1)
    expect((await errorOf(resolveClient(context, used.client_id))).code).toBe('invalid_client')
  })

  it('a known client is read once a second, and a new authorization reads it anew', async () => {
    const { context, advance } = createTestContext()
    let reads = 0
    const find: typeof context.store.find = (kind, id) => {
      reads += 1
      return context.store.find(kind, id)
    }
    const counting = { ...context, store: { ...context.store, find } }
    const { client_id } = await registerClient(context, METADATA)
    const first = await resolveKnownClient(counting, client_id)
    expect(await resolveKnownClient(counting, client_id)).toBe(first)
    expect(reads).toBe(1)
    await context.store.take('client', client_id)
    expect((await errorOf(resolveClient(counting, client_id))).code).toBe('invalid_client')
    expect(reads).toBe(2)
    advance(1)
    expect((await errorOf(resolveKnownClient(counting, client_id))).code).toBe('invalid_client')
    expect(reads).toBe(3)
  })

  it('RG-31 extending never shortens, and is written once a day', async () => {
    const { context } = createTestContext()
    const { client_id } = await registerClient(context, METADATA)
    const client = await resolveClient(context, client_id)
    const versionNow = async () => (await context.store.find('client', client_id))?.version
    await extendClient(context, client, START + 30 * DAY)
    const version = await versionNow()
    await extendClient(context, client, START + 10 * DAY)
    await extendClient(context, client, START + 30 * DAY + 1)
    expect(await versionNow()).toBe(version)
  })

  it('RG-31 a client that was read just now is extended without another read', async () => {
    const { context, advance } = createTestContext()
    const { client_id } = await registerClient(context, METADATA)
    const client = await resolveKnownClient(context, client_id)
    let reads = 0
    const find: typeof context.store.find = (kind, id) => {
      reads += 1
      return context.store.find(kind, id)
    }
    const counting = { ...context, store: { ...context.store, find } }
    const expiresAt = async () => (await context.store.find('client', client_id))?.record.expiresAt
    await extendClient(counting, client, START + 30 * DAY)
    const until = await expiresAt()
    expect([reads, until]).toEqual([0, Math.ceil((START + 30 * DAY) / DAY) * DAY])
    // What was read is not what is there any more, and nothing is taken back by it.
    await extendClient(counting, client, START + 20 * DAY)
    expect([reads, await expiresAt()]).toEqual([1, until])
    advance(1)
    await extendClient(counting, client, START + 40 * DAY)
    expect([reads, await expiresAt()]).toEqual([2, (until ?? 0) + 10 * DAY])
  })

  it('RG-31 a client that is swept away during the sign-in comes back with the grant', async () => {
    const { context } = createTestContext()
    const { client_id } = await registerClient(context, METADATA)
    const client = await resolveClient(context, client_id)
    await context.store.take('client', client_id)
    await extendClient(context, client, START + 30 * DAY)
    expect(await resolveKnownClient(context, client_id)).toEqual(client)
  })

  it('RG-31 fifty grants at once extend one client to the latest', async () => {
    const { context } = createTestContext()
    const { client_id } = await registerClient(context, METADATA)
    const client = await resolveClient(context, client_id)
    const days = Array.from({ length: 50 }, (_, index) => START + (index + 2) * DAY)
    await Promise.all(days.map((until) => extendClient(context, client, until)))
    const found = await context.store.find('client', client_id)
    expect(found?.record.expiresAt).toBeGreaterThanOrEqual(START + 51 * DAY)
  })

  it('§5 a policy that was tightened holds for who registered before', async () => {
    const { context } = createTestContext()
    const redirect_uris = ['https://client.example/cb', 'https://other.example/cb', 'a://b/c']
    const { client_id } = await registerClient(context, { ...METADATA, redirect_uris })
    const registration = {
      ...context.config.registration,
      redirectHosts: ['client.example'],
      privateUseSchemes: false,
    }
    const later = { ...context, config: { ...context.config, registration } }
    const { metadata } = await resolveClient(later, client_id)
    expect(metadata.redirect_uris).toEqual(['https://client.example/cb'])
  })

  it('an outage of the store is an outage, not an unknown client', async () => {
    const { context } = createTestContext()
    await context.store.close()
    for (const id of ['opaque', 'https://client.example/c.json']) {
      await expect(resolveClient(context, id)).rejects.toThrow(StoreUnavailable)
      await expect(resolveKnownClient(context, id)).rejects.toThrow(StoreUnavailable)
    }
  })
})

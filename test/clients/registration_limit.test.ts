/** How many clients register in an hour, on however many instances, and what is left alone when no more may. */
import { describe, expect, it } from 'vitest'
import { parseRegistration } from '../../src/protocol/client_metadata.ts'
import { clientPolicy } from '../../src/server/clients/client.ts'
import { registerClient, type Registration } from '../../src/server/clients/register.ts'
import { resolveClient } from '../../src/server/clients/resolve.ts'
import type { Context } from '../../src/server/config/context.ts'
import { REGISTRATION } from '../../src/server/config/defaults.ts'
import { memory } from '../../src/stores/memory.ts'
import type { ClientRecord } from '../../src/stores/records.ts'
import { StoreUnavailable, type Store } from '../../src/stores/store.ts'
import { createTestContext, START, type TestContext } from '../support/context.ts'
import { createHost, errorOf } from './support.ts'

const HOUR = 60 * 60
const DAY = 24 * HOUR

/** `count` instances over one store and one clock, none knowing of another. */
function instances(
  count: number,
  registration: Partial<typeof REGISTRATION>,
  store: Store = memory(),
): TestContext & { readonly contexts: readonly Context[] } {
  const test = createTestContext({
    store,
    config: { registration: { ...REGISTRATION, ...registration } },
  })
  const contexts = Array.from({ length: count }, () => ({
    ...test.context,
    config: { ...test.context.config },
  }))
  return { ...test, contexts }
}

/** Registers what nobody else does: a public client called `name`, or one with a secret. */
function register(context: Context, name: string, isPublic = true): Promise<Registration> {
  const body = {
    client_name: name,
    redirect_uris: ['https://client.example/cb'],
    token_endpoint_auth_method: isPublic ? 'none' : 'client_secret_basic',
  }
  return registerClient(context, parseRegistration(body, clientPolicy(context.config)))
}

/** How many of the registrations of `names` passed, spread over `contexts`; the others were refused. */
async function flood(contexts: readonly Context[], names: readonly string[]): Promise<number> {
  const passed = await Promise.all(
    names.map(async (name, at) => {
      const context = contexts[at % contexts.length]
      if (context === undefined) throw new Error('there is no instance')
      const work = register(context, name, at % 3 !== 0)
      if (await succeeds(work)) return true
      expect(await errorOf(work)).toMatchObject({ code: 'temporarily_unavailable', status: 503 })
      return false
    }),
  )
  return passed.filter(Boolean).length
}

function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  )
}

function names(count: number, prefix = ''): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at}`)
}

async function countClients(store: Store): Promise<number> {
  const ids = new Set<string>()
  let cursor: string | undefined
  do {
    const page = await store.scan('client', { limit: 1000, cursor })
    for (const { record } of page.rows) ids.add(record.id)
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids.size
}

describe('RFC 7591 §5 the limit of an hour', () => {
  it.each([1, 2, 7])(
    'RG-39 DS-05 a flood at %i instances registers what the hour has',
    async (count) => {
      const { contexts, context } = instances(count, { maxPerHour: 100 })
      expect(await flood(contexts, names(300))).toBe(100)
      expect(await countClients(context.store)).toBe(100)
      expect(await flood(contexts, names(30, 'later '))).toBe(0)
    },
  )

  it('RG-39 DS-05 never one more, and at most a thousandth for each instance less', async () => {
    const { contexts, context } = instances(3, { maxPerHour: 2500 })
    const passed = await flood(contexts, names(3000))
    expect(passed).toBeLessThanOrEqual(2500)
    expect(passed).toBeGreaterThanOrEqual(2500 - 3 * 3)
    expect(await countClients(context.store)).toBe(passed)
  })

  it('RG-39 writes its count a thousand times in an hour, and when nothing is left asks nobody', async () => {
    const inner = memory()
    let asked = 0
    const count = <T>(kind: string, work: Promise<T>): Promise<T> => {
      if (kind === 'claim') asked += 1
      return work
    }
    const store: Store = {
      ...inner,
      find: (kind, id) => count(kind, inner.find(kind, id)),
      replace: (kind, record, version) => count(kind, inner.replace(kind, record, version)),
    }
    const { contexts } = instances(1, { maxPerHour: 5000 }, store)
    expect(await flood(contexts, names(5000))).toBe(5000)
    expect(asked).toBeLessThanOrEqual(2 * 1000)
    await flood(contexts, names(1, 'one more '))
    const before = asked
    expect(await flood(contexts, names(100, 'many more '))).toBe(0)
    expect(asked).toBe(before)
  })

  it('RG-39 tells until when, and the next hour is a new one', async () => {
    const { contexts, advance } = instances(2, { maxPerHour: 10 })
    const [one, other] = contexts as readonly [Context, Context]
    const left = HOUR - (START % HOUR)
    advance(left - 100)
    expect(await flood(contexts, names(20))).toBe(10)
    for (const context of contexts) {
      expect((await errorOf(register(context, 'late'))).retryAfter).toBe(100)
    }
    advance(99)
    expect((await errorOf(register(one, 'late'))).retryAfter).toBe(1)
    advance(1)
    expect((await register(other, 'late')).client_id).toBeDefined()
    expect(await flood(contexts, names(20, 'next '))).toBe(9)
  })

  it('RG-38 RG-39 identical registrations cost nothing, and are answered when nothing is left', async () => {
    const { contexts } = instances(2, { maxPerHour: 3 })
    const [one, other] = contexts as readonly [Context, Context]
    const { client_id } = await register(one, 'known')
    for (let turn = 0; turn < 20; turn += 1) {
      expect((await register(turn % 2 === 0 ? one : other, 'known')).client_id).toBe(client_id)
    }
    expect(await flood(contexts, names(20))).toBe(2)
    for (const context of contexts) {
      expect((await register(context, 'known')).client_id).toBe(client_id)
      expect((await resolveClient(context, client_id)).client_id).toBe(client_id)
    }
  })

  it('RG-40 one that is to be kept for longer counts as new; with nothing left it is answered and not kept', async () => {
    const { contexts, advance } = instances(2, { maxPerHour: 2, unusedLifetime: DAY })
    const [one, other] = contexts as readonly [Context, Context]
    const first = await register(one, 'first')
    const second = await register(one, 'second')
    advance(DAY - 10)
    // The one costs what is left for one; the new one what is left for the other.
    expect((await register(one, 'first')).client_id).toBe(first.client_id)
    await register(other, 'third')
    expect((await register(other, 'second')).client_id).toBe(second.client_id)
    expect(await errorOf(register(other, 'fourth'))).toMatchObject({ status: 503 })
    advance(10)
    expect((await resolveClient(one, first.client_id)).client_id).toBe(first.client_id)
    expect((await errorOf(resolveClient(one, second.client_id))).code).toBe('invalid_client')
  })

  it('RG-40 who registers the same again and again keeps no more than a day holds', async () => {
    const { contexts, context, advance } = instances(2, { maxPerHour: 4 })
    for (let hour = 0; hour < 72; hour += 1) {
      await flood(contexts, names(8, `${hour} `))
      // All that was ever made, over and over.
      await flood(
        contexts,
        names(8 * hour).map((_, at) => `${Math.floor(at / 8)} ${at % 8}`),
      )
      advance(HOUR)
      await context.store.deleteExpired(context.clock(), 1000)
      expect(await countClients(context.store)).toBeLessThanOrEqual(4 * 25)
    }
  })

  it('RG-39 pre-registered clients and documents are not touched', async () => {
    const host = createHost()
    const url = 'https://client.example/c.json'
    const redirect_uris = ['https://client.example/cb']
    host.serve(url, { client_id: url, client_name: 'Client', redirect_uris })
    const { contexts } = instances(1, { maxPerHour: 1 })
    const [context] = contexts.map((one) => ({ ...one, fetch: host.fetch })) as [Context]
    expect(await flood([context], names(5))).toBe(1)
    expect((await resolveClient(context, url)).source).toBe('metadata_document')
    const written = await resolveClient(withStaticClient(context), 'written')
    expect(written.source).toBe('static')
  })

  it('0 is no limit, and keeps no count', async () => {
    const { contexts, context } = instances(2, { maxPerHour: 0 })
    expect(await flood(contexts, names(200))).toBe(200)
    expect((await context.store.scan('claim', { limit: 10 })).rows).toEqual([])
  })

  it('ST-25 the counts of past hours go away', async () => {
    const { contexts, context, advance } = instances(1, {})
    for (let hour = 0; hour < 5; hour += 1) {
      await flood(contexts, names(1, `${hour}`))
      advance(HOUR)
    }
    advance(HOUR)
    await context.store.deleteExpired(context.clock(), 1000)
    expect((await context.store.scan('claim', { limit: 10 })).rows).toEqual([])
  })
})

describe('what goes wrong', () => {
  it('ST-18 a clock that goes back and forth neither stops nor multiplies an hour', async () => {
    const { contexts, advance } = instances(2, { maxPerHour: 50 })
    let passed = 0
    for (let turn = 0; turn < 10; turn += 1) {
      passed += await flood(contexts, names(20, `${turn} `))
      advance(turn % 2 === 0 ? HOUR : -HOUR)
    }
    expect(passed).toBe(2 * 50)
  })

  it('ST-12 a store that fails is an outage and uses nothing up', async () => {
    const inner = memory()
    let isDown = false
    const store: Store = {
      ...inner,
      replace: async (kind, record, version) => {
        if (isDown) throw new StoreUnavailable('down')
        return inner.replace(kind, record, version)
      },
    }
    const { contexts } = instances(1, { maxPerHour: 5 }, store)
    const [context] = contexts as readonly [Context]
    isDown = true
    for (const name of names(10)) {
      await expect(register(context, name)).rejects.toThrow(StoreUnavailable)
    }
    isDown = false
    expect(await flood(contexts, names(10))).toBe(5)
  })

  it('DS-15 a count that is none lets nobody in, and ends nothing', async () => {
    for (const value of [undefined, 'many', 'NaN', '1e999']) {
      const { contexts, context } = instances(1, { maxPerHour: 5 })
      const id = `registrations/${Math.floor(START / HOUR)}`
      await context.store.insert('claim', { id, value, expiresAt: START + DAY })
      expect(await flood(contexts, names(8))).toBe(0)
    }
  })
})

function withStaticClient(context: Context): Context {
  const record: Pick<ClientRecord, 'metadata'> = {
    metadata: parseRegistration(
      { redirect_uris: ['https://client.example/cb'], token_endpoint_auth_method: 'none' },
      clientPolicy(context.config),
    ),
  }
  const written = { client_id: 'written', client_secret_hash: undefined, ...record }
  return { ...context, config: { ...context.config, clients: new Map([['written', written]]) } }
}

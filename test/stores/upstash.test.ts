import { Redis as UpstashClient } from '@upstash/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { storeContract } from '../../src/testing.ts'
import { sampleClaim, sampleGrant } from '../../src/testing/contract/samples.ts'
import { redis } from '../../src/redis.ts'
import { upstash, upstashFromEnvironment } from '../../src/upstash.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { testClients } from '../support/redis_clients.ts'
import { startHttp, type TestHttp } from '../support/redis_http.ts'
import { startRest } from '../support/redis_rest.ts'

const token = 'AX_sA-token=='

redisSuite(describe, 'Upstash', () => {
  let server: TestRedis
  let rest: TestHttp
  let made = 0
  const fresh = (): string => `test${(made += 1)}`
  const open = (prefix: string): ReturnType<typeof upstash> =>
    upstash({ url: rest.url, token, prefix })
  const clients = testClients()
  beforeAll(async () => {
    server = await startRedis()
    rest = await startRest(server.port, token)
  })
  afterAll(async () => {
    await rest.close()
    await server.close()
  })

  describe('ST-22 the contract, over REST', () => {
    storeContract({
      describe,
      it,
      createStore: () => open(fresh()),
      createPair: async () => {
        const prefix = fresh()
        return [open(prefix), open(prefix)]
      },
    })
  })

  it("the stand-in answers Upstash's own client", async () => {
    const client = new UpstashClient({ url: rest.url, token, enableTelemetry: false })
    expect(await client.set('ä', 'ö')).toBe('OK')
    expect(await client.pipeline().get('ä').exists('none').exec()).toEqual(['ö', 0])
    expect(await client.multi().get('ä').del('ä').exec()).toEqual(['ö', 1])
  })

  it('shares a database with redis(), which hears its changes', async () => {
    const prefix = fresh()
    const over = open(prefix)
    const beside = redis(clients.ioRedis(server.port), { prefix })
    const heard: (string | undefined)[] = []
    await beside.watch?.((id) => heard.push(id))
    await over.insert('grant', sampleGrant())
    expect((await beside.find('grant', 'grant'))?.version).toBe(1)
    await over.replace('grant', sampleGrant({ endedAt: 7 }), 1)
    await expect.poll(() => heard).toEqual(['grant'])
    expect(over.watch).toBeUndefined()
    await beside.close()
  })

  it('takes address and token from the environment of Vercel or of Upstash', async () => {
    for (const name of ['KV_REST_API', 'UPSTASH_REDIS_REST']) {
      const environment = { [`${name}_URL`]: rest.url, [`${name}_TOKEN`]: token }
      const store = upstashFromEnvironment(environment, { prefix: fresh() })
      expect(await store.insert('claim', sampleClaim())).toBe(true)
    }
    for (const environment of [{}, { KV_REST_API_URL: rest.url, KV_REST_API_TOKEN: '' }]) {
      expect(() => upstashFromEnvironment(environment)).toThrow(/neither KV_REST_API_URL/)
    }
  })

  it('an address or a token that cannot be is refused at once', () => {
    expect(() => upstash({ url: 'redis://x', token })).toThrow(/url must be/)
    expect(() => upstash({ url: '', token })).toThrow(/url must be/)
    expect(() => upstash({ url: rest.url, token: 'a\r\nb' })).toThrow(/token must be/)
  })

  it('ST-12 a wrong token, a plain address elsewhere, and nobody there are outages', async () => {
    const nobody = await startHttp(async () => [200, ''])
    await nobody.close()
    const stores = [
      upstash({ url: rest.url, token: 'wrong' }),
      upstash({ url: 'http://192.0.2.1', token }),
      upstash({ url: nobody.url, token }),
    ]
    for (const store of stores) {
      const failure: unknown = await store.find('grant', 'grant').catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(StoreUnavailable)
      expect(String((failure as Error).cause)).not.toContain(token)
    }
  })

  it.each([
    ['no JSON', 200, '<html>'],
    ['no answer', 200, {}],
    ['null', 200, 'null'],
    ['a number', 200, 7],
    ['an error with 200', 200, { error: 'LOADING' }],
    ['a quota', 429, { error: 'ERR max requests limit exceeded' }],
    ['a fault', 500, ''],
  ])('ST-12 an answer that is %s is an outage, never a no', async (_, status, body) => {
    const odd = await startHttp(async () => [status, body])
    const store = upstash({ url: odd.url, token })
    const verbs = [
      () => store.find('grant', 'grant'),
      () => store.insert('grant', sampleGrant()),
      () => store.take('grant', 'grant'),
      () => store.list('grant', 'subject', 'one', { limit: 1 }),
      () => store.scan('grant', { limit: 1 }),
      () => store.deleteExpired(1, 1),
    ]
    for (const verb of verbs) await expect(verb()).rejects.toBeInstanceOf(StoreUnavailable)
    await odd.close()
  })

  it('ST-12 an address that never answers is an outage within the time', async () => {
    const hung = await startHttp(() => new Promise(() => undefined))
    const store = upstash({ url: hung.url, token, timeout: 0.2 })
    await expect(store.find('grant', 'grant')).rejects.toBeInstanceOf(StoreUnavailable)
    await hung.close()
  })
})

import { describe, expect, it } from 'vitest'
import { mask } from '../../src/gateway/log.ts'
import { openStore } from '../../src/gateway/open_store.ts'
import { readStoreSetting } from '../../src/gateway/store_setting.ts'
import { postgresSuite, startPostgres } from '../support/postgres.ts'
import { redisSuite, startCluster, startRedis, startSentinel } from '../support/redis.ts'
import { sampleGrant } from '../../src/testing/contract/samples.ts'

const UPSTASH = { KV_REST_API_URL: 'https://eu1.upstash.io', KV_REST_API_TOKEN: 'hush' }

/** A record goes in and comes out of the store that `place` spells. */
async function works(place: string): Promise<void> {
  const { store, close } = await openStore(place, {})
  try {
    expect(await store.insert('grant', sampleGrant({ id: 'a' }))).toBe(true)
    expect((await store.find('grant', 'a'))?.version).toBe(1)
  } finally {
    await close()
  }
}

describe('the spelling of a store', () => {
  it.each([
    ['memory', { type: 'memory' }],
    ['sqlite:./a.db', { type: 'sqlite', path: './a.db' }],
    ['postgres://u:p@db/x', { type: 'postgres', url: 'postgres://u:p@db/x' }],
    ['postgresql://db/x', { type: 'postgres', url: 'postgresql://db/x' }],
    ['redis://db:1/2', { type: 'redis', url: 'redis://db:1/2' }],
    ['rediss://:p@db', { type: 'redis', url: 'rediss://:p@db' }],
    [
      'redis+cluster://u:p%40@a:1,b,[::1]:3',
      {
        type: 'redis_cluster',
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 6379 },
          { host: '::1', port: 3 },
        ],
        username: 'u',
        password: 'p@',
        tls: false,
      },
    ],
    [
      'rediss+sentinel://a,b:2?name=main',
      {
        type: 'redis_sentinel',
        nodes: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 2 },
        ],
        name: 'main',
        username: undefined,
        password: undefined,
        tls: true,
      },
    ],
    ['upstash', { type: 'upstash', environment: UPSTASH }],
  ])('%s', (text, setting) => expect(readStoreSetting(text, UPSTASH)).toEqual(setting))

  it.each([
    '',
    'sqlite:',
    'postgres:hush',
    'postgres://',
    'postgres://u:hush@',
    'redis:///1',
    'rediss:hush',
    'redis+cluster://',
    'redis+cluster://:hush@a:99999999',
    'redis+sentinel://:hush@a:1',
    'redis+sentinel://u:%hush@a:1?name=x',
    'mysql://u:hush@db',
    'upstash:hush',
    'Memory',
  ])('%j is a fault that does not quote it', async (text) => {
    const setting = readStoreSetting(text, {})
    expect(setting).toEqual({ fault: expect.stringMatching(/^store/) })
    expect(JSON.stringify(setting)).not.toContain('hush')
    await expect(openStore(text, {})).rejects.toThrow(RangeError)
  })

  it('upstash names the variables that are missing, and no token', () => {
    expect(readStoreSetting('upstash', {})).toEqual({
      fault: expect.stringMatching(/KV_REST_API_URL.*UPSTASH_REDIS_REST_TOKEN/),
    })
    const { KV_REST_API_TOKEN } = UPSTASH
    const faulty = { KV_REST_API_URL: 'ftp://eu1.upstash.io', KV_REST_API_TOKEN }
    expect(JSON.stringify(readStoreSetting('upstash', faulty))).toMatch(/^\{"fault":"(?!.*hush)/)
  })

  it('LG-01 a log masks user and password of a URL', () => {
    const told = mask('connecting to postgres://ada:hush@db.example/x and redis://:hush@a:1')
    expect(told).toBe('connecting to postgres://***@db.example/x and redis://***@a:1')
  })
})

describe('a store that is opened', () => {
  it.each(['memory', 'sqlite::memory:'])('%s works', works)
})

postgresSuite(describe, 'a store that is opened in PostgreSQL', () => {
  it('works, and close() lets go of its connections', async () => {
    const server = await startPostgres()
    await works(`postgres://test@127.0.0.1:${server.port}/postgres`)
    const left = await server.run("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%mcp_oauth%'")
    expect(left.length).toBeLessThanOrEqual(1)
    await server.close()
  })

  it('that is away is an outage, in time', async () => {
    const { store, close } = await openStore('postgres://127.0.0.1:1/x', {})
    await expect(store.find('grant', 'a')).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await close()
  })
})

redisSuite(describe, 'a store that is opened in Redis', () => {
  it('works on one server', async () => {
    const server = await startRedis()
    await works(server.url)
    await server.close()
  })

  it('works behind Sentinel', async () => {
    const { sentinel, close } = await startSentinel()
    await works(`redis+sentinel://127.0.0.1:${sentinel.port}?name=main`)
    await close()
  })

  it('works in a cluster', async () => {
    const { nodes, close } = await startCluster()
    const [first, second] = nodes.map(({ port }) => `127.0.0.1:${port}`)
    await works(`redis+cluster://${first},${second}`)
    await close()
  })

  it('that is away is an outage, in time', async () => {
    const { store, close } = await openStore('redis://127.0.0.1:1', {})
    await expect(store.find('grant', 'a')).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await close()
  })
})

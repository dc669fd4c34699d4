/** The demo's REST endpoint, as the client of Upstash meets it. */
import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { buildDemo, startServer, type DemoProcess } from './support.ts'
import { freePort } from '../support/free_port.ts'

redisSuite(describe, "the demo's REST endpoint", () => {
  let redis: TestRedis
  let server: DemoProcess
  let url = ''

  beforeAll(async () => {
    buildDemo()
    redis = await startRedis()
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    server = await startServer('redis_rest', {
      DEMO_PORT: `${port}`,
      DEMO_REDIS: redis.url,
      DEMO_TOKEN: 'a token',
    })
  })
  afterAll(async () => {
    await server.stop()
    await redis.close()
  })

  it('does what the client says, one by one and many at once', async () => {
    const client = new Redis({ url, token: 'a token', enableTelemetry: false })
    expect(await client.set('key', 'wörter')).toBe('OK')
    expect(await client.get('key')).toBe('wörter')
    expect(await client.pipeline().get('key').incr('count').exec()).toEqual(['wörter', 1])
    expect(await client.multi().incr('count').incr('count').exec()).toEqual([2, 3])
    await expect(client.incr('key')).rejects.toThrow(/not an integer/)
  })

  it('refuses another token', async () => {
    const client = new Redis({ url, token: 'another', enableTelemetry: false, retry: false })
    await expect(client.get('key')).rejects.toThrow(/Unauthorized/)
  })

  it('answers what is no JSON with 400, and goes on', async () => {
    const headers = { authorization: 'Bearer a token' }
    expect((await fetch(url, { method: 'POST', headers, body: '{' })).status).toBe(400)
    expect((await fetch(url, { method: 'POST', headers, body: '["PING"]' })).status).toBe(200)
  })
})

/** The REST interface of Upstash in front of a Redis that writes what it answers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../test/support/redis.ts'
import { startRest } from '../test/support/redis_rest.ts'
import { bytesBelow } from './disk.ts'
import type { Ground, StorePlace } from './ground.ts'
import { APPEND, directoryOf } from './redis_disk.ts'

const TOKEN = 'the-token-of-the-faults'

export async function startUpstashGround(): Promise<Ground> {
  const server = await startRedis(APPEND)
  const rest = await startRest(server.port, TOKEN)
  const port = Number(new URL(rest.url).port)
  const storeAt = (at: number): StorePlace => ({
    text: 'upstash',
    environment: { KV_REST_API_URL: `http://127.0.0.1:${at}`, KV_REST_API_TOKEN: TOKEN },
  })
  return {
    store: storeAt(port),
    network: { port, storeAt },
    bytes: async () => bytesBelow(await directoryOf(server), 0),
    async crash() {
      server.signal('SIGKILL')
      await server.restart()
      // What is in front of it connects again by itself.
      while (!(await pings(rest.url))) await sleep(20)
    },
    async close() {
      await rest.close()
      await server.close()
    },
  }
}

async function pings(url: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { status, body } = await fetch(url, { method: 'POST', headers, body: '["PING"]' })
  await body?.cancel()
  return status === 200
}

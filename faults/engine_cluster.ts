/**
 * Three primaries of Redis with a replica each. What was answered in the last moments before a failover
 * may be lost with the primary, so here a primary is killed only after a while without writes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startCluster, type TestRedis } from '../test/support/redis.ts'
import { bytesBelow } from './disk.ts'
import type { Ground } from './ground.ts'
import { APPEND, directoryOf } from './redis_disk.ts'

/** Milliseconds without writes after which the replicas have heard of all. */
const HEARD = 1000
const LOOKS = 300

export async function startClusterGround(): Promise<Ground> {
  const cluster = await startCluster(APPEND)
  const directories = await Promise.all(cluster.nodes.map(directoryOf))
  const places = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`)
  let turn = 0
  return {
    store: { text: `redis+cluster://${places.join(',')}` },
    bytes: async () => directories.flatMap((directory) => bytesBelow(directory, 0)),
    async failover() {
      await sleep(HEARD)
      turn += 1
      const dead = await cluster.killPrimaryOf(`${turn}`)
      return async () => {
        await dead.restart()
        await follows(dead)
      }
    },
    close: () => cluster.close(),
  }
}

/** Waits until a node that came back is a replica with all that its primary has. */
async function follows(node: TestRedis): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    if ((await node.cli('INFO', 'replication')).includes('master_link_status:up')) return
    await sleep(100)
  }
  throw new Error('a primary that was killed does not come back as a replica')
}

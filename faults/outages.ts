/**
 * A database that is cut off, frozen or slow, behind a proxy: the server says that it is down and when to
 * ask again, never that somebody is signed out, and goes on by itself when the database is back.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKey } from '../src/crypto/keyring.ts'
import { agentOf, call, post, refresh, signIn } from '../test/support/flow.ts'
import type { Ground } from './ground.ts'
import type { Finding } from './finding.ts'
import { startProxy, type Proxy } from './proxy.ts'
import { startReplica, type Replica } from './replica.ts'
import { freePort } from '../test/support/free_port.ts'

/** Milliseconds: by when an answer must have come, and by when all must be well again. */
const DEADLINE = 8000
const RECOVERY = 5000
const SLOW = 200
const AT_ONCE = 20

export async function outages(ground: Ground, _: number, finding: Finding): Promise<void> {
  const { network } = ground
  if (network === undefined) return finding.count('outages', 0)
  const proxy = await startProxy(network.port)
  const store = network.storeAt(proxy.port)
  const replica = startReplica({ port: await freePort(), keys: [generateKey()], store })
  await replica.go()
  try {
    for (const [name, begin] of WAYS) await outage(replica, proxy, name, begin, finding)
    await slow(replica, proxy, finding)
    if (ground.crash !== undefined) await restarted(replica, ground.crash, finding)
  } finally {
    await proxy.close()
    await replica.kill()
  }
}

const WAYS: readonly (readonly [name: string, begin: (proxy: Proxy) => void])[] = [
  ['cut off', (proxy) => proxy.cut()],
  ['frozen', (proxy) => proxy.freeze()],
  ['thirty seconds late', (proxy) => proxy.delay(30_000)],
]

async function outage(
  replica: Replica,
  proxy: Proxy,
  name: string,
  begin: (proxy: Proxy) => void,
  finding: Finding,
): Promise<void> {
  const { client, tokens } = await signIn(replica, { agent: agentOf('ada') })
  const { access_token, refresh_token: token } = tokens
  begin(proxy)
  const began = performance.now()
  const asked = Array.from({ length: AT_ONCE }, () => [
    call(replica.endpoint, access_token),
    refresh(replica, client, token),
    post(replica, '/revoke', { token, client_id: client.client_id }),
  ]).flat()
  for (const { status, headers } of await Promise.all(asked)) {
    const isTold = status === 503 && Number(headers.get('retry-after')) > 0
    finding.promise(isTold, `${name}: answered ${status}, not 503 with Retry-After`)
    finding.count('answers')
  }
  const took = performance.now() - began
  finding.promise(took < DEADLINE, `${name}: answered after ${Math.round(took)} ms`)
  // A token that is none needs no store to be refused.
  const { status } = await call(replica.endpoint, 'mcp_at_forged')
  finding.promise(status === 401, `${name}: a forged token was answered ${status}`)
  // The revocations may have come through before the break, unanswered; another's sign-in is asked for.
  proxy.mend()
  await recovers(replica, name, finding)
  finding.count('outages')
}

/** Within its time, and without a restart. */
async function recovers(replica: Replica, name: string, finding: Finding): Promise<void> {
  const began = performance.now()
  for (;;) {
    const isWell = await signIn(replica, { agent: agentOf('grace') }).then(
      () => true,
      () => false,
    )
    const took = performance.now() - began
    if (isWell)
      return finding.promise(took < RECOVERY, `${name}: well after ${Math.round(took)} ms`)
    if (took > 4 * RECOVERY) return finding.promise(false, `${name}: never well again`)
    await sleep(100)
  }
}

async function slow(replica: Replica, proxy: Proxy, finding: Finding): Promise<void> {
  proxy.delay(SLOW)
  const { client, tokens } = await signIn(replica, { agent: agentOf('ada') })
  const { status } = await call(replica.endpoint, tokens.access_token)
  const refreshed = await refresh(replica, client, tokens.refresh_token)
  const all = `${status}, ${refreshed.status}`
  finding.promise(all === '200, 200', `a slow store was answered ${all}`)
  proxy.mend()
  finding.count('outages')
}

/** The database is killed and started again: what was answered before still holds. */
async function restarted(
  replica: Replica,
  crash: () => Promise<void>,
  finding: Finding,
): Promise<void> {
  const { client, tokens } = await signIn(replica, { agent: agentOf('ada') })
  await crash()
  await recovers(replica, 'restarted', finding)
  const { status } = await call(replica.endpoint, tokens.access_token)
  const refreshed = await refresh(replica, client, tokens.refresh_token)
  const all = `${status}, ${refreshed.status}`
  finding.promise(all === '200, 200', `after a restart of the database: ${all}`)
  finding.count('outages')
}

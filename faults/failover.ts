/**
 * A primary of the store is killed and its replica takes over: for that long the guard says 503 and when to
 * ask again, never 401 for a token that lives, and goes on without a restart.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKey } from '../src/crypto/keyring.ts'
import { agentOf, call, refresh, signIn } from '../test/support/flow.ts'
import type { Finding } from './finding.ts'
import type { Ground } from './ground.ts'
import { startReplica, type Replica } from './replica.ts'
import { freePort } from '../test/support/free_port.ts'

const TIMES = 3
/** Sign-ins, so many that every primary has some. */
const SIGN_INS = 12
/** Milliseconds by which all must be well again. */
const RECOVERY = 20_000

export async function failovers(ground: Ground, rounds: number, finding: Finding): Promise<void> {
  const { failover } = ground
  if (failover === undefined) return finding.count('failovers', 0)
  const settings = { port: await freePort(), keys: [generateKey()], store: ground.store }
  const replica = startReplica(settings)
  await replica.go()
  let worst = 0
  try {
    for (let round = 0; round < Math.min(rounds, TIMES); round += 1) {
      worst = Math.max(worst, await failOver(replica, failover, finding))
      finding.count('failovers')
    }
    finding.count('ms worst', Math.round(worst))
  } finally {
    await replica.kill()
  }
}

/** Gives the milliseconds until all was well. */
async function failOver(
  replica: Replica,
  failover: NonNullable<Ground['failover']>,
  finding: Finding,
): Promise<number> {
  const signs = []
  for (let left = SIGN_INS; left > 0; left -= 1) {
    signs.push(await signIn(replica, { agent: agentOf('ada') }))
  }
  const revive = await failover()
  const began = performance.now()
  let outages = 0
  for (;;) {
    const answers = await Promise.all(
      signs.map(({ tokens }) => call(replica.endpoint, tokens.access_token)),
    )
    for (const { status, headers, body } of answers) {
      await body?.cancel()
      const isTold = status === 503 && Number(headers.get('retry-after')) > 0
      finding.promise(status === 200 || isTold, `a live token was answered ${status}`)
      if (status === 503) outages += 1
    }
    const isWell = answers.every(({ status }) => status === 200)
    if (isWell && outages > 0) break
    if (performance.now() - began > RECOVERY) {
      finding.promise(false, isWell ? 'the failover was not noticed' : 'not well in time')
      break
    }
    await sleep(50)
  }
  finding.count('answers', outages)
  const took = performance.now() - began
  for (const { client, tokens } of signs) {
    const { status } = await refresh(replica, client, tokens.refresh_token)
    finding.promise(status === 200, `a refresh after the failover was answered ${status}`)
  }
  await revive()
  return took
}

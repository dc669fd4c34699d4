/**
 * How soon a revocation that one process has answered is known to another, whose guard has kept the grant,
 * while both are under load. No later than a second, and no call passes after the first that was refused.
 */
import { agentOf, call, post, refresh, register, signIn } from '../test/support/flow.ts'
import type { Ground } from './ground.ts'
import type { Finding } from './finding.ts'
import { startPair, type Pair } from './pair.ts'
import type { Replica } from './replica.ts'

const TIMES = 200
/** Calls under way at each replica meanwhile. */
const LOAD = 10
/** Milliseconds after which no call passes that is sent then: docs/decisions/0007. */
const PROMISED = 1000
/** Milliseconds after which nobody waits any longer for a refusal. */
const NEVER = 5000
/** How many calls are made after the first that was refused. */
const AFTER = 10

export async function revocationDelay(
  ground: Ground,
  rounds: number,
  finding: Finding,
): Promise<void> {
  const pair = await startPair(ground)
  const stopLoad = await startLoad(pair, finding)
  const delays: number[] = []
  try {
    for (let round = 0; round < Math.min(rounds, TIMES); round += 1) {
      // Each of them revokes in turn.
      const [first, second] = pair.replicas
      const [here, there] = round % 2 === 0 ? [first, second] : [second, first]
      delays.push(await delayOf(here, there, finding))
      finding.count('revocations')
    }
  } finally {
    await stopLoad()
    await pair.close()
  }
  delays.sort((one, other) => one - other)
  finding.count('ms median', Math.ceil(delays[Math.floor(delays.length / 2)] ?? 0))
  finding.count('ms worst', Math.ceil(delays.at(-1) ?? 0))
}

/** Milliseconds from the answer to the revocation to that of the first call that is refused elsewhere. */
async function delayOf(here: Replica, there: Replica, finding: Finding): Promise<number> {
  const { client, tokens } = await signIn(here, { agent: agentOf('ada') })
  const { access_token, refresh_token: token } = tokens
  for (let warm = 0; warm < 2; warm += 1) {
    finding.promise((await ask(there, access_token)) === 200, 'a live token was refused')
  }
  const { status } = await post(here, '/revoke', { token, client_id: client.client_id })
  finding.promise(status === 200, `a revocation was answered ${status}`)
  const answered = performance.now()
  for (;;) {
    const sent = performance.now() - answered
    if ((await ask(there, access_token)) !== 200) break
    finding.promise(sent <= PROMISED, `a call of ${Math.round(sent)} ms later passed`)
    finding.count('calls passed')
    if (sent > NEVER) break
  }
  const delay = performance.now() - answered
  for (let after = 0; after < AFTER; after += 1) {
    for (const replica of [here, there]) {
      const later = await ask(replica, access_token)
      finding.promise(later === 401, `after the first refusal: ${later}`)
    }
  }
  const again = await refresh(there, client, token)
  finding.promise(again.status === 400, `a revoked refresh token was answered ${again.status}`)
  return delay
}

/** Calls with live tokens at both, one after the other; each must pass. */
async function startLoad({ replicas }: Pair, finding: Finding): Promise<() => Promise<void>> {
  const [first] = replicas
  const { tokens } = await signIn(first, { agent: agentOf('grace'), client: await register(first) })
  const state = { isOver: false }
  const workers = replicas.flatMap((replica) =>
    Array.from({ length: LOAD }, async () => {
      while (!state.isOver) {
        const status = await ask(replica, tokens.access_token)
        finding.promise(status === 200, `under load: a live token was answered ${status}`)
        finding.count('calls beside')
      }
    }),
  )
  return async () => {
    state.isOver = true
    await Promise.all(workers)
  }
}

async function ask({ endpoint }: Replica, token: string): Promise<number> {
  const response = await call(endpoint, token)
  await response.arrayBuffer()
  return response.status
}

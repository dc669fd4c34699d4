/** Two replicas whose clocks are 30 seconds apart: nobody is signed out by the other's time. */
import {
  agentOf,
  authorize,
  call,
  redeem,
  refresh,
  register,
  type Tokens,
} from '../test/support/flow.ts'
import type { Ground } from './ground.ts'
import type { Finding } from './finding.ts'
import { startPair } from './pair.ts'

/** Seconds apart, in both directions. */
const APART = [30, -30]
const TIMES = 10

export async function clocksApart(ground: Ground, rounds: number, finding: Finding): Promise<void> {
  const { replicas, close } = await startPair(ground)
  const [first, second] = replicas
  try {
    const client = await register(first)
    for (const seconds of APART) {
      await second.setClock(seconds)
      for (let round = 0; round < Math.min(rounds, TIMES); round += 1) {
        const authorized = await authorize(first, client, { agent: agentOf('ada') })
        const redeemed = await redeem(second, authorized)
        finding.promise(redeemed.status === 200, `a code at the other clock: ${redeemed.text}`)
        let tokens = redeemed.body as unknown as Tokens
        for (const at of [first, second, first]) {
          for (const { endpoint } of replicas) {
            const { status } = await call(endpoint, tokens.access_token)
            finding.promise(status === 200, `a token at the other clock: ${status}`)
          }
          const { status, body, text } = await refresh(at, client, tokens.refresh_token)
          finding.promise(status === 200, `a refresh at the other clock: ${text}`)
          tokens = body as unknown as Tokens
        }
        finding.count('sign-ins')
      }
    }
  } finally {
    await close()
  }
}

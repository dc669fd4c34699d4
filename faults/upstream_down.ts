/**
 * The upstream is down while its token is over: a tool that needs it is told so for the moment, nobody is
 * signed out, and when it is back the connection is whole.
 */
import { call, refresh } from '../test/support/flow.ts'
import { signInUpstream } from '../test/support/upstream_flow.ts'
import type { Ground } from './ground.ts'
import type { Finding } from './finding.ts'
import { withProvider } from './pair.ts'

/** Seconds: how long the provider's tokens live, and when they are over for certain. */
const LIFETIME = 600
const OVER = 601
const TIMES = 3

export async function upstreamDown(
  ground: Ground,
  rounds: number,
  finding: Finding,
): Promise<void> {
  await withProvider(ground, LIFETIME, async ({ replicas }, provider) => {
    const [server, other] = replicas
    const { client, tokens } = await signInUpstream({ server, provider })
    let { access_token, refresh_token } = tokens
    for (let round = 1; round <= Math.min(rounds, TIMES); round += 1) {
      await Promise.all(replicas.map((replica) => replica.setClock(round * OVER)))
      provider.outage(true)
      for (const { endpoint } of replicas) {
        const told = await (await call(endpoint, access_token)).text()
        const isForNow = told.includes('try again')
        finding.promise(isForNow, `a tool was told of the upstream: ${told.slice(0, 80)}`)
      }
      const rotated = await refresh(other, client, refresh_token)
      finding.promise(rotated.status === 200, `a refresh meanwhile was answered ${rotated.status}`)
      access_token = String(rotated.body['access_token'])
      refresh_token = String(rotated.body['refresh_token'])
      provider.outage(false)
      const { status } = await call(server.endpoint, access_token)
      finding.promise(status === 200, `when the upstream is back: ${status}`)
      finding.count('outages')
    }
  })
}

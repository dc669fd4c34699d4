/** A connection that breaks in the middle of an answer: the client that asks again gets the very same. */
import { generateKey } from '../src/crypto/keyring.ts'
import { agentOf, call, refresh, signIn } from '../test/support/flow.ts'
import type { Ground } from './ground.ts'
import type { Finding } from './finding.ts'
import { startProxy } from './proxy.ts'
import { startReplica } from './replica.ts'
import { freePort } from '../test/support/free_port.ts'

const TIMES = 20

export async function cutAnswers(ground: Ground, rounds: number, finding: Finding): Promise<void> {
  const port = await freePort()
  const replica = startReplica({ port, keys: [generateKey()], store: ground.store })
  await replica.go()
  const proxy = await startProxy(port)
  const cut = { issuer: `http://127.0.0.1:${proxy.port}` }
  try {
    const { client, tokens } = await signIn(replica, { agent: agentOf('ada') })
    let token = tokens.refresh_token
    for (let round = 0; round < Math.min(rounds, TIMES); round += 1) {
      // Now within the head, now within the body, now before anything.
      proxy.cutAnswersAfter(round * 30)
      proxy.answered()
      const lost = await refresh(cut, client, token).then(
        ({ status }) => `answered ${status}`,
        () => undefined,
      )
      finding.promise(lost === undefined, `an answer that was cut was taken for one: ${lost}`)
      const sent = proxy.answered()
      const again = await refresh(replica, client, token)
      finding.promise(again.status === 200, `the retry was answered ${again.status}`)
      finding.promise(sent.includes(again.text), 'the retry got another answer')
      const { status } = await call(replica.endpoint, String(again.body['access_token']))
      finding.promise(status === 200, `the token of the retry was answered ${status}`)
      token = String(again.body['refresh_token'])
      finding.count('answers cut')
    }
  } finally {
    await proxy.close()
    await replica.stop()
  }
}

/**
 * The upstream's token endpoint is slow, answers nonsense, refuses everybody or breaks off. A tool is told
 * to try again, nobody is signed out, our own tokens go on, and afterwards all is whole. What the
 * upstream refuses for good ends the grants of that one connection.
 */
import type { ServerResponse } from 'node:http'
import { call, refresh, type TestClient, type Tokens } from '../test/support/flow.ts'
import { signInUpstream } from '../test/support/upstream_flow.ts'
import type { Ground } from './ground.ts'
import type { Finding } from './finding.ts'
import { OVER, withGate, type Gated } from './gated.ts'
import type { Treatment } from './token_gate.ts'

/** Milliseconds by which a tool is answered, though the upstream never answers. */
const BOUND = 15_000
const WAIT = 17

const TROUBLES: readonly (readonly [name: string, how: Treatment])[] = [
  ['no answer', () => undefined],
  ['HTML', (res) => say(res, 200, '<!doctype html><title>Welcome</title>', 'text/html')],
  ['half of a JSON', (res) => say(res, 200, '{"access_token":"eyJ')],
  ['no token', (res) => say(res, 200, '{"token_type":"Bearer","expires_in":3600}')],
  ['a JSON of another kind', (res) => say(res, 200, '[null]')],
  ['500', (res) => say(res, 500, '{"error":"invalid_grant"}')],
  ['400 without an error', (res) => say(res, 400, '{}')],
  ['429', (res) => say(res.setHeader('retry-after', WAIT), 429, '{}')],
  ['a broken connection', (res) => void res.destroy()],
  ['a broken answer', breakOff],
]

/** One sign-in, as its client goes on with it. */
interface Sign {
  readonly client: TestClient
  tokens: Tokens
}

export async function upstreamTrouble(
  ground: Ground,
  rounds: number,
  finding: Finding,
): Promise<void> {
  for (const rotate of [true, false]) {
    await withGate(ground, rotate, async (gated) => {
      const ada: Sign = await signInUpstream(placeOf(gated), 'ada')
      const grace: Sign = await signInUpstream(placeOf(gated), 'grace')
      let turn = 0
      // Once is enough of the one that takes the longest.
      for (const [name, how] of TROUBLES.slice(rotate ? 0 : 1, rounds)) {
        turn += 1
        await Promise.all(gated.replicas.map((replica) => replica.setClock(turn * OVER)))
        gated.gate.treat(how)
        await toldToTryAgain(gated, ada, name, finding)
        gated.gate.treat(undefined)
        await whole(gated, ada, name, finding)
        finding.count('troubles')
      }
      await whole(gated, grace, 'before it is refused', finding)
      await Promise.all(gated.replicas.map((replica) => replica.setClock((turn + 1) * OVER)))
      await refusedForGood(gated, grace, finding)
      await whole(gated, ada, "another's refusal", finding)
    })
  }
}

function placeOf({ replicas: [server], provider }: Gated): Parameters<typeof signInUpstream>[0] {
  return { server, provider }
}

async function toldToTryAgain(
  { replicas, gate }: Gated,
  sign: Sign,
  name: string,
  finding: Finding,
): Promise<void> {
  const [, other] = replicas
  const asked = gate.asked()
  const began = performance.now()
  // A refresh of our tokens waits for nothing that the upstream does.
  const [told, rotated] = await Promise.all([
    Promise.all(replicas.map(({ endpoint }) => call(endpoint, sign.tokens.access_token))),
    refresh(other, sign.client, sign.tokens.refresh_token).then((answer) => {
      const took = performance.now() - began
      finding.promise(took < BOUND / 3, `${name}: a refresh took ${Math.round(took)} ms`)
      return answer
    }),
  ])
  for (const response of told) {
    const text = await response.text()
    const isTold = response.status === 502 && text.includes('try again')
    finding.promise(isTold, `${name}: a tool was told ${text.slice(0, 80)}`)
    const wait = Number(response.headers.get('retry-after'))
    const isBounded = name === '429' ? wait === WAIT : wait > 0
    finding.promise(isBounded, `${name}: to be tried again after ${wait} s`)
  }
  const took = performance.now() - began
  finding.promise(took < BOUND * told.length, `${name}: told after ${Math.round(took)} ms`)
  finding.promise(gate.asked() > asked, `${name}: the upstream was not asked`)
  finding.promise(rotated.status === 200, `${name}: a refresh was answered ${rotated.status}`)
  sign.tokens = rotated.body as unknown as Tokens
}

/** A tool gets its token at both replicas, and our own refresh goes on. */
async function whole(
  { replicas }: Gated,
  sign: Sign,
  name: string,
  finding: Finding,
): Promise<void> {
  const [first] = replicas
  for (const { endpoint } of replicas) {
    const response = await call(endpoint, sign.tokens.access_token)
    const text = await response.text()
    finding.promise(response.status === 200, `after ${name}: ${response.status} ${text}`)
  }
  const rotated = await refresh(first, sign.client, sign.tokens.refresh_token)
  finding.promise(rotated.status === 200, `a refresh after ${name}: ${rotated.text}`)
  sign.tokens = rotated.body as unknown as Tokens
}

/** RFC 6749 §5.2 `invalid_grant`: the upstream's user has taken the consent back. */
async function refusedForGood(gated: Gated, sign: Sign, finding: Finding): Promise<void> {
  const { provider, replicas } = gated
  await provider.forget('grace')
  const [first, second] = replicas
  const told = await (await call(second.endpoint, sign.tokens.access_token)).text()
  finding.promise(told.includes('sign in again'), `refused for good: told ${told.slice(0, 80)}`)
  const { status } = await call(first.endpoint, sign.tokens.access_token)
  finding.promise(status === 401, `refused for good: a call was answered ${status}`)
  const { body } = await refresh(first, sign.client, sign.tokens.refresh_token)
  const { error } = body
  finding.promise(error === 'invalid_grant', `refused for good: a refresh was answered ${error}`)
  const again: Sign = await signInUpstream(placeOf(gated), 'grace', { client: sign.client })
  await whole(gated, again, 'a new sign-in', finding)
  finding.count('refusals')
}

function say(res: ServerResponse, status: number, body: string, type = 'application/json'): void {
  res.writeHead(status, { 'content-type': type }).end(body)
}

/** The head and half of the body that it promises, and then the connection breaks. */
function breakOff(res: ServerResponse): void {
  const body = '{"access_token":"'
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 })
  res.write(body, () => setImmediate(() => res.socket?.resetAndDestroy()))
}

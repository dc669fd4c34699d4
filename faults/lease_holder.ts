/**
 * The process that refreshes at the upstream dies, or sleeps, while it holds the lease. The other one takes
 * over when the lease ends, and the one that wakes up late can write nothing over it.
 */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { call } from '../test/support/flow.ts'
import { signInUpstream } from '../test/support/upstream_flow.ts'
import type { Ground } from './ground.ts'
import type { Finding } from './finding.ts'
import { OVER, withGate, type Gated } from './gated.ts'

/** Seconds after which a lease has ended for certain: 20, and 30 for a clock that is ahead. */
const LEASE_OVER = 51
/** Milliseconds in which one that does not wait would have asked the upstream. */
const SOME_TIME = 500

export async function leaseHolder(ground: Ground, rounds: number, finding: Finding): Promise<void> {
  await withGate(ground, false, (gated) => sleeps(gated, Math.min(rounds, 5), finding))
  // Killed before the upstream has heard of it, and after it has answered. After the second a rotating
  // upstream would see a token come back that it has retired, and to that it may say what it wants.
  await withGate(ground, true, (gated) => killed(gated, 'asked', finding))
  await withGate(ground, false, (gated) => killed(gated, 'answered', finding))
}

async function killed(gated: Gated, when: 'asked' | 'answered', finding: Finding): Promise<void> {
  const { replicas, provider } = gated
  const [other, holder] = replicas
  const { tokens } = await signInUpstream({ server: other, provider })
  await Promise.all(replicas.map((replica) => replica.setClock(OVER)))
  const held = holdNext(gated, when)
  const lost = call(holder.endpoint, tokens.access_token).catch(() => undefined)
  await held.isHeld
  const seen = provider.tokenCalls().refresh
  await holder.kill()
  await lost
  const answer = tell(other, tokens.access_token)
  // Nothing but the clock ends the lease, however long it is waited for here.
  const early = await Promise.race([answer, sleep(SOME_TIME, undefined)])
  finding.promise(early === undefined, `${when}: answered ${early?.status} within the lease`)
  finding.promise(provider.tokenCalls().refresh === seen, `${when}: the lease was not waited for`)
  await other.setClock(OVER + LEASE_OVER)
  const { status, text } = await answer
  finding.promise(status === 200, `${when}: the other one was answered ${status} ${text}`)
  const more = provider.tokenCalls().refresh - seen
  finding.promise(more === 1, `${when}: the upstream saw ${more} more refreshes`)
  held.release()
  finding.count('killed')
}

async function sleeps(gated: Gated, rounds: number, finding: Finding): Promise<void> {
  const { replicas, provider } = gated
  const [other, holder] = replicas
  const { tokens } = await signInUpstream({ server: other, provider })
  let clock = 0
  for (let round = 0; round < rounds; round += 1) {
    clock += OVER
    await Promise.all(replicas.map((replica) => replica.setClock(clock)))
    const held = holdNext(gated, 'answered')
    const late = tell(holder, tokens.access_token)
    await held.isHeld
    holder.pause()
    const seen = provider.tokenCalls().refresh
    clock += LEASE_OVER
    await other.setClock(clock)
    const taken = await tell(other, tokens.access_token)
    finding.promise(taken.status === 200, `asleep: the other one was answered ${taken.status}`)
    const more = provider.tokenCalls().refresh - seen
    finding.promise(more === 1, `asleep: the upstream saw ${more} more refreshes`)
    // The answer that it slept through is there when it wakes up.
    held.release()
    holder.resume()
    const woken = await late
    finding.promise(woken.text === taken.text, `awake: answered ${woken.status}, another token`)
    await holder.setClock(clock)
    for (const replica of replicas) {
      const { text } = await tell(replica, tokens.access_token)
      finding.promise(text === taken.text, 'awake: the late token was written over the newer one')
    }
    finding.promise(
      provider.tokenCalls().refresh === seen + 1,
      'awake: the upstream was asked again',
    )
    finding.count('slept')
  }
}

async function tell(
  { endpoint }: Gated['replicas'][number],
  token: string,
): Promise<{ status: number; text: string }> {
  const response = await call(endpoint, token)
  return { status: response.status, text: await response.text() }
}

interface Held {
  /** Settled when the gate has the next token request, or the provider's answer to it. */
  readonly isHeld: Promise<void>
  /** Sends the answer on, if there is one. */
  release(): void
}

/** Only the next request is held; those after it pass. */
function holdNext({ gate }: Gated, until: 'asked' | 'answered'): Held {
  const { promise: isHeld, resolve: hold } = promiseOf()
  const { promise: isReleased, resolve: release } = promiseOf()
  gate.treat(async (res: ServerResponse, pass) => {
    gate.treat(undefined)
    const passed = until === 'answered' ? await pass(undefined) : undefined
    hold()
    await isReleased
    if (passed === undefined) res.destroy()
    else res.writeHead(passed.status, { 'content-type': 'application/json' }).end(passed.body)
  })
  return { isHeld, release }
}

function promiseOf(): { promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve: () => resolve() }
}

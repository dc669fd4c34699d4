/**
 * `kill -9` of the server under load, again and again. Its clients keep a log of what was answered; the
 * next process is held to it: nothing answered is lost, nothing is usable twice, and what was revoked
 * stays revoked.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKey } from '../src/crypto/keyring.ts'
import {
  agentOf,
  authorize,
  call,
  post,
  redeem,
  refresh,
  register,
  type Authorized,
  type TestClient,
  type Tokens,
} from '../test/support/flow.ts'
import type { Finding } from './finding.ts'
import type { Ground } from './ground.ts'
import { startReplica, type Replica } from './replica.ts'
import { freePort } from '../test/support/free_port.ts'

const CLIENTS = 6
/** Milliseconds: the longest load before a kill. */
const LOAD = 250
/** Every so many rounds the database is killed too, where it is a server. */
const CRASH = 10
/** How many ended grants of earlier rounds are asked for again in each. */
const REMEMBERED = 4

/** One sign-in as its client knows it. What has begun but was not answered may be or not be. */
interface Sign {
  readonly authorized: Authorized
  redeeming: boolean
  tokens: Tokens | undefined
  readonly earlier: Tokens[]
  revoking: boolean
  revoked: boolean
}

/** Runs so many rounds on one store. */
export async function killRounds(ground: Ground, rounds: number, finding: Finding): Promise<void> {
  const settings = { port: await freePort(), keys: [generateKey()], store: ground.store }
  const ended: Sign[] = []
  let replica = startReplica(settings)
  await replica.go()
  try {
    const client = await register(replica)
    for (let round = 0; round < rounds; round += 1) {
      const next = startReplica(settings)
      const signs = await loadUntilKilled(replica, client, finding)
      replica = next
      if (round % CRASH === CRASH - 1) await ground.crash?.()
      await replica.go()
      const asked = [...signs, ...ended.slice(-REMEMBERED)]
      await Promise.all(asked.map((sign) => hold(replica, sign, finding)))
      ended.push(...signs.filter(({ revoked }) => revoked))
      finding.count('kills')
    }
  } finally {
    await replica.kill()
  }
}

async function loadUntilKilled(
  replica: Replica,
  client: TestClient,
  finding: Finding,
): Promise<readonly Sign[]> {
  const signs: Sign[] = []
  const state = { killed: false }
  const work = Array.from({ length: CLIENTS }, () => useUntilKilled(replica, client, signs))
  const watched = work.map((one) =>
    one.catch((error: unknown) => {
      // A connection that breaks is the kill. Anything else was an answer, and a wrong one.
      const isCut = error instanceof TypeError
      finding.promise(isCut && state.killed, `under load: ${String(error)}`)
    }),
  )
  await sleep(20 + Math.random() * LOAD)
  state.killed = true
  await replica.kill()
  await Promise.all(watched)
  return signs
}

/** One client after another's sign-in: some are left with a code, some refresh, some are revoked. */
async function useUntilKilled(replica: Replica, client: TestClient, signs: Sign[]): Promise<never> {
  for (;;) {
    const authorized = await authorize(replica, client, { agent: agentOf(anybody()) })
    const sign: Sign = {
      authorized,
      redeeming: false,
      tokens: undefined,
      earlier: [],
      revoking: false,
      revoked: false,
    }
    signs.push(sign)
    if (Math.random() < 0.2) continue
    sign.redeeming = true
    sign.tokens = tokensOf(await redeem(replica, authorized))
    for (let left = Math.floor(Math.random() * 3); left > 0; left -= 1) {
      const next = tokensOf(await refresh(replica, client, sign.tokens.refresh_token))
      sign.earlier.push(sign.tokens)
      sign.tokens = next
    }
    if (Math.random() < 0.6) continue
    sign.revoking = true
    await revoke(replica, client, sign.tokens.refresh_token)
    sign.revoked = true
  }
}

/** Somebody who has never signed in, as the number of sign-ins of one user at one client is bounded. */
function anybody(): string {
  return Array.from({ length: 16 }, () =>
    String.fromCharCode(97 + Math.floor(Math.random() * 26)),
  ).join('')
}

function tokensOf({ status, body, text }: Awaited<ReturnType<typeof post>>): Tokens {
  if (status !== 200) throw new Error(`${status} ${text}`)
  return body as unknown as Tokens
}

async function revoke(replica: Replica, { client_id }: TestClient, token: string): Promise<void> {
  const { status, text } = await post(replica, '/revoke', { token, client_id })
  if (status !== 200) throw new Error(`revocation: ${status} ${text}`)
}

async function hold(replica: Replica, sign: Sign, finding: Finding): Promise<void> {
  if (sign.revoked) await holdRevoked(replica, sign, finding)
  else if (sign.revoking) finding.count('unanswered')
  else if (sign.tokens !== undefined) await holdTokens(replica, sign, sign.tokens, finding)
  else await holdCode(replica, sign, finding)
}

async function holdRevoked(
  replica: Replica,
  { authorized, tokens, earlier }: Sign,
  finding: Finding,
): Promise<void> {
  finding.count('revocations')
  for (const { access_token, refresh_token } of [...earlier, ...(tokens ? [tokens] : [])]) {
    finding.promise((await ask(replica, access_token)) === 401, 'a revoked access token came back')
    const { status } = await refresh(replica, authorized.client, refresh_token)
    finding.promise(status === 400, `a revoked refresh token came back: ${status}`)
  }
}

async function holdTokens(
  replica: Replica,
  { authorized, earlier }: Sign,
  tokens: Tokens,
  finding: Finding,
): Promise<void> {
  const { client } = authorized
  finding.count('tokens')
  finding.promise((await ask(replica, tokens.access_token)) === 200, 'an access token is lost')
  const first = await refresh(replica, client, tokens.refresh_token)
  finding.promise(first.status === 200, `a refresh token is lost: ${first.status} ${first.text}`)
  const again = await refresh(replica, client, tokens.refresh_token)
  finding.promise(
    again.body['refresh_token'] === first.body['refresh_token'],
    'a refresh token gave two pairs',
  )
  // One whose successor has been used: two have it, and one of them is a thief.
  const old = earlier.at(-1)?.refresh_token
  const used = old ? await refresh(replica, client, old) : await redeem(replica, authorized)
  finding.promise(used.status === 400, `what was used is usable again: ${used.status}`)
  const access = String(first.body['access_token'])
  finding.promise((await ask(replica, access)) === 401, 'reuse did not end the grant')
}

async function holdCode(
  replica: Replica,
  { authorized, redeeming }: Sign,
  finding: Finding,
): Promise<void> {
  finding.count(redeeming ? 'unanswered' : 'codes')
  const { status, text } = await redeem(replica, authorized)
  const isRight = status === 200 || (redeeming && status === 400)
  finding.promise(isRight, `a code is lost: ${status} ${text}`)
  const again = await redeem(replica, authorized)
  finding.promise(again.status === 400, `a code was redeemed twice: ${again.status}`)
}

async function ask({ endpoint }: Replica, token: string): Promise<number> {
  const response = await call(endpoint, token)
  await response.arrayBuffer()
  return response.status
}

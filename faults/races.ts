/** Races over two server processes on one store. */
import {
  agentOf,
  authorize,
  call,
  post,
  redeem,
  refresh,
  register,
  signIn,
} from '../test/support/flow.ts'
import { signInUpstream } from '../test/support/upstream_flow.ts'
import type { Ground } from './ground.ts'
import type { Finding } from './finding.ts'
import { startPair, withProvider, type Pair } from './pair.ts'
import type { Replica } from './replica.ts'

/** Fewer than the kills, as each needs several answers. */
const TIMES = 50
/** Seconds: how long the provider's tokens live, and when they are over for certain. */
const LIFETIME = 600
const DUE = 601

/** One code, one refresh token, and a revocation against a refresh, each at both replicas at once. */
export async function races(ground: Ground, rounds: number, finding: Finding): Promise<void> {
  const pair = await startPair(ground)
  try {
    for (let round = 0; round < Math.min(rounds, TIMES); round += 1) {
      await oneCode(pair, finding)
      await oneRefreshToken(pair, finding)
      await revokeAgainstRefresh(pair, finding)
    }
  } finally {
    await pair.close()
  }
}

async function oneCode({ replicas }: Pair, finding: Finding): Promise<void> {
  const [first] = replicas
  const authorized = await authorize(first, await register(first), { agent: agentOf('ada') })
  const answers = await Promise.all(replicas.map((replica) => redeem(replica, authorized)))
  const statuses = answers.map(({ status }) => status).sort()
  finding.promise(statuses.join() === '200,400', `one code at both: ${statuses.join()}`)
  const token = String(answers.find(({ status }) => status === 200)?.body['access_token'])
  await refusedAtBoth(replicas, token, 'the second use of a code did not end the grant', finding)
  finding.count('codes')
}

async function oneRefreshToken({ replicas }: Pair, finding: Finding): Promise<void> {
  const [first, second] = replicas
  const { client, tokens } = await signIn(first, { agent: agentOf('ada') })
  const answers = await Promise.all(
    replicas.map((replica) => refresh(replica, client, tokens.refresh_token)),
  )
  const bodies = new Set(answers.map(({ text }) => text))
  finding.promise(
    answers.every(({ status }) => status === 200) && bodies.size === 1,
    `one refresh token at both: ${answers.map(({ status }) => status).join()}, ${bodies.size} pairs`,
  )
  const next = await refresh(second, client, String(answers[0]?.body['refresh_token']))
  finding.promise(next.status === 200, `the one pair does not refresh: ${next.status}`)
  finding.count('refresh tokens')
}

async function revokeAgainstRefresh({ replicas }: Pair, finding: Finding): Promise<void> {
  const [first, second] = replicas
  const { client, tokens } = await signIn(first, { agent: agentOf('grace') })
  const { client_id } = client
  const [revoked, refreshed] = await Promise.all([
    post(first, '/revoke', { token: tokens.refresh_token, client_id }),
    refresh(second, client, tokens.refresh_token),
  ])
  finding.promise(revoked.status === 200, `a revocation answered ${revoked.status}`)
  const { access_token = tokens.access_token, refresh_token = tokens.refresh_token } =
    refreshed.body
  const told = 'a token outlived its revocation'
  await refusedAtBoth(replicas, String(access_token), told, finding)
  const later = await refresh(second, client, String(refresh_token))
  finding.promise(later.status === 400, `${told}: ${later.status}`)
  finding.count('revocations')
}

async function refusedAtBoth(
  replicas: readonly Replica[],
  token: string,
  told: string,
  finding: Finding,
): Promise<void> {
  for (const { endpoint } of replicas) {
    const { status } = await call(endpoint, token)
    finding.promise(status === 401, `${told}: ${status}`)
  }
}

/** Ten calls at each replica need the upstream's token when it is due. */
export async function upstreamRace(
  ground: Ground,
  rounds: number,
  finding: Finding,
): Promise<void> {
  await withProvider(ground, LIFETIME, async ({ replicas }, provider) => {
    const [server] = replicas
    const { tokens } = await signInUpstream({ server, provider })
    for (let round = 1; round <= Math.min(rounds, 5); round += 1) {
      await Promise.all(replicas.map((replica) => replica.setClock(round * DUE)))
      const before = provider.tokenCalls().refresh
      const calls = replicas.flatMap(({ endpoint }) =>
        Array.from({ length: 10 }, async () => {
          const response = await call(endpoint, tokens.access_token)
          return `${response.status} ${await response.text()}`
        }),
      )
      const answers = new Set(await Promise.all(calls))
      const asked = provider.tokenCalls().refresh - before
      finding.promise(asked === 1, `the upstream saw ${asked} refreshes of one connection`)
      const [only = ''] = answers
      finding.promise(
        answers.size === 1 && only.startsWith('200'),
        `calls were answered in ${answers.size} ways: ${only.slice(0, 80)}`,
      )
      finding.count('refreshes')
    }
  })
}

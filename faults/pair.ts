/** Two server processes on one store, with the same keys: two replicas of one server. */
import { generateKey } from '../src/crypto/keyring.ts'
import { startOidcProvider, type TestOidcProvider } from '../test/support/oidc_provider.ts'
import type { Ground } from './ground.ts'
import { startReplica, type Replica } from './replica.ts'
import { freePort } from '../test/support/free_port.ts'

export interface Pair {
  readonly replicas: readonly [Replica, Replica]
  readonly keys: readonly string[]
  close(): Promise<void>
}

/** The issuer of both is the first one's address; clients of the second come in by another door. */
export async function startPair(ground: Ground, provider?: TestOidcProvider): Promise<Pair> {
  const [first, second] = [await freePort(), await freePort()]
  const publicOrigin = `http://127.0.0.1:${first}`
  const keys = [generateKey()]
  const settings = { keys, store: ground.store, publicOrigin }
  provider?.allowRedirect(`${publicOrigin}/callback`)
  const upstream = provider && {
    issuer: provider.issuer,
    client_id: provider.client_id,
    client_secret: provider.client_secret,
  }
  const replicas = [first, second].map((port) =>
    startReplica({ ...settings, port, ...(upstream !== undefined && { upstream }) }),
  ) as [Replica, Replica]
  await Promise.all(replicas.map((replica) => replica.go()))
  return {
    replicas,
    keys,
    close: async () => void (await Promise.all(replicas.map((replica) => replica.stop()))),
  }
}

/** Runs `body` with two replicas and a provider whose tokens live for `lifetime` seconds. */
export async function withProvider(
  ground: Ground,
  lifetime: number,
  body: (pair: Pair, provider: TestOidcProvider) => Promise<void>,
): Promise<void> {
  const provider = await startOidcProvider({ accessTokenLifetime: lifetime })
  const pair = await startPair(ground, provider)
  try {
    await body(pair, provider)
  } finally {
    await pair.close()
    await provider.close()
  }
}

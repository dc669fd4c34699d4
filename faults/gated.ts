/** Two replicas and a real OpenID provider whose token endpoint is behind a gate. */
import { startOidcProvider, type TestOidcProvider } from '../test/support/oidc_provider.ts'
import type { Ground } from './ground.ts'
import { startPair, type Pair } from './pair.ts'
import { startTokenGate, type TokenGate } from './token_gate.ts'

/** Seconds: how long the provider's tokens live, and after how many they are over for certain. */
export const LIFETIME = 120
export const OVER = 121

export interface Gated extends Pair {
  readonly provider: TestOidcProvider
  readonly gate: TokenGate
}

/** Runs `body`; `rotate` says whether each refresh at the provider retires the refresh token before. */
export async function withGate(
  ground: Ground,
  rotate: boolean,
  body: (gated: Gated) => Promise<void>,
): Promise<void> {
  const gate = await startTokenGate()
  const accessTokenLifetime = LIFETIME
  const provider = await startOidcProvider({
    accessTokenLifetime,
    rotate,
    publicOrigin: gate.origin,
  })
  gate.leadTo(provider.port)
  const pair = await startPair(ground, provider)
  try {
    await body({ ...pair, provider, gate })
  } finally {
    await pair.close()
    await provider.close()
    await gate.close()
  }
}

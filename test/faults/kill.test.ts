/** The kills of `npm run faults`, fewer of them. */
import { expect, it } from 'vitest'
import { runFault } from './support.ts'

const ROUNDS = 50

it.each(['SQLite', 'PostgreSQL', 'Redis'])(
  `ST-08 on %s, ${ROUNDS} kills of the server under load: nothing answered is lost, used twice or back`,
  async (engine) => {
    const counted = await runFault('kill', engine, ROUNDS)
    expect(counted.get('kills')).toBe(ROUNDS)
    // How much is answered before a kill is the machine's affair; that something was is the test's.
    for (const what of ['codes', 'tokens', 'revocations']) {
      expect(counted.get(what), what).toBeGreaterThan(ROUNDS / 10)
    }
  },
  180_000,
)

/**
 * Random sequences of what can happen to a grant, sent to two servers on one SQLite file, beside a model
 * written from the rules: whichever server is asked, the answer is the model's.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { LIFETIMES } from '../../src/server/config/defaults.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import {
  call,
  post,
  redeem,
  refresh,
  register,
  signIn,
  type Authorized,
  type TestClient,
} from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'
import { UNLIMITED } from '../support/upstream_flow.ts'

const WINDOW = LIFETIMES.replayWindow
const ACCESS = LIFETIMES.accessToken

interface Step {
  readonly type: 'refresh' | 'call' | 'revoke_access' | 'revoke_refresh' | 'redeem' | 'wait'
  /** Which server is asked. */
  readonly at: number
  /** How many tokens back the presented one is. */
  readonly back: number
  readonly seconds: number
}

const steps: fc.Arbitrary<Step> = fc.record({
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constant('refresh' as const) },
    { weight: 8, arbitrary: fc.constant('call' as const) },
    { weight: 2, arbitrary: fc.constant('revoke_access' as const) },
    { weight: 1, arbitrary: fc.constantFrom('revoke_refresh' as const, 'redeem' as const) },
    { weight: 3, arbitrary: fc.constant('wait' as const) },
  ),
  at: fc.nat(1),
  back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constantFrom(1, 1, 2, 3)),
  seconds: fc.constantFrom(1, WINDOW - 1, WINDOW, WINDOW, ACCESS - 1, ACCESS),
})

/** One pair of tokens as the model knows it; `used` is when its refresh token was. */
interface Pair {
  readonly access_token: string
  readonly refresh_token: string
  readonly exp: number
  used: number | undefined
  revoked: boolean
}

interface Model {
  over: boolean
  readonly pairs: Pair[]
}

let time = 1_800_000_000
let servers: readonly [TestServer, TestServer]
let client: TestClient

beforeAll(async () => {
  const file = tempFile()
  const options = {
    keys: [generateKey()],
    now: () => time,
    rateLimits: UNLIMITED,
    maxGrantsPerClient: 1000,
  }
  const first = await startServer({ ...options, store: sqlite(file) })
  const second = await startServer({
    ...options,
    store: sqlite(file),
    resources: [first.resource],
  })
  servers = [first, second]
  client = await register(first)
})
afterAll(() => Promise.all(servers.map((server) => server.close())))

const tempFile = tempFiles('.db')
const atServer = ({ at }: Step): TestServer => servers[at === 0 ? 0 : 1]

function pairOf({ body }: { readonly body: { readonly [name: string]: unknown } }): Pair {
  return {
    access_token: String(body['access_token']),
    refresh_token: String(body['refresh_token']),
    exp: time + ACCESS,
    used: undefined,
    revoked: false,
  }
}

async function takeStep(model: Model, step: Step, authorized: Authorized): Promise<void> {
  const server = atServer(step)
  const index = Math.max(0, model.pairs.length - 1 - step.back)
  const pair = model.pairs[index]
  const newest = model.pairs.at(-1)
  if (pair === undefined || newest === undefined) throw new Error('there is always a pair')
  switch (step.type) {
    case 'wait':
      time += step.seconds
      return
    case 'call':
      return expectCall(model, pair, server)
    case 'refresh':
      return expectRefresh(model, index, server)
    case 'redeem': {
      // OAuth 2.1 §4.1.3: a code that comes again ends what it gave.
      expect((await redeem(server, authorized)).status).toBe(400)
      model.over = true
      return
    }
    case 'revoke_access':
      pair.revoked = true
      return expectRevocation(server, pair.access_token)
    case 'revoke_refresh':
      model.over = true
      return expectRevocation(server, newest.refresh_token)
  }
}

async function expectRevocation(server: TestServer, token: string): Promise<void> {
  const { status } = await post(server, '/revoke', { token, client_id: client.client_id })
  expect(status).toBe(200)
}

/** A replica may have read the grant just before the other changed it, and the clock stands still. */
async function expectCall(model: Model, pair: Pair, { origin }: TestServer): Promise<void> {
  const holds = !model.over && !pair.revoked && time < pair.exp
  const ask = async () => (await call({ resource: `${origin}/mcp` }, pair.access_token)).status
  if (holds) expect(await ask()).toBe(200)
  else await vi.waitFor(async () => expect(await ask()).toBe(401), { timeout: 1000, interval: 2 })
}

async function expectRefresh(model: Model, index: number, server: TestServer): Promise<void> {
  const pair = model.pairs[index]
  const successor = model.pairs[index + 1]
  const answer = await refresh(server, client, pair?.refresh_token ?? '')
  if (model.over || pair === undefined) return expect(answer.status).toBe(400)
  if (successor === undefined) {
    expect(answer.status).toBe(200)
    pair.used = time
    model.pairs.push(pairOf(answer))
  } else if (successor.used === undefined && time < (pair.used ?? 0) + WINDOW) {
    expect(answer.body['refresh_token']).toBe(successor.refresh_token)
    expect(answer.body['access_token']).toBe(successor.access_token)
  } else {
    expect(answer.status).toBe(400)
    model.over = true
  }
}

it('TK-37 MI-02 RV-11 two servers on one SQLite file answer random sequences as the model does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 4, maxLength: 16 }), async (sequence) => {
      const { tokens, authorized } = await signIn(servers[0], { client })
      const model: Model = { over: false, pairs: [pairOf({ body: { ...tokens } })] }
      for (const step of sequence) await takeStep(model, step, authorized)
      for (const at of [0, 1]) {
        for (const pair of model.pairs) await expectCall(model, pair, servers[at === 0 ? 0 : 1])
      }
    }),
    { numRuns: 200 },
  )
}, 60_000)

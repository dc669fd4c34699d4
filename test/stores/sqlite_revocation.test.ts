/**
 * Two server processes on one SQLite file: how long after one has answered a revocation the other still
 * lets the token pass, with its cache of grants and under load. The longest is printed.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { buildOnce } from '../support/build.ts'
import { call, register, signIn } from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'
import { UNLIMITED } from '../support/upstream_flow.ts'

const fresh = tempFiles('.db')
const ROUNDS = 10
/** Milliseconds that a revocation may take to reach every instance. */
const BOUND = 1000

it.each(['quiet', 'busy'])(
  'RV-11 GD-20 MI-02 what one process has revoked the other refuses within a second (%s file)',
  async (load) => {
    const build = await buildOnce()
    const file = fresh()
    const server = await startServer({
      store: sqlite(file),
      rateLimits: UNLIMITED,
      maxGrantsPerClient: 100,
    })
    const [key = ''] = server.keys
    const revoker = await startRevoker([build, file, server.issuer, key, load])
    const client = await register(server)
    const busy = startLoad(server, (await signIn(server, { client })).tokens.access_token)
    const delays: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const { tokens } = await signIn(server, { client })
      // The other's last revocation has broken the feed, which is opened again in the next second.
      if (load === 'quiet') await nextSecond()
      for (let warm = 0; warm < 3; warm += 1) {
        expect((await call(server, tokens.access_token)).status).toBe(200)
      }
      const form = new URLSearchParams({
        token: tokens.refresh_token,
        client_id: client.client_id,
      }).toString()
      const [lastPass, answered] = await Promise.all([
        callUntilRefused(server, tokens.access_token),
        revoker.revoke(form),
      ])
      expect(answered.status).toBe(200)
      delays.push(Math.max(0, lastPass - answered.at))
    }
    await busy.stop()
    await revoker.stop()
    await server.close()
    const worst = Math.max(...delays)
    process.stdout.write(
      `SQLite, ${load} file: ${ROUNDS} revocations, worst delay ${worst.toFixed(1)} ms\n`,
    )
    expect(worst).toBeLessThan(BOUND)
  },
  60_000,
)

const nextSecond = () => new Promise((resolve) => setTimeout(resolve, 1050 - (Date.now() % 1000)))

const now = (): number => performance.timeOrigin + performance.now()

/** When the last call that still passed began, in milliseconds since the epoch. */
async function callUntilRefused(server: TestServer, token: string): Promise<number> {
  for (let last = 0; ;) {
    const began = now()
    const { status } = await call(server, token)
    if (status === 401) return last
    expect(status).toBe(200)
    last = began
  }
}

function startLoad(server: TestServer, token: string): { stop(): Promise<void> } {
  let running = true
  async function lane(): Promise<void> {
    while (running) expect((await call(server, token)).status).toBe(200)
  }
  const lanes = [lane(), lane(), lane()]
  return {
    async stop() {
      running = false
      await Promise.all(lanes)
    },
  }
}

interface Revoker {
  revoke(form: string): Promise<{ readonly status: number; readonly at: number }>
  stop(): Promise<void>
}

async function startRevoker(values: readonly string[]): Promise<Revoker> {
  const script = new URL('revoker_process.mjs', import.meta.url).pathname
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [script, ...values])
  child.stderr.pipe(process.stderr)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  expect((await lines.next()).value).toBe('open')
  return {
    async revoke(form) {
      child.stdin.write(`${form}\n`)
      return JSON.parse(String((await lines.next()).value))
    },
    async stop() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

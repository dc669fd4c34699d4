/**
 * A change of keys that is broken off and turned back, under load: each value opens at every moment, and
 * the key that is left out in the end is one that nothing needs.
 */
import { expect, it } from 'vitest'
import { createKeyring, generateKey, type Keyring } from '../../src/crypto/keyring.ts'
import { open, seal } from '../../src/crypto/seal.ts'
import { countSeals } from '../../src/moving/reseal.ts'
import { change } from '../../src/stores/change.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { sampleConnection } from '../../src/testing/contract/samples.ts'
import { run, start } from '../cli/support.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')
const COUNT = 3_000

// On a machine that is busy the kill may come when all is done. Then it is tried on another file.
const KILL = { timeout: 60_000, retry: 3 }

async function fill(store: Store, keys: Keyring): Promise<void> {
  const ids = Array.from({ length: COUNT }, (_, index) => `c${index}`)
  const records = ids.map((id) =>
    sampleConnection({
      id,
      access_token: seal(keys, `at ${id} 0`, `connection/${id}/access_token`),
      refresh_token: seal(keys, `rt ${id}`, `connection/${id}/refresh_token`),
    }),
  )
  await Promise.all(records.map((record) => store.insert('connection', record)))
}

/** Servers at work: they open what they find and seal what they write with the keys of the moment. */
function startLoad(store: Store): {
  use(keys: Keyring): void
  stop(): Promise<{ readonly opened: number; readonly written: ReadonlyMap<string, number> }>
} {
  let ring: Keyring | undefined
  let [done, opened] = [false, 0]
  const written = new Map<string, number>()
  async function step(at: number): Promise<void> {
    const id = `c${(at * 7919) % COUNT}`
    const found = await store.find('connection', id)
    if (ring === undefined || found === undefined) return
    const keys = ring
    const next = (written.get(id) ?? 0) + 1
    await change(store, 'connection', found, (record) => {
      const place = `connection/${id}/access_token` as const
      expect(open(keys, record.access_token, place)).toBe(`at ${id} ${next - 1}`)
      expect(open(keys, record.refresh_token!, `connection/${id}/refresh_token`)).toBe(`rt ${id}`)
      return {
        outcome: 'written',
        next: { ...record, access_token: seal(keys, `at ${id} ${next}`, place) },
      }
    })
    written.set(id, next)
    opened += 1
  }
  const work = (async () => {
    for (let at = 0; !done; at += 1) {
      await step(at)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  return {
    use: (keys) => void (ring = keys),
    async stop() {
      done = true
      await work
      return { opened, written }
    },
  }
}

it(
  'ST-05 rotate under load, kill -9 in the middle, roll back, forward again: every value opens at all times',
  KILL,
  async () => {
    const [old, next] = [generateKey(), generateKey()]
    const file = fresh()
    const store = sqlite(file)
    const forward = [next, old]
    const back = [old, next]
    await fill(store, createKeyring([old]))
    const load = startLoad(store)
    const rotate = (keys: readonly string[]): ReturnType<typeof run> =>
      run(['keys', 'rotate'], { MCP_OAUTH_KEYS: keys.join(), MCP_OAUTH_STORE: `sqlite:${file}` })
    const kidOf = (key: string): string => createKeyring([key]).newest.kid

    load.use(createKeyring(forward))
    const killed = await start(['keys', 'rotate'], {
      MCP_OAUTH_KEYS: forward.join(),
      MCP_OAUTH_STORE: `sqlite:${file}`,
    })
    await killed.told('records looked at')
    killed.child.kill('SIGKILL')
    await killed.ended()
    expect(killed.child.signalCode).toBe('SIGKILL')
    const half = await countSeals(store, createKeyring(forward))
    expect(half.unopenable).toBe(0)
    // Both keys are needed now, so neither may be dropped.
    expect(half.byKid.get(kidOf(old))).toBeGreaterThan(0)
    expect(half.byKid.get(kidOf(next))).toBeGreaterThan(0)
    expect((await countSeals(store, createKeyring([old]))).unopenable).toBeGreaterThan(0)

    load.use(createKeyring(back))
    expect((await rotate(back)).status).toBe(0)
    load.use(createKeyring(forward))
    expect((await rotate(forward)).status).toBe(0)
    const { opened, written } = await load.stop()
    expect(opened).toBeGreaterThan(10)

    const end = await countSeals(store, createKeyring([next]))
    expect([end.unopenable, end.byKid]).toEqual([0, new Map([[kidOf(next), 2 * COUNT]])])
    // No write of the load was undone by the pass.
    for (const [id, count] of written) {
      const found = await store.find('connection', id)
      const place = `connection/${id}/access_token` as const
      expect(open(createKeyring([next]), found!.record.access_token, place)).toBe(
        `at ${id} ${count}`,
      )
    }
    await store.close()
  },
)

import { describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { open, seal } from '../../src/crypto/seal.ts'
import { copyStore, isEqualCopy } from '../../src/moving/copy.ts'
import { countSeals, reseal } from '../../src/moving/reseal.ts'
import { memory } from '../../src/stores/memory.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import { StoreUnavailable, type Store } from '../../src/stores/store.ts'
import {
  NOW,
  sampleConnection,
  sampleGrant,
  sampleRefresh,
  SAMPLES,
  sampleTicket,
} from '../../src/testing/contract/samples.ts'
import { run, start } from '../cli/support.ts'
import { call, refresh, signIn } from '../support/flow.ts'
import { startServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')

// On a machine that is busy the kill may come when all is done. Then it is tried on another file.
const KILL = { timeout: 90_000, retry: 3 }

async function fill(store: Store, key: string, count: number): Promise<void> {
  const keys = createKeyring([key])
  const ids = Array.from({ length: count }, (_, index) => `c${index}`)
  await Promise.all(
    ids.map((id) =>
      store.insert(
        'connection',
        sampleConnection({
          id,
          access_token: seal(keys, `at ${id}`, `connection/${id}/access_token`),
          refresh_token: seal(keys, `rt ${id}`, `connection/${id}/refresh_token`),
        }),
      ),
    ),
  )
}

describe('keys rotate', () => {
  it('ST-05 everything is sealed anew beside writers, nothing is lost, and a second run has nothing to do', async () => {
    const [old, next] = [generateKey(), generateKey()]
    const keys = createKeyring([next, old])
    const store = memory()
    await fill(store, old, 600)
    const upstreamSecrets = seal(createKeyring([old]), '{}', 'ticket/t/upstream')
    await store.insert('ticket', sampleTicket({ id: 't', upstreamSecrets }))
    let done = false
    const writers = (async () => {
      for (let round = 0; !done; round += 1) {
        const found = await store.find('connection', `c${round % 600}`)
        if (found !== undefined) {
          const record = { ...found.record, updatedAt: NOW + 1 }
          await store.replace('connection', record, found.version)
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    expect(await reseal(store, keys)).toBe(601)
    done = true
    await writers
    expect((await countSeals(store, keys)).byKid).toEqual(new Map([[keys.newest.kid, 1201]]))
    expect(await reseal(store, keys)).toBe(0)
    const alone = createKeyring([next])
    const found = await store.find('connection', 'c7')
    expect(open(alone, found!.record.access_token, 'connection/c7/access_token')).toBe('at c7')
    expect((await countSeals(store, alone)).unopenable).toBe(0)
  })

  it(
    'ST-05 kill -9 in the middle: every value opens, the next run finishes, and says until when the old key is needed',
    KILL,
    async () => {
      const [old, next] = [generateKey(), generateKey()]
      const file = fresh()
      const store = sqlite(file)
      await fill(store, old, 12_000)
      await store.insert('grant', SAMPLES.grant)
      const env = { MCP_OAUTH_KEYS: `${next},${old}`, MCP_OAUTH_STORE: `sqlite:${file}` }
      const killed = await start(['keys', 'rotate'], env)
      await killed.told('records looked at')
      killed.child.kill('SIGKILL')
      await killed.ended()
      expect(killed.child.signalCode).toBe('SIGKILL')
      const keys = createKeyring([next, old])
      const between = await countSeals(store, keys)
      expect(between.unopenable).toBe(0)
      expect(between.byKid.get(createKeyring([old]).newest.kid)).toBeGreaterThan(0)
      const check = await run(['keys', 'rotate', '--check'], env)
      expect(check.status).toBe(1)
      const again = await run(['keys', 'rotate'], env)
      expect([again.status, again.out]).toEqual([
        0,
        expect.stringContaining(`${keys.newest.kid}  24000 sealed (newest)`),
      ])
      expect(again.err).toContain('Keep the older keys until')
      for (const secret of [old, next]) expect(again.out + again.err).not.toContain(secret)
      expect((await countSeals(store, createKeyring([next]))).unopenable).toBe(0)
      await store.close()
    },
  )

  it('ST-06 the keys of another store are refused, and nothing is written', async () => {
    const file = fresh()
    const store = sqlite(file)
    await fill(store, generateKey(), 1)
    const env = { MCP_OAUTH_KEYS: generateKey(), MCP_OAUTH_STORE: `sqlite:${file}` }
    const { status, err } = await run(['keys', 'rotate'], env)
    expect([status, err]).toEqual([1, expect.stringContaining('are they of another one?')])
    expect((await store.find('connection', 'c0'))?.version).toBe(1)
    await store.close()
  })

  it('MI-03 the help tells the order: second everywhere, then first', async () => {
    const { out } = await run(['keys', 'rotate', '--help'])
    expect(out).toMatch(/1\. Put the new key second[\s\S]*2\. Put it first/)
  })
})

describe('store copy', () => {
  it('brings every kind, can be repeated, and the source wins', async () => {
    const [source, target] = [memory(), sqlite(fresh())]
    for (const kind of ['client', 'ticket', 'connection', 'grant', 'claim', 'event'] as const) {
      await source.insert(kind, SAMPLES[kind])
    }
    await source.insert('claim', { id: 'over', expiresAt: NOW, value: undefined })
    await target.insert('claim', { ...SAMPLES.claim, value: 'another' })
    for (let round = 0; round < 2; round += 1) {
      const kinds = await copyStore(source, target, NOW)
      expect(isEqualCopy(kinds)).toBe(true)
      expect(kinds.map(({ target: { count } }) => count)).toEqual([1, 1, 1, 1, 1, 1])
    }
    await target.insert('claim', { ...SAMPLES.claim, id: 'more' })
    expect(isEqualCopy(await copyStore(source, target, NOW))).toBe(false)
    await target.close()
    await expect(copyStore(source, target, NOW)).rejects.toThrow(StoreUnavailable)
  })

  it('what has ended, been rotated or refreshed at the target does not come back, and both differ', async () => {
    const ended = { ...SAMPLES.grant, endedAt: NOW, refresh: undefined, code: undefined }
    const rotated = sampleGrant({ refresh: sampleRefresh(2) })
    const refreshed = sampleConnection({ updatedAt: NOW + 1 })
    for (const [kind, record] of [
      ['grant', ended],
      ['grant', rotated],
      ['connection', refreshed],
    ] as const) {
      const [source, target] = [memory(), memory()]
      await source.insert(kind, SAMPLES[kind])
      await target.insert(kind, record)
      expect(isEqualCopy(await copyStore(source, target, NOW))).toBe(false)
      expect((await target.find(kind, record.id))?.record).toEqual(record)
      // The other way round, the source is the later one and wins.
      expect(isEqualCopy(await copyStore(target, source, NOW))).toBe(true)
      expect((await source.find(kind, record.id))?.record).toEqual(record)
    }
  })

  it('sessions go on at the target: signed in at one, refreshed and called at the other', async () => {
    const [from, to] = [fresh(), fresh()]
    const first = await startServer({ store: sqlite(from) })
    const { client, tokens } = await signIn(first)
    await first.close()
    const copied = await run(['store', 'copy', '--from', `sqlite:${from}`, '--to', `sqlite:${to}`])
    expect([copied.status, copied.out]).toEqual([0, expect.stringMatching(/grant {2}1 in .*equal/)])
    // The same resource, served from another port.
    const resources = [first.resource]
    const second = await startServer({ store: sqlite(to), keys: first.keys, resources })
    const at = { resource: `${second.origin}/mcp` }
    expect((await call(at, tokens.access_token)).status).toBe(200)
    const { status, body } = await refresh(second, client, tokens.refresh_token)
    expect(status).toBe(200)
    expect(body['refresh_token']).not.toBe(tokens.refresh_token)
    expect((await call(at, String(body['access_token']))).status).toBe(200)
    await second.close()
  })

  it.each([
    [['store'], 2, /two commands, copy and adopt-skill/],
    [['store', 'copy', '--from', 'memory'], 2, /name both/],
    [['store', 'copy', '--from', 'memory', '--to', 'memory'], 1, /the same one/],
    [['store', 'copy', '--from', 'sqlite:/nowhere.db', '--to', 'memory'], 1, /no file/],
  ] as const)('%j is refused', async (args, status, fault) => {
    const told = await run(args)
    expect([told.status, told.err]).toEqual([status, expect.stringMatching(fault)])
  })
})

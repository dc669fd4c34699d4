/** The feed of a SQLite file: what this store writes by id, and that others have written. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { sampleClaim, sampleGrant } from '../../src/testing/contract/samples.ts'
import { buildOnce } from '../support/build.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')

interface Heard {
  readonly heard: (string | undefined)[]
  stop(): Promise<void>
}

async function listen(store: Store): Promise<Heard> {
  const heard: (string | undefined)[] = []
  const stop = await store.watch?.((grantId) => void heard.push(grantId))
  if (stop === undefined) throw new Error('there is no feed')
  return { heard, stop }
}

describe('MI-01 RV-11 who watches a SQLite file', () => {
  it('hears of what this store did to a grant before the one who did it', async () => {
    const store = sqlite(fresh())
    const { heard, stop } = await listen(store)
    await store.insert('grant', sampleGrant())
    await store.insert('claim', sampleClaim())
    await store.take('claim', 'claim')
    expect(heard).toEqual([])
    await store.replace('grant', sampleGrant({ endedAt: 1 }), 1)
    expect(heard).toEqual(['grant'])
    await store.take('grant', 'grant')
    expect(heard).toEqual(['grant', 'grant'])
    await stop()
    await store.close()
  })

  it('hears that another connection has written, and nothing while nobody does', async () => {
    const file = fresh()
    const [store, other] = [sqlite(file), sqlite(file)]
    await other.insert('grant', sampleGrant())
    const { heard, stop } = await listen(store)
    for (let version = 1; version < 4; version += 1) {
      await other.replace('grant', sampleGrant({ endedAt: version }), version)
      await vi.waitFor(() => expect(heard).toContain(undefined), { interval: 5 })
      heard.length = 0
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(heard).toEqual([])
    await stop()
    await other.replace('grant', sampleGrant({ endedAt: 5 }), 4)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(heard).toEqual([])
    await Promise.all([store.close(), other.close()])
  })

  it('is one of many, and each stops for itself', async () => {
    const store = sqlite(fresh())
    await store.insert('grant', sampleGrant())
    const [one, two] = [await listen(store), await listen(store)]
    await one.stop()
    await one.stop()
    await store.replace('grant', sampleGrant(), 1)
    expect([one.heard, two.heard]).toEqual([[], ['grant']])
    await store.close()
    await expect(listen(store)).rejects.toMatchObject({ name: 'StoreUnavailable' })
  })

  it('is not kept alive by watching', async () => {
    const build = await buildOnce()
    const program = `
      const { sqlite } = await import(${JSON.stringify(`${build}/sqlite.js`)})
      await sqlite(${JSON.stringify(fresh())}).watch(() => undefined)
      console.log('watching')
    `
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { timeout: 20_000 },
    )
    expect(stdout).toContain('watching')
  }, 60_000)
})

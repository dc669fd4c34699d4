/**
 * A power cut, as far as a test can have one: what stands in the files at a moment is what is left.
 *
 * A child writes without pause; db and log are copied while it does, and each copy must open whole.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, statSync, truncateSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { openDatabase } from '../../src/stores/sqlite_database.ts'
import { configure } from '../../src/stores/sqlite_schema.ts'
import { sampleClaim } from '../../src/testing/contract/samples.ts'
import { buildOnce } from '../support/build.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')
const COPIES = 12
const CUTS = 40
const COUNT = 60

/** Writes claims one after the other until it is ended; `answered` tells how many were so far. */
async function startWriter(
  file: string,
): Promise<{ answered(): number; kill(): Promise<unknown> }> {
  const script = new URL('power_process.mjs', import.meta.url).pathname
  const child = spawn(process.execPath, [script, await buildOnce(), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(child.stdout, 'data')
  return {
    answered: () => text.split('\n').length - 1,
    async kill() {
      child.kill('SIGKILL')
      return once(child, 'close')
    },
  }
}

/** Opens the file whole: how many claims it holds, which must be the first ones without a hole. */
async function held(file: string): Promise<number> {
  const database = openDatabase(file)
  expect(database.prepare('PRAGMA integrity_check').get()).toMatchObject({ integrity_check: 'ok' })
  const { n } = database.prepare('SELECT count(*) AS n FROM mcp_oauth_records').get() as {
    readonly n: number
  }
  database.close()
  const store = sqlite(file, { durability: 'power' })
  if (n > 0) expect(await store.find('claim', `c${n - 1}`)).toBeDefined()
  expect(await store.find('claim', `c${n}`)).toBeUndefined()
  // And it is worked with as if nothing had been.
  expect(await store.insert('claim', sampleClaim({ id: 'after' }))).toBe(true)
  await store.close()
  return n
}

it(`ST-10 ${COPIES} copies of file and log at random moments open whole, with every write answered before`, async () => {
  const file = fresh()
  const writer = await startWriter(file)
  const copies: { readonly copy: string; readonly answered: number }[] = []
  for (let at = 0; at < COPIES; at += 1) {
    await sleep(Math.random() * 60)
    const [copy, answered] = [fresh(), writer.answered()]
    // No checkpoint is under way: the child never lets one begin. So the file stands still, the log grows.
    copyFileSync(file, copy)
    copyFileSync(`${file}-wal`, `${copy}-wal`)
    copies.push({ copy, answered })
  }
  await writer.kill()
  for (const { copy, answered } of copies) {
    expect(await held(copy)).toBeGreaterThanOrEqual(answered)
  }
  expect(copies.at(-1)?.answered).toBeGreaterThan(0)
})

it(`ST-10 a log cut at ${CUTS} random places opens whole and has lost only its tail`, async () => {
  const file = fresh()
  const store = sqlite(file, { durability: 'power' })
  const sizes = [statSync(`${file}-wal`).size]
  for (let at = 0; at < COUNT; at += 1) {
    await store.insert('claim', sampleClaim({ id: `c${at}` }))
    sizes.push(statSync(`${file}-wal`).size)
  }
  for (let cut = 0; cut < CUTS; cut += 1) {
    const copy = fresh()
    copyFileSync(file, copy)
    copyFileSync(`${file}-wal`, `${copy}-wal`)
    const first = sizes[0] ?? 0
    const length = first + Math.floor(Math.random() * ((sizes.at(-1) ?? 0) - first))
    truncateSync(`${copy}-wal`, length)
    // Each write that stands in what is left is there, and none of those behind it.
    expect(await held(copy)).toBe(sizes.filter((size) => size <= length).length - 1)
  }
  await store.close()
})

it.each([
  ['power', 2],
  ['process', 1],
] as const)('ST-10 durability %s sets synchronous to %i', (durability, synchronous) => {
  const database = openDatabase(fresh())
  configure(database, durability)
  expect(database.prepare('PRAGMA synchronous').get()).toMatchObject({ synchronous })
  database.close()
})

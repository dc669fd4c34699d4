import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { openDatabase } from '../../src/stores/sqlite_database.ts'
import type { Store } from '../../src/stores/store.ts'
import { buildOnce } from '../support/build.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')
const ROUNDS = 20

/** What a writer was told before it was killed. */
interface Told {
  readonly inserted: ReadonlySet<string>
  readonly taken: ReadonlySet<string>
  readonly rotated: number
}

it(`ST-08 ${ROUNDS} kills at random moments: every answered write is there, nothing taken comes back`, async () => {
  const build = await buildOnce()
  const file = fresh()
  let answered = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const told = await writeUntilKilled(build, file, `${round}`)
    answered += told.inserted.size + told.taken.size + told.rotated
    await checkFile(file, `${round}`, told)
  }
  expect(answered).toBeGreaterThan(ROUNDS * 10)
}, 120_000)

async function writeUntilKilled(build: string, file: string, run: string): Promise<Told> {
  const script = new URL('writer_process.mjs', import.meta.url).pathname
  const child = spawn(process.execPath, [script, build, file, run], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = collectLines(child)
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  await sleep(Math.random() * 200)
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(child.signalCode).toBe('SIGKILL')
  return readTold(lines.join(''))
}

function collectLines(child: ChildProcess): string[] {
  const chunks: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk))
  return chunks
}

function readTold(output: string): Told {
  // A line without its end was cut off by the kill.
  const lines = output.split('\n').slice(0, -1)
  const of = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))
  return {
    inserted: new Set(of('inserted')),
    taken: new Set(of('taken')),
    rotated: Math.max(0, ...of('rotated').map(Number)),
  }
}

async function checkFile(file: string, run: string, told: Told): Promise<void> {
  const store = sqlite(file)
  for (const id of told.inserted) {
    const found = await store.find('claim', id)
    if (told.taken.has(id)) expect(found, `${id} was taken`).toBeUndefined()
    // One that its writer was about to take may be gone: the kill came before the answer.
    else if (Number(id.split('-')[2]) % 3 !== 0) expect(found, `${id} is lost`).toBeDefined()
  }
  await checkGrant(store, `grant-${run}`, told.rotated)
  await store.close()
  expect(openDatabase(file).prepare('PRAGMA integrity_check').get()).toMatchObject({
    integrity_check: 'ok',
  })
}

async function checkGrant(store: Store, id: string, rotated: number): Promise<void> {
  if (rotated === 0) return
  const found = await store.find('grant', id)
  expect(found?.version).toBeGreaterThanOrEqual(rotated)
  expect(found?.version).toBeLessThanOrEqual(rotated + 1)
  // Record, version and index entry are of one and the same write.
  expect(found?.record.refresh?.generation).toBe(found?.version)
  const subject = found?.record.subject ?? ''
  const { rows } = await store.list('grant', 'subject', subject, { limit: 1000 })
  expect(rows.map(({ record }) => record.id)).toContain(id)
}

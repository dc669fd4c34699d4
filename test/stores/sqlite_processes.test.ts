import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { sampleGrant, sampleRefresh, sampleTicket } from '../../src/testing/contract/samples.ts'
import { buildOnce } from '../support/build.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')
const PROCESSES = 3
const TICKETS = 200
const COUNTS = 40

it('MI-01 three processes take 200 tickets from one file: each exactly once, and no count is lost', async () => {
  const build = await buildOnce()
  const file = fresh()
  // All three open a file that is not there yet.
  const takers = Array.from({ length: PROCESSES }, () => startTaker(build, file))
  for (const taker of takers) expect(await taker.nextLine()).toBe('open')

  const store = sqlite(file)
  const ids = Array.from({ length: TICKETS }, (_, at) => `ticket-${at}`)
  await Promise.all(ids.map((id) => store.insert('ticket', sampleTicket({ id }))))
  await store.insert('grant', sampleGrant({ id: 'counter', refresh: sampleRefresh(0) }))

  for (const { child } of takers) child.stdin.write('go\n')
  const taken: unknown[] = []
  for (const taker of takers) taken.push(...(JSON.parse(await taker.nextLine()) as unknown[]))
  for (const { child } of takers) if (child.exitCode === null) await once(child, 'exit')

  expect(taken.toSorted()).toEqual(ids.toSorted())
  const counter = await store.find('grant', 'counter')
  expect(counter?.record.refresh?.generation).toBe(PROCESSES * COUNTS)
  expect(counter?.version).toBe(PROCESSES * COUNTS + 1)
  await store.close()
}, 60_000)

interface Taker {
  readonly child: ChildProcessWithoutNullStreams
  nextLine(): Promise<string>
}

function startTaker(build: string, file: string): Taker {
  const script = new URL('taker_process.mjs', import.meta.url).pathname
  const child = spawn(process.execPath, [script, build, file, `${TICKETS}`, `${COUNTS}`])
  child.stderr.pipe(process.stderr)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return { child, nextLine: async () => String((await lines.next()).value) }
}

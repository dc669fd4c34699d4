/**
 * A guard against decay: what one refresh and one guarded call allocate and ask of the store, beside what
 * `bench/allocations.json` records. The figures are those of the objects that the code makes, unoptimised:
 * they hold on every machine, and within a tenth on every Node.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildOnce } from '../support/build.ts'

const BENCH = resolve(import.meta.dirname, '../../bench')
/** Of the bytes recorded. Node 20 and 26 differ by less than half of this. */
const BOUND = 1.2

interface Figures {
  readonly [request: string]: {
    readonly bytes: number
    readonly store: { readonly [verb: string]: number }
  }
}

const recorded = JSON.parse(readFileSync(join(BENCH, 'allocations.json'), 'utf8')) as Figures
let counted: Figures = {}

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(BENCH, 'allocations.js')], {
    env: { ...process.env, BENCH_DIST: await buildOnce(), NODE_OPTIONS: '' },
  })
  counted = JSON.parse(stdout) as Figures
})

describe.each(Object.keys(recorded))('one %s', (request) => {
  test('allocates no more than it did', () => {
    const [is, was] = [counted[request]?.bytes ?? Infinity, recorded[request]?.bytes ?? 0]
    expect(is / was).toBeLessThan(BOUND)
  })

  test('asks no more of the store than it did', () => {
    expect(counted[request]?.store).toEqual(recorded[request]?.store)
  })
})

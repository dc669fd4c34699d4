/** A row of `npm run faults`, run as it is there. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { expect } from 'vitest'

const SCRIPT = resolve(import.meta.dirname, '../../scripts/faults.js')

/** Runs one fault on one engine; every promise must hold. Gives what was counted, by its name. */
export async function runFault(
  fault: string,
  engine: string,
  rounds: number,
): Promise<ReadonlyMap<string, number>> {
  const args = [SCRIPT, '--only', fault, '--engine', engine, '--rounds', String(rounds)]
  const { status, out, err } = await new Promise<{ status: unknown; out: string; err: string }>(
    (done) =>
      execFile(process.execPath, args, (error, out, err) =>
        done({ status: error === null ? 0 : error.code, out, err }),
      ),
  )
  const broken = out.split('\n').filter((line) => line.startsWith('  ✗'))
  expect(broken, err).toEqual([])
  expect(status, err).toBe(0)
  return new Map(
    [...out.matchAll(/(\d+) ([a-z][a-z -]*?)(?=,| \|)/g)].map(([, count, what = '']) => [
      what,
      Number(count),
    ]),
  )
}

/**
 * Where the built package is: what the runner built or was told of, else the last build. It has a file for
 * each source, as sign-ins are made with inner parts of the package.
 */
import { resolve } from 'node:path'

export const DIST = process.env.BENCH_DIST ?? (await lastBuild())

async function lastBuild() {
  const { ROOT, TREE } = await import('../../scripts/set_up.js')
  return resolve(ROOT, TREE)
}

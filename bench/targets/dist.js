/** Where the built package is: what the runner built or was told of, else `dist/`. */
import { resolve } from 'node:path'

export const DIST = process.env.BENCH_DIST ?? resolve(import.meta.dirname, '../../dist')

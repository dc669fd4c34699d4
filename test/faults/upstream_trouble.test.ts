/** Upstreams in trouble: what they do is the same on every engine, and `npm run faults` tries them all. */
import { expect, it } from 'vitest'
import { runFault } from './support.ts'

it('CB-10 CB-21 the upstream answers late, nonsense or not at all: nobody is signed out by it', async () => {
  const counted = await runFault('upstream trouble', 'SQLite', 20)
  expect(counted.get('troubles')).toBe(19)
  expect(counted.get('refusals')).toBe(2)
}, 120_000)

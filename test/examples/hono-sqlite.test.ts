/** The example of Hono and SQLite, as somebody copies it. */
import { expect, it } from 'vitest'
import { describeNotes, describeRestart, useExample } from './example.ts'

const example = useExample('hono-sqlite', async () => ({}))

it('type-checks by itself', async () => {
  expect(await example.project.run('npx', ['tsc', '--noEmit'])).toBe('')
})

describeRestart(example, describeNotes(example))

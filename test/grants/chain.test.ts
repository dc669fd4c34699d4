/** A grant that is refreshed for ever stays as small as it was. */
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/server/config/context.ts'
import { createTestContext } from '../support/context.ts'
import { begin, grantOf, refresh, SUBJECT, tokenOf } from './support.ts'

async function sizeOf(
  context: Context,
  answer: Awaited<ReturnType<typeof begin>>,
): Promise<number> {
  return JSON.stringify(await grantOf(context, answer)).length
}

describe('RF-19 growth', () => {
  it('RF-19 10,000 rotations leave one record, not longer than after the first', async () => {
    const { context, advance, events } = createTestContext()
    let answer = await refresh(context, (await begin(context)).refresh_token)
    const size = await sizeOf(context, answer)
    const seen = new Set<string>()
    let longest = 0
    for (let step = 0; step < 10_000; step += 1) {
      if (step % 100 === 0) advance(600)
      answer = await refresh(context, answer.refresh_token)
      seen.add(tokenOf(answer))
      longest = Math.max(longest, answer.access_token.length + tokenOf(answer).length)
      if (step % 1000 === 0) expect(await sizeOf(context, answer)).toBeLessThan(size + 10)
    }
    expect(seen.size).toBe(10_000)
    expect(await sizeOf(context, answer)).toBeLessThan(size + 10)
    expect(size).toBeLessThan(1300)
    expect(longest).toBeLessThan(600)
    const { rows } = await context.store.list('grant', 'subject', SUBJECT, { limit: 10 })
    expect(rows.length).toBe(1)
    expect(rows[0]?.record.refresh?.generation).toBe(10_002)
    expect(events.length).toBe(10_002)
  }, 60_000)
})

import { describe, expect, it } from 'vitest'
import { createEvents } from '../../src/server/config/events.ts'

describe('the stream of events', () => {
  it('gives each event with its time to everybody, whoever fails', () => {
    const seen: unknown[] = []
    const { emit } = createEvents(
      [
        () => {
          throw new Error('the log is full')
        },
        (event) => void seen.push(event),
      ],
      () => 1000,
    )
    emit({ type: 'danger', reason: 'a test' })
    expect(seen).toEqual([{ type: 'danger', reason: 'a test', at: 1000 }])
  })

  it('DS-15 a subscriber that fails later does not end the process', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      const { emit } = createEvents(
        [
          async () => {
            throw new Error('the audit log does not answer')
          },
        ],
        () => 1000,
      )
      emit({ type: 'danger' })
      // Node tells of rejections when a turn is over.
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => setImmediate(resolve))
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', note)
    }
  })
})

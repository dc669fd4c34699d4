import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { dropDeadline, setDeadline } from '../../src/adapters/deadline.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('DS-01 a deadline', () => {
  it('comes within the second behind its time, never early, and once', () => {
    const missed: string[] = []
    setDeadline(1, () => missed.push('first'))
    vi.advanceTimersByTime(700)
    setDeadline(1, () => missed.push('second'))
    vi.advanceTimersByTime(1200)
    expect(missed).toEqual([])
    vi.advanceTimersByTime(100)
    expect(missed).toEqual(['first', 'second'])
    vi.advanceTimersByTime(5000)
    expect(missed).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('that is dropped never comes, and leaves no timer', () => {
    let missed = 0
    dropDeadline(setDeadline(0, () => (missed += 1)))
    vi.advanceTimersByTime(5000)
    expect([missed, vi.getTimerCount()]).toEqual([0, 0])
  })
})

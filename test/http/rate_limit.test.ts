import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRateLimiter, type RateVerdict } from '../../src/http/rate_limit.ts'

/** The moments at which one key passed. */
function passes(times: readonly number[], perMinute: number): readonly number[] {
  const limiter = createRateLimiter()
  return times.filter((time) => limiter.take('a', perMinute, time).pass)
}

function waitOf(verdict: RateVerdict): number {
  return verdict.pass ? 0 : verdict.retryAfter
}

const limits = fc.integer({ min: 1, max: 12 })
const gaps = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 40, noNaN: true })), {
  minLength: 20,
  maxLength: 120,
})

describe('the rate limit', () => {
  it('lets a minute’s worth through at once, and not one more', () => {
    const times = Array.from({ length: 500 }, () => 1000)
    expect(passes(times, 120)).toHaveLength(120)
  })

  it('never lets more than the limit through in any sixty seconds', () => {
    fc.assert(
      fc.property(gaps, limits, (steps, perMinute) => {
        let now = 1000
        const passed = passes(
          steps.map((step) => (now += step)),
          perMinute,
        )
        passed.forEach((start, index) => {
          const within = passed.slice(index).filter((time) => time - start <= 60)
          expect(within.length).toBeLessThanOrEqual(perMinute)
        })
      }),
      { numRuns: 300 },
    )
  })

  it('refuses nobody who has had less than the limit in the last minute', () => {
    fc.assert(
      fc.property(gaps, limits, (steps, perMinute) => {
        const limiter = createRateLimiter()
        const passed: number[] = []
        let now = 1000
        for (const step of steps) {
          now += step
          const recent = passed.filter((time) => now - time < 61).length
          const { pass } = limiter.take('a', perMinute, now)
          if (recent < perMinute) expect(pass).toBe(true)
          if (pass) passed.push(now)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('RFC 9110 §10.2.3: who comes back after retryAfter passes, and one second earlier does not', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 8 }), (steps) => {
        const limiter = createRateLimiter()
        let now = 1000
        for (const step of steps) {
          now += step
          const wait = waitOf(limiter.take('a', 3, now))
          if (wait === 0) continue
          expect(wait).toBeLessThanOrEqual(61)
          expect(limiter.take('a', 3, now + wait - 1).pass).toBe(false)
          expect(limiter.take('a', 3, now + wait).pass).toBe(true)
          now += wait
        }
      }),
    )
  })

  it('counts each key for itself, and 0 is no limit', () => {
    const limiter = createRateLimiter()
    expect(limiter.take('a', 1, 0).pass).toBe(true)
    expect(limiter.take('b', 1, 0).pass).toBe(true)
    expect(limiter.take('a', 1, 0).pass).toBe(false)
    for (let turn = 0; turn < 1000; turn += 1) expect(limiter.take('a', 0, 0).pass).toBe(true)
    expect(limiter.take('__proto__', 1, 0).pass).toBe(true)
    expect(limiter.take('__proto__', 1, 0).pass).toBe(false)
  })

  it('a clock that is set back by hours locks nobody out, by a second lets nobody through', () => {
    const limiter = createRateLimiter()
    expect(limiter.take('a', 1, 100_000).pass).toBe(true)
    expect(limiter.take('a', 1, 99_999).pass).toBe(false)
    expect(limiter.take('a', 1, 90_000).pass).toBe(true)
    expect(limiter.take('a', 1, 90_000).pass).toBe(false)
  })

  it('remembers so many keys, the ones that were heard of last', () => {
    const limiter = createRateLimiter(100)
    for (let turn = 0; turn < 1000; turn += 1) {
      limiter.take('busy', 1, 0)
      limiter.take(`key ${turn}`, 1, 0)
    }
    expect(limiter.take('busy', 1, 0).pass).toBe(false)
    expect(limiter.take('key 999', 1, 0).pass).toBe(false)
    expect(limiter.take('key 0', 1, 0).pass).toBe(true)
  })

  it('a storm of keys costs no more than a table', () => {
    const limiter = createRateLimiter()
    for (let turn = 0; turn < 300_000; turn += 1) limiter.take(`${turn}`, 10, turn / 10_000)
    expect(limiter.take('0', 1, 30).pass).toBe(true)
  })
})

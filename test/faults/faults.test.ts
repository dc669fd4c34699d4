/** The faults of `npm run faults` that are over in seconds. */
import { describe, expect, it } from 'vitest'
import { runFault } from './support.ts'

const ROUNDS = 20
/** Of those whose single round takes long. */
const FEW = 5

describe.each(['SQLite', 'PostgreSQL', 'Redis'])('on %s', (engine) => {
  it('MI-01 two processes: one code, one refresh token and one revocation, at both at once', async () => {
    const counted = await runFault('race', engine, ROUNDS)
    expect(counted.get('codes')).toBe(ROUNDS)
  }, 60_000)

  it('CB-20 twenty calls at two processes need the upstream, which is asked once', async () => {
    const counted = await runFault('upstream race', engine, ROUNDS)
    expect(counted.get('refreshes')).toBe(5)
  }, 60_000)

  it('CB-10 CB-21 the upstream is down: tools are told for the moment, nobody is signed out', async () => {
    const counted = await runFault('upstream down', engine, ROUNDS)
    expect(counted.get('outages')).toBe(3)
  }, 60_000)

  it('MI-07 who refreshes is killed, or sleeps longer than its lease: another takes over, the late one writes nothing', async () => {
    const counted = await runFault('lease holder', engine, ROUNDS)
    expect(counted.get('killed')).toBe(2)
    expect(counted.get('slept')).toBe(5)
  }, 60_000)

  it('a revocation at one process is known to the guard of the other, under load, within the second', async () => {
    const counted = await runFault('revocation delay', engine, FEW)
    expect(counted.get('revocations')).toBe(FEW)
    expect(counted.get('calls beside')).toBeGreaterThan(FEW)
  }, 120_000)

  it('ST-18 two processes whose clocks are 30 seconds apart sign nobody out', async () => {
    const counted = await runFault('clocks', engine, ROUNDS)
    expect(counted.get('sign-ins')).toBe(20)
  }, 60_000)

  it('an answer that was cut off is given again, the very same', async () => {
    const counted = await runFault('cut answer', engine, ROUNDS)
    expect(counted.get('answers cut')).toBe(ROUNDS)
  }, 60_000)

  it('ST-01 a stolen store holds no secret of a whole flow, and nothing in it opens a door', async () => {
    const counted = await runFault('stolen store', engine, ROUNDS)
    expect(counted.get('secrets sought')).toBeGreaterThan(20)
    expect(counted.get('texts presented')).toBeGreaterThan(20)
  }, 60_000)
})

describe.each(['PostgreSQL', 'Redis', 'Upstash'])('on %s', (engine) => {
  it('ST-12 cut off, frozen, late, slow and restarted: 503 in time, nobody signed out, well again by itself', async () => {
    const counted = await runFault('outage', engine, ROUNDS)
    expect(counted.get('outages')).toBe(5)
  }, 120_000)
})

describe('on Redis Cluster', () => {
  it('MI-01 two processes: one code, one refresh token and one revocation, at both at once', async () => {
    const counted = await runFault('race', 'Redis Cluster', FEW)
    expect(counted.get('codes')).toBe(FEW)
  }, 60_000)

  it('ST-13 a primary is killed and its replica takes over: 503 meanwhile, nobody signed out', async () => {
    const counted = await runFault('failover', 'Redis Cluster', 1)
    expect(counted.get('failovers')).toBe(1)
    expect(counted.get('answers')).toBeGreaterThan(0)
  }, 120_000)
})

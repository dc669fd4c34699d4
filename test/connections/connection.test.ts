/**
 * The transitions of a connection, driven through every order of events beside a model of the upstream.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Sealed } from '../../src/crypto/seal.ts'
import {
  die,
  LEASE,
  letGo,
  release,
  renew,
  takeLease,
  withTokens,
  type SealedTokens,
} from '../../src/server/connections/connection.ts'
import type { ConnectionRecord } from '../../src/stores/records.ts'

const sealed = (text: string): Sealed => text as Sealed
const START = 1_800_000_000

function connection(more: Partial<ConnectionRecord> = {}): ConnectionRecord {
  return {
    id: 'c',
    expiresAt: undefined,
    subject: 's',
    upstream: 'u',
    token_endpoint: 'https://id.example/token',
    access_token: sealed('access 0'),
    refresh_token: sealed('refresh 0'),
    scope: undefined,
    accessExpiresAt: START + 100,
    deadAt: undefined,
    lease: undefined,
    updatedAt: START,
    ...more,
  }
}

function tokens(count: number, more: Partial<SealedTokens> = {}): SealedTokens {
  return {
    access_token: sealed(`access ${count}`),
    refresh_token: sealed(`refresh ${count}`),
    scope: undefined,
    accessExpiresAt: START + 100,
    ...more,
  }
}

describe('a lease', () => {
  it('is given when the token is about to end, and to one alone', () => {
    expect(takeLease(connection(), 'a', START + 39).outcome).toBe('fresh')
    const lease = takeLease(connection(), 'a', START + 40)
    expect(lease.outcome).toBe('leased')
    if (lease.outcome !== 'leased') return
    expect(takeLease(lease.next, 'b', START + 41).outcome).toBe('busy')
    expect(takeLease(lease.next, 'b', START + 40 + LEASE + 30).outcome).toBe('leased')
  })

  it('MI clocks 30 seconds apart: nobody takes it while a request to the upstream may be under way', () => {
    const lease = takeLease(connection(), 'a', START + 200)
    if (lease.outcome !== 'leased') throw new Error(lease.outcome)
    for (let passed = 0; passed < LEASE; passed += 1) {
      expect(takeLease(lease.next, 'b', START + 200 + passed + 30).outcome).toBe('busy')
    }
  })

  it('is needed for whatever its holder writes', () => {
    const held = connection({ lease: { holder: 'a', until: START + 50 } })
    expect(renew(held, 'b', tokens(1), START).outcome).toBe('lost')
    expect(release(held, 'b').outcome).toBe('lost')
    expect(renew(held, 'a', tokens(1), START).outcome).toBe('written')
    expect(release(connection(), 'a').outcome).toBe('lost')
  })

  it('is not given where there is nothing to refresh with, or on a dead connection', () => {
    const { refresh_token: _gone, ...bare } = connection()
    const without = { ...bare, refresh_token: undefined }
    expect(takeLease(without, 'a', START + 99).outcome).toBe('fresh')
    expect(takeLease(without, 'a', START + 100).outcome).toBe('exhausted')
    expect(takeLease(connection({ deadAt: START }), 'a', START).outcome).toBe('dead')
  })
})

describe('new tokens', () => {
  it('keep the refresh token of before where none came, unless it was refused', () => {
    const bare = tokens(1, { refresh_token: undefined })
    expect(withTokens(connection(), bare, START).refresh_token).toBe('refresh 0')
    expect(withTokens(connection({ deadAt: START }), bare, START).refresh_token).toBeUndefined()
    expect(withTokens(connection(), tokens(1), START).refresh_token).toBe('refresh 1')
  })

  it('bring a dead connection to life', () => {
    const dead = connection({ deadAt: START, lease: { holder: 'a', until: START } })
    expect(withTokens(dead, tokens(1), START)).toMatchObject({
      deadAt: undefined,
      lease: undefined,
    })
  })

  it('that came since keep it from dying of the old ones', () => {
    const old = connection()
    expect(die(withTokens(old, tokens(1), START), old, START).outcome).toBe('lost')
    expect(die(old, old, START)).toMatchObject({ outcome: 'written', next: { deadAt: START } })
  })

  it('of a connection that was let go are gone', () => {
    const over = letGo(connection(), sealed(''), START)
    expect(JSON.stringify(over)).not.toMatch(/access 0|refresh 0/)
    expect(takeLease(over, 'a', START).outcome).toBe('dead')
  })
})

describe('every order of events', () => {
  /** An upstream that rotates strictly: a refresh token that is used twice ends the family. */
  interface Model {
    stored: ConnectionRecord
    issued: number
    used: Set<string>
    reused: boolean
    now: number
    /** What each caller has on its way: its lease, and since when. */
    flights: Map<string, { token: string; seen: ConnectionRecord; since: number }>
  }

  type Step =
    { kind: 'ask' | 'answer' | 'fail' | 'signIn'; who: string } | { kind: 'wait'; seconds: number }

  const caller = fc.constantFrom('a', 'b', 'c')
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('ask', 'answer'),
        who: caller,
      }) as fc.Arbitrary<Step>,
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('fail', 'signIn'),
        who: caller,
      }) as fc.Arbitrary<Step>,
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('wait'),
        seconds: fc.integer({ min: 1, max: 60 }),
      }) as fc.Arbitrary<Step>,
    },
  )

  function ask(model: Model, who: string): void {
    if (model.flights.has(who)) return
    // Each caller's clock is off by as much as the design allows between two instances.
    const skew = { a: 0, b: 15, c: 30 }[who] ?? 0
    const lease = takeLease(model.stored, who, model.now + skew)
    if (lease.outcome !== 'leased') return
    model.stored = lease.next
    const token = String(model.stored.refresh_token)
    if (model.used.has(token)) model.reused = true
    model.used.add(token)
    model.flights.set(who, { token, seen: lease.next, since: model.now })
  }

  function answer(model: Model, who: string): void {
    if (!model.flights.delete(who)) return
    model.issued += 1
    const fresh = tokens(model.issued, { accessExpiresAt: model.now + 100 })
    const held = renew(model.stored, who, fresh, model.now)
    if (held.outcome === 'written') model.stored = held.next
  }

  function run(model: Model, one: Step): void {
    if (one.kind === 'wait') {
      model.now += one.seconds
      // No request takes longer than a lease: whoever is still on the way has failed by now.
      for (const [who, { since }] of model.flights) {
        if (model.now - since >= LEASE) answer(model, who)
      }
    } else if (one.kind === 'ask') ask(model, one.who)
    else if (one.kind === 'answer') answer(model, one.who)
    else if (one.kind === 'signIn') {
      model.issued += 1
      model.stored = withTokens(
        model.stored,
        tokens(model.issued, { accessExpiresAt: model.now + 100 }),
        model.now,
      )
    } else {
      const flight = model.flights.get(one.who)
      if (flight === undefined) return
      model.flights.delete(one.who)
      // The request never reached the upstream.
      model.used.delete(flight.token)
      const held = release(model.stored, one.who)
      if (held.outcome === 'written') model.stored = held.next
    }
  }

  it('CB-20 no refresh token is ever used twice, whatever the clocks of three instances say', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model: Model = {
          stored: connection(),
          issued: 0,
          used: new Set(),
          reused: false,
          now: START,
          flights: new Map(),
        }
        for (const one of steps) run(model, one)
        expect(model.reused).toBe(false)
        expect(model.stored.deadAt).toBeUndefined()
      }),
      { numRuns: 3000 },
    )
  })
})

/** Records as bytes: whatever JSON would keep of a record comes back, and damage is told. */
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { indexEntries, type Kind, KINDS, type Records } from '../../src/stores/records.ts'
import { pack, unpack, type Words } from '../../src/stores/sqlite_packing.ts'
import { SHAPES } from '../../src/stores/sqlite_shapes.ts'
import {
  plain,
  sampleClaim,
  sampleEvent,
  sampleGrant,
  SAMPLES,
} from '../../src/testing/contract/samples.ts'
import { TEXTS } from '../../src/testing/contract/texts.ts'

function someWords(): Words {
  const texts: string[] = []
  return {
    numberOf: (text) => (texts.includes(text) ? texts.indexOf(text) : texts.push(text) - 1),
    textOf: (number) => texts[number]!,
  }
}

const noWords: Words = {
  numberOf: () => undefined,
  textOf() {
    throw new Error('no word was given out')
  },
}

function throughBytes<K extends Kind>(
  kind: K,
  record: Records[K],
  words = someWords(),
): Records[K] {
  const { bytes } = pack(kind, record, words, true)
  return unpack(kind, new Uint8Array(bytes), words, record.id)
}

/** As a later release may have written it, or nobody. */
function odd(detail: unknown): Records['event'] {
  return sampleEvent({ detail: detail as Records['event']['detail'] })
}

const VALUES: readonly unknown[] = [
  ...[0, -0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1, 2 ** 48, 2 ** 53, -1, 1.5],
  ...[1e300, Number.NaN, Number.POSITIVE_INFINITY],
  ...[undefined, null, true, false, '', [], {}, [[]], [undefined, null, 'a'], { a: { b: [1] } }],
  ...[new Date(0), () => 1, Symbol('s'), Object.create(null), new Map([[1, 2]])],
  ...['half \ud800', '\udc00', 'é', 'x'.repeat(100_000), 'é'.repeat(5000)],
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}'),
  Array.from({ length: 3000 }, (_, at) => `${at}`),
  ...TEXTS,
]

describe('what comes back', () => {
  it.each(KINDS)('a %s with every member, and with none that may be absent', (kind) => {
    for (const words of [someWords(), noWords]) {
      expect(throughBytes(kind, SAMPLES[kind], words)).toEqual(plain(SAMPLES[kind]))
      const { id, expiresAt } = SAMPLES[kind]
      const bare = { id, expiresAt } as Records[typeof kind]
      expect(throughBytes(kind, bare, words)).toEqual(bare)
    }
  })

  it('ST-21 any value at any member, of the record and of what is in it', () => {
    for (const value of VALUES) {
      for (const name of SHAPES.grant.names.filter((each) => each !== 'expiresAt')) {
        const record = { ...sampleGrant(), [name]: value } as Records['grant']
        expect(throughBytes('grant', record)).toEqual(plain(record))
      }
      for (const name of ['jti', 'previous', 'generation']) {
        const record = sampleGrant({ refresh: { ...sampleGrant().refresh!, [name]: value } })
        expect(throughBytes('grant', record)).toEqual(plain(record))
      }
      expect(throughBytes('event', odd(value))).toEqual(plain(odd(value)))
    }
  })

  it('ST-21 members that nobody has foreseen, under any name, in the record and in what is in it', () => {
    for (const name of [...TEXTS, 'later', '__proto__', 'id2']) {
      const more = JSON.parse(`{${JSON.stringify(name)}: {"by": ["a later release"]}}`) as object
      const { user } = sampleGrant()
      const record = { ...sampleGrant({ user: { ...user, ...more } }), ...more }
      const back = throughBytes('grant', record)
      expect(Object.getOwnPropertyDescriptor(back.user, name)?.value).toEqual({
        by: ['a later release'],
      })
      expect(Object.hasOwn(back, name)).toBe(true)
      expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
      expect(back).toEqual(plain(record))
    }
  })

  it('texts that look like hashes and are none, to the last character', () => {
    for (const length of [21, 22, 23, 42, 43, 44]) {
      for (let round = 0; round < 200; round += 1) {
        const value = randomBytes(40).toString('base64url').slice(0, length)
        for (const each of [
          value,
          `${value.slice(1)}=`,
          `${value.slice(1)}\n`,
          `+${value.slice(1)}`,
        ]) {
          expect(throughBytes('claim', sampleClaim({ value: each })).value).toBe(each)
        }
      }
    }
  })

  it('ids that the reader does not know', () => {
    for (const id of [...TEXTS, 'half \ud800', '']) {
      const { bytes } = pack('claim', sampleClaim({ id }), noWords, false)
      expect(unpack('claim', bytes, noWords, 'another').id).toBe(id)
    }
  })

  it('many records, one after the other, each its own', () => {
    const packed = TEXTS.map((value) => pack('claim', sampleClaim({ value }), noWords, true).bytes)
    for (const [at, bytes] of packed.entries()) {
      expect(unpack('claim', bytes, noWords, 'claim').value).toBe(TEXTS[at])
    }
  })
})

describe('the shapes', () => {
  it.each(KINDS)('every member of a %s has a place, and none is kept by its name', (kind) => {
    const { bytes } = pack(kind, { ...SAMPLES[kind] }, someWords(), true)
    const names = allNames(SAMPLES[kind]).filter((name) => bytes.includes(`"${name}"`))
    // What lies as JSON has its names there.
    expect(names.filter((name) => !['keys', 'kty', 'crv', 'x', ...DETAIL].includes(name))).toEqual(
      [],
    )
  })

  it.each(KINDS)(
    'what is indexed of a %s comes first, and its bytes tell each change of it',
    (kind) => {
      const { names, indexed } = SHAPES[kind]
      const entries = indexEntries(kind, SAMPLES[kind])
      expect(names.slice(0, indexed)).toEqual(entries.map(([name]) => name))
      const words = someWords()
      const beginning = (record: Records[typeof kind]): string => {
        const packed = pack(kind, record, words, true)
        return packed.bytes.subarray(0, packed.indexed).toString('hex')
      }
      const seen = new Set<string>()
      for (const [name] of entries) {
        for (const value of ['a', 'b', 'aa', '', undefined, 'half \ud800', 'half \ud801']) {
          seen.add(beginning({ ...SAMPLES[kind], [name]: value }))
        }
      }
      expect(seen.size).toBe(entries.length * 7)
      expect(beginning({ ...SAMPLES[kind], expiresAt: 7 })).toBe(beginning(SAMPLES[kind]))
    },
  )

  it('a grant takes a third of the room', () => {
    const { bytes } = pack('grant', sampleGrant(), someWords(), true)
    expect(bytes.length).toBeLessThan(JSON.stringify(sampleGrant()).length / 2.5)
  })
})

const DETAIL = Object.keys(SAMPLES.event.detail)

function allNames(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(allNames)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [name, ...allNames(member)])
}

describe('damage', () => {
  it('ST-11 a record that is cut off or goes on is refused', () => {
    const { bytes } = pack('grant', sampleGrant(), noWords, true)
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => unpack('grant', bytes.subarray(0, length), noWords, 'grant')).toThrow()
    }
    expect(() => unpack('grant', Buffer.concat([bytes, bytes]), noWords, 'grant')).toThrow(
      'damaged',
    )
  })

  it('ST-11 any bytes give a record or an error, soon', () => {
    for (let round = 0; round < 5000; round += 1) {
      const bytes = randomBytes(1 + (round % 400))
      try {
        expect(unpack('grant', bytes, noWords, 'grant')).toBeTypeOf('object')
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
  })
})

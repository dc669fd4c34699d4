/** The calls of the model test: each is made on a store, and told beforehand by a map. */
import type { Records } from '../../stores/records.ts'
import type { Listing, Store, Versioned } from '../../stores/store.ts'
import { sampleClaim, sampleGrant } from './samples.ts'

type ModelKind = 'grant' | 'claim'

interface Row {
  readonly kind: ModelKind
  readonly record: Records[ModelKind]
  readonly version: number
}

/** What is stored, by kind and id. */
export type Model = ReadonlyMap<string, Row>

/** A call, and what the model says of it: the answer, and what is stored then. */
export interface Step {
  readonly title: string
  call(store: Store): Promise<unknown>
  model(model: Model): readonly [answer: unknown, next: Model]
}

/** A whole number from 0 to `below`, exclusive. */
export type Random = (below: number) => number

/** The same numbers for the same seed: the generator mulberry32, for tests only. */
export function createRandom(seed: number): Random {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** One call of any verb. */
export function aloneSteps(random: Random, model: Model): Step {
  const id = `id ${random(8)}`
  const which = random(12)
  if (which === 0) return deleteExpired(random(8))
  if (which === 1) return list(`subject ${random(3)}`, 1 + random(4))
  if (which === 2) return scan(random(2) === 0 ? 'grant' : 'claim', 1 + random(4))
  return random(4) === 0 ? claimStep(random, model, id) : oneIdSteps(random, model, id)
}

/** One call that touches the grant `id` and nothing else. */
export function oneIdSteps(random: Random, model: Model, id: string): Step {
  const record = sampleGrant({
    id,
    subject: `subject ${random(3)}`,
    expiresAt: expiry(random),
    endedAt: random(1_000_000),
  })
  return anyOf(random, model, 'grant', record)
}

function claimStep(random: Random, model: Model, id: string): Step {
  const record = sampleClaim({ id, expiresAt: expiry(random), value: `${random(1_000_000)}` })
  return anyOf(random, model, 'claim', record)
}

const expiry = (random: Random): number | undefined => [undefined, 1, 3, 5, 7][random(5)]

function anyOf<K extends ModelKind>(
  random: Random,
  model: Model,
  kind: K,
  record: Records[K],
): Step {
  const which = random(10)
  if (which < 3) return insert(kind, record)
  if (which < 5) return find(kind, record.id)
  if (which < 6) return take(kind, record.id)
  // Mostly the version that is there, else one that was there, or will be.
  const held = model.get(key(kind, record.id))?.version ?? 0
  return replace(kind, record, random(4) > 0 ? held : random(held + 3))
}

function key(kind: ModelKind, id: string): string {
  return `${kind} ${id}`
}

function put(model: Model, row: Row): Model {
  return new Map(model).set(key(row.kind, row.record.id), row)
}

function without(model: Model, keys: readonly string[]): Model {
  return new Map([...model].filter(([name]) => !keys.includes(name)))
}

const plainRow = ({ record, version }: Row): unknown => ({ record, version })

function insert<K extends ModelKind>(kind: K, record: Records[K]): Step {
  return {
    title: `insert ${key(kind, record.id)}`,
    call: (store) => store.insert(kind, record),
    model: (model) =>
      model.has(key(kind, record.id))
        ? [false, model]
        : [true, put(model, { kind, record, version: 1 })],
  }
}

function replace<K extends ModelKind>(kind: K, record: Records[K], version: number): Step {
  return {
    title: `replace ${key(kind, record.id)} at ${version}`,
    call: (store) => store.replace(kind, record, version),
    model: (model) =>
      model.get(key(kind, record.id))?.version === version
        ? [true, put(model, { kind, record, version: version + 1 })]
        : [false, model],
  }
}

/** The call that finds one record. */
export function find(kind: ModelKind, id: string): Step {
  return {
    title: `find ${key(kind, id)}`,
    call: (store) => store.find(kind, id),
    model: (model) => {
      const row = model.get(key(kind, id))
      return [row && plainRow(row), model]
    },
  }
}

function take(kind: ModelKind, id: string): Step {
  return {
    title: `take ${key(kind, id)}`,
    call: (store) => store.take(kind, id),
    model: (model) => [model.get(key(kind, id))?.record, without(model, [key(kind, id)])],
  }
}

function deleteExpired(now: number): Step {
  return {
    title: `deleteExpired at ${now}`,
    call: (store) => store.deleteExpired(now, 1000),
    model: (model) => {
      const over = [...model].filter(([, { record }]) => (record.expiresAt ?? now + 1) <= now)
      return [
        over.length,
        without(
          model,
          over.map(([name]) => name),
        ),
      ]
    },
  }
}

function list(subject: string, limit: number): Step {
  return {
    title: `list ${subject} by ${limit}`,
    call: (store) => pages((cursor) => store.list('grant', 'subject', subject, { limit, cursor })),
    model: (model) => [
      inOrder(model, ({ record }) => 'subject' in record && record.subject === subject),
      model,
    ],
  }
}

function scan(kind: ModelKind, limit: number): Step {
  return {
    title: `scan ${kind} by ${limit}`,
    async call(store) {
      const rows = await pages<Records[ModelKind]>((cursor) => store.scan(kind, { limit, cursor }))
      const once = new Map(rows.map((row) => [row.record.id, row]))
      return [...once.values()].toSorted((one, other) => (one.record.id < other.record.id ? -1 : 1))
    },
    model: (model) => [inOrder(model, (row) => row.kind === kind), model],
  }
}

async function pages<R>(
  read: (cursor: string | undefined) => Promise<Listing<R>>,
): Promise<Versioned<R>[]> {
  const rows: Versioned<R>[] = []
  let cursor: string | undefined
  do {
    const listing = await read(cursor)
    rows.push(...listing.rows)
    cursor = listing.cursor
  } while (cursor !== undefined)
  return rows
}

function inOrder(model: Model, chosen: (row: Row) => boolean): readonly unknown[] {
  return [...model.values()]
    .filter(chosen)
    .toSorted((one, other) => (one.record.id < other.record.id ? -1 : 1))
    .map(plainRow)
}

/**
 * `npm run sizes`: how large a store is with many grants, each with its own connection, and how long a
 * `find` takes there. `--grants` says how many, `--engine` chooses one. With `--sweep` all grants expire
 * at the end and are cleared away as a server does it, while somebody goes on reading.
 */
import { parseArgs } from 'node:util'
import { createSweep } from '../src/server/sweep.ts'
import { ENGINES, type Measured, type Sizes } from './engines.ts'
import { copyOf, makePattern, type Pair } from './pattern.ts'

const { values } = parseArgs({
  options: {
    grants: { type: 'string', default: '1000000' },
    engine: { type: 'string' },
    sweep: { type: 'boolean', default: false },
  },
})
const count = Number(values.grants)
/** So many sign-ins are written at once. */
const AT_ONCE = 500
const FINDS = 1000
const MONTH = 30 * 86_400

const pattern = await makePattern()
say(
  `a grant is ${bytesOf(pattern.grant)} bytes of JSON, its connection ${bytesOf(pattern.connection)}`,
)
for (const [name, start] of ENGINES) {
  if (values.engine !== undefined && values.engine !== name) continue
  const engine = await start()
  try {
    await measure(name, engine)
  } finally {
    await engine.close()
  }
}
process.exit()

async function measure(name: string, engine: Measured): Promise<void> {
  const began = performance.now()
  const known = await fill(engine)
  say(`${name}: ${count} grants and connections in ${seconds(began)} s`)
  tell(name, await engine.sizes())
  const times = await findTimes(engine, known, () => false)
  say(`${name}: a find takes ${spread(times)}`)
  if (values.sweep) await sweepAll(name, engine, known)
}

/** Writes everything, oldest first, and gives some of the ids. */
async function fill({ store }: Measured): Promise<readonly string[]> {
  const known: string[] = []
  const step = Math.max(1, Math.floor(count / 50_000))
  for (let written = 0; written < count; written += AT_ONCE) {
    const pairs = Array.from({ length: Math.min(AT_ONCE, count - written) }, (_, at) =>
      copyOf(pattern, Math.floor(MONTH * (1 - (written + at) / count))),
    )
    await Promise.all(pairs.map((pair) => write(store, pair)))
    known.push(...pairs.filter((_, at) => (written + at) % step === 0).map(({ grant }) => grant.id))
  }
  return known
}

async function write(store: Measured['store'], { grant, connection }: Pair): Promise<void> {
  const added = await Promise.all([
    store.insert('connection', connection),
    store.insert('grant', grant),
  ])
  if (!added.every(Boolean)) throw new Error('an id came twice')
}

/** The times of finds one after the other, in milliseconds: `FINDS` of them, or until it is `over`. */
async function findTimes(
  { store }: Measured,
  known: readonly string[],
  over: () => boolean,
  finds = FINDS,
): Promise<readonly number[]> {
  const times: number[] = []
  while (times.length < finds && !over()) {
    const id = known[Math.floor(Math.random() * known.length)] ?? ''
    const began = performance.now()
    // Requests come from outside: what holds the event loop holds them too, and counts.
    await new Promise((resolve) => setImmediate(resolve))
    await store.find('grant', id)
    times.push(performance.now() - began)
  }
  return times
}

async function sweepAll(name: string, engine: Measured, known: readonly string[]): Promise<void> {
  const began = performance.now()
  const later = (pattern.grant.expiresAt ?? 0) + 1
  let [now, left] = [later - 60, count]
  const store: Measured['store'] = {
    ...engine.store,
    async deleteExpired(at, limit) {
      const deleted = await engine.store.deleteExpired(at, limit)
      left -= deleted
      return deleted
    },
  }
  const sweep = createSweep({
    store,
    clock: () => now,
    events: { emit: (event) => say(`${name}: ${JSON.stringify(event)}`) },
  })
  now = later
  sweep.touch()
  const times = await findTimes(engine, known, () => left <= 0, Infinity)
  sweep.stop()
  say(`${name}: ${count} expired grants are cleared away in ${seconds(began)} s`)
  say(`${name}: meanwhile ${times.length} finds took ${spread(times)}`)
  tell(name, await engine.sizes())
  await fill({ ...engine, store: withoutConnections(engine.store) })
  say(`${name}: and with as many new grants`)
  tell(name, await engine.sizes())
}

function withoutConnections(store: Measured['store']): Measured['store'] {
  return {
    ...store,
    insert: async (kind, record) => kind === 'connection' || store.insert(kind, record),
  }
}

function tell(name: string, sizes: Sizes): void {
  for (const [what, bytes] of Object.entries(sizes)) {
    say(
      `${name}: ${what}: ${(bytes / 1e6).toFixed(0)} MB, ${Math.round(bytes / count)} bytes a grant`,
    )
  }
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number): string =>
    `${(sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(3)} ms`
  return `${at(0.5)} at the median, ${at(0.99)} at p99, ${at(0.999)} at p99.9`
}

function bytesOf(record: object): number {
  return Buffer.byteLength(JSON.stringify(record))
}

function seconds(began: number): number {
  return Math.round((performance.now() - began) / 1000)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/**
 * W5: what an open stream costs in memory, how late its events come, and whether an answer that is larger
 * than any buffer passes in constant memory. The backend itself stands in the first row.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { spread } from '../spread.js'
import { startBackend, startLoad, startTarget } from '../start.js'
import { takingPart } from './rate.js'

const KIBIBYTE = 1024
const MEBIBYTE = 2 ** 20
/** Few, so that the delay is that of the way and not of the queue. */
const WATCHED = 20

export async function streams(ground, workload) {
  const load = startLoad(ground)
  const behind = await startBackend(ground)
  const servers = [{ ...behind, target: { name: 'backend', label: 'the backend itself' } }]
  try {
    for (const target of takingPart(ground, workload)) {
      servers.push(await startTarget(ground, target, { to: behind.place.origin }))
    }
    const rows = []
    for (const one of servers) {
      const { name, label } = one.target
      const seats = await one.server.ask('seed', { count: WATCHED })
      await load.ask('know', { target: name, place: one.place, seats })
      rows.push({ name, label, values: await measureOne(ground, load, one) })
    }
    return { columns: COLUMNS, rows }
  } finally {
    await Promise.all([load.stop(), ...servers.map((one) => one.stop())])
  }
}

async function measureOne({ options }, load, { target: { name: target }, server }) {
  const { quick, seconds, rounds } = options
  const size = (quick ? 4 : 100) * MEBIBYTE
  await load.ask('readLarge', { target, size: MEBIBYTE })
  const large = await whileWatching(server, load.ask('readLarge', { target, size }))
  const delays = await watch(load, target, quick ? 0.2 : seconds * rounds)
  const count = quick ? 50 : 1000
  const before = await settle(server, kept)
  await load.ask('hold', { target, count })
  const after = await settle(server, kept)
  await load.ask('letGo')
  return {
    delay: delays[Math.floor(delays.length / 2)],
    delay99: delays[Math.floor(delays.length * 0.99)],
    perStream: (after - before) / count / KIBIBYTE,
    large: size / MEBIBYTE / large.seconds,
    grown: large.grown / MEBIBYTE,
  }
}

/** The delays of events, sorted: of so many seconds, and of at least one event. */
async function watch(load, target, seconds) {
  await load.ask('hold', { target, count: WATCHED })
  await sleep(seconds * 250)
  await load.ask('delays')
  const delays = []
  for (let tries = 0; delays.length === 0; tries += 1) {
    if (tries === 50) throw new Error(`${target}: no event comes`)
    await sleep(seconds * 1000)
    delays.push(...(await load.ask('delays')))
  }
  await load.ask('letGo')
  return delays.toSorted((a, b) => a - b)
}

/** What is in use when the garbage is gone, by `of`; several times, since some of it takes a while. */
async function settle(server, of = ({ rss }) => rss) {
  const figures = []
  for (let tries = 0; tries < 5; tries += 1) {
    figures.push(of(await server.ask('settle')))
    await sleep(50)
  }
  return spread(figures).min
}

/** The room that V8 has for young objects grows with how many are made at once, not with how many are kept. */
function kept({ rss, young }) {
  return rss - young
}

async function whileWatching(server, work) {
  const before = await settle(server)
  let [most, isOver] = [before, false]
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, (await server.ask('usage')).rss)
      await sleep(10)
    }
  })()
  const seconds = await work.finally(() => (isOver = true))
  await watching
  return { seconds, grown: most - before }
}

const COLUMNS = [
  { key: 'delay', label: 'event late ms', digits: 2 },
  { key: 'delay99', label: 'p99 ms', digits: 2 },
  { key: 'perStream', label: "KiB a stream, without V8's room for young objects", digits: 1 },
  { key: 'large', label: 'large answer MiB/s', digits: 0 },
  { key: 'grown', label: 'memory it takes MiB', digits: 1 },
]

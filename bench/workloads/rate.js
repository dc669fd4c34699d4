/**
 * A workload of requests: all targets in each round, one after the other. Each time it is a new process, as
 * two processes of one program differ by up to a tenth for as long as they live. What a request costs is
 * the CPU time of the server's own process; the rate stands beside it, since it also depends on the load.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { say } from '../report/print.js'
import { spread } from '../spread.js'
import { startBackend, startLoad, startTarget } from '../start.js'

const MEGABYTE = 2 ** 20

export async function rate(ground, workload) {
  const load = startLoad(ground)
  const behind = workload.isProxied ? await startBackend(ground) : undefined
  const settings = { ...workload.settings, to: behind?.place.origin }
  const targets = takingPart(ground, workload)
  try {
    const rounds = []
    for (let round = 0; round < ground.options.rounds; round += 1) {
      rounds.push(await measureRound(ground, { load, targets, settings, workload, round }))
    }
    return tell(targets, workload, rounds)
  } finally {
    await Promise.all([load.stop(), behind?.stop()])
  }
}

export function takingPart({ targets }, { name }) {
  return [...targets.values()].filter(({ workloads }) => workloads.includes(name))
}

/** Gives the load its seats, and tries that wrong requests are refused. */
async function introduce({ options }, load, one, workload) {
  const { target, server, place } = one
  const { probes = [], needsUsers } = workload
  const count = options.connections
  const seeded = needsUsers === true ? undefined : await server.ask('seed', { count })
  const seats = seeded ?? (await server.ask('users', { count }))
  await load.ask('know', { target: target.name, place, seats })
  if (seeded === undefined && needsUsers !== true) {
    await named(one, load.ask('enrol', { target: target.name }))
  }
  // The floor is what cannot tell right from wrong.
  for (const unit of target.isFloor ? [] : probes) {
    await named(one, load.ask('once', { target: target.name, unit }))
  }
}

/** Another one begins each round. */
async function measureRound(ground, { load, targets, settings, workload, round }) {
  const figures = new Map()
  const { asksStore } = workload
  for (let turn = 0; turn < targets.length; turn += 1) {
    const target = targets[(turn + round) % targets.length]
    const server = await startTarget(ground, target, settings)
    try {
      await introduce(ground, load, server, workload)
      for (const unit of workload.units) {
        const figure = await measureOne(ground, { load, server, unit, asksStore })
        figures.set(`${target.name} ${unit}`, figure)
      }
    } finally {
      await server.stop()
    }
  }
  return figures
}

/** @param asksStore whether each request may ask the store, which stands on the core of the load. */
export async function measureOne({ options }, { load, server: one, unit, asksStore = false }) {
  const { target, server } = one
  const { seconds, warmUp, connections } = options
  const isAwake = !(asksStore && target.engine !== undefined) && one.settings.to === undefined
  await load.ask('begin', { target: target.name, unit, connections, isAwake })
  await named(one, orBroken(load, sleep(warmUp * 1000)))
  const [before] = await Promise.all([server.ask('usage'), load.ask('count')])
  const began = performance.now()
  await named(one, orBroken(load, sleep(seconds * 1000)))
  const [after, counted] = await Promise.all([server.ask('usage'), load.ask('count')])
  const took = (performance.now() - began) / 1000
  await named(one, orBroken(load, load.ask('stop')))
  const { units } = counted
  say(`  ${target.name} ${unit}: ${Math.round(units / took)}/s`)
  return {
    cpu: (after.cpu - before.cpu) / units,
    rate: units / took,
    p50: counted.p50,
    p99: counted.p99,
    rss: after.rss / MEGABYTE,
    // Where the load had no time to spare, the server could have done more.
    loadBusy: counted.cpu / 1e6 / took,
  }
}

function orBroken(load, work) {
  return Promise.race([work, load.broken])
}

/** @throws Error that says at whom it was */
async function named({ target, server }, work) {
  try {
    return await work
  } catch (error) {
    throw new Error(`${target.name}: ${error.message}\n${server.told()}`, { cause: error })
  }
}

function tell(targets, workload, rounds) {
  const [unit] = workload.units
  const floor = targets.find(({ isFloor }) => isFloor)?.name
  return {
    columns: [...COLUMNS, ...(workload.units.length > 1 ? [ADDED] : [])],
    rows: targets.map(({ name, label }) => {
      const of = (figure) =>
        spread(rounds.map((round) => figure(round.get(`${name} ${unit}`), round)))
      const values = Object.fromEntries(
        ['cpu', 'rate', 'p50', 'p99', 'rss', 'loadBusy'].map((key) => [key, of((one) => one[key])]),
      )
      const atFloor = (round) => round.get(`${floor} ${unit}`)
      values.cpuRatio = of((one, round) => atFloor(round).cpu / one.cpu)
      values.rateRatio = of((one, round) => one.rate / atFloor(round).rate)
      if (workload.units.length > 1) {
        values.added = of((one, round) => one.cpu - round.get(`${name} ${workload.units[1]}`).cpu)
      }
      return { name, label, values }
    }),
  }
}

const COLUMNS = [
  { key: 'cpu', label: 'CPU µs', digits: 1 },
  { key: 'cpuRatio', label: 'of the floor, by CPU', digits: 3 },
  { key: 'rate', label: 'per second', digits: 0 },
  { key: 'rateRatio', label: 'of the floor, by rate', digits: 3 },
  { key: 'p50', label: 'median ms', digits: 2, isDetail: true },
  { key: 'p99', label: 'p99 ms', digits: 2, isDetail: true },
  { key: 'rss', label: 'MB', digits: 0 },
  { key: 'loadBusy', label: 'load busy', digits: 2 },
]

const ADDED = { key: 'added', label: 'guard adds µs', digits: 1 }

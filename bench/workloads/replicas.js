/**
 * W7: two replicas of one issuer on one store, a core for each where there are enough. The load goes to
 * each of them in turn. A refresh at one must be known at the other at once, and of two that use the same
 * token at the same moment, at two replicas, both must get the same answer: no update is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CORES } from '../peer.js'
import { say } from '../report/print.js'
import { spread } from '../spread.js'
import { startLoad, startServer } from '../start.js'
import { takingPart } from './rate.js'

const UNITS = ['refresh', 'call']

export async function replicas(ground, workload) {
  const rows = []
  for (const target of takingPart(ground, workload))
    rows.push(...(await measureTarget(ground, target)))
  return { columns: COLUMNS, rows }
}

async function measureTarget(ground, target) {
  const engine = await ground.engines.start(target.engine)
  const load = startLoad(ground)
  const servers = []
  try {
    servers.push(await startServer(ground, target, { place: engine.port }))
    const origin = servers[0].place.origin
    const second = { place: engine.port, origin }
    servers.push(await startServer(ground, target, second, CORES.load))
    // Twice as many as connections: each seat comes to either replica.
    const places = servers.map(({ place }) => place)
    const count = 2 * ground.options.connections
    for (const [name, some] of [
      ['one', places.slice(0, 1)],
      ['two', places],
    ]) {
      const seats = await servers[0].server.ask('seed', { count })
      await load.ask('know', { target: name, places: some, seats })
    }
    await load.ask('raceRefreshes', { target: 'two' })
    const rounds = []
    for (let round = 0; round < ground.options.rounds; round += 1) {
      rounds.push(await measureRound(ground, { load, servers, round }))
    }
    return ['one', 'two'].map((name) => rowOf(target, name, rounds))
  } finally {
    await Promise.all([load.stop(), ...servers.map((one) => one.stop())])
    await engine.stop()
  }
}

async function measureRound(ground, { load, servers, round }) {
  const figures = new Map()
  const names = round % 2 === 0 ? ['one', 'two'] : ['two', 'one']
  for (const name of names) {
    for (const unit of UNITS) {
      const figure = await measure(ground, { load, servers, name, unit })
      figures.set(`${name} ${unit}`, figure)
    }
  }
  return figures
}

async function measure({ options }, { load, servers, name, unit }) {
  const { seconds, warmUp, connections } = options
  const cpu = async () => {
    const usages = await Promise.all(servers.map(({ server }) => server.ask('usage')))
    return usages.reduce((sum, usage) => sum + usage.cpu, 0)
  }
  await load.ask('begin', { target: name, unit, connections })
  await Promise.race([sleep(warmUp * 1000), load.broken])
  const [before] = await Promise.all([cpu(), load.ask('count')])
  const began = performance.now()
  await Promise.race([sleep(seconds * 1000), load.broken])
  const [after, { units }] = await Promise.all([cpu(), load.ask('count')])
  const took = (performance.now() - began) / 1000
  await Promise.race([load.ask('stop'), load.broken])
  say(`  ${name} ${unit}: ${Math.round(units / took)}/s`)
  return { cpu: (after - before) / units, rate: units / took }
}

function rowOf({ name, label }, which, rounds) {
  const of = (unit, figure) =>
    spread(rounds.map((round) => figure(round.get(`${which} ${unit}`), round)))
  const replicaCount = which === 'two' ? 2 : 1
  const capacity = (unit) =>
    of(unit, (one, round) => (replicaCount * round.get(`one ${unit}`).cpu) / one.cpu)
  return {
    name: `${name} ${which}`,
    label: `${label}: ${which === 'two' ? 'two replicas' : 'one replica'}`,
    values: {
      refreshCpu: of('refresh', ({ cpu }) => cpu),
      refreshRate: of('refresh', ({ rate }) => rate),
      refreshCapacity: capacity('refresh'),
      callCpu: of('call', ({ cpu }) => cpu),
      callRate: of('call', ({ rate }) => rate),
      callCapacity: capacity('call'),
    },
  }
}

/** What two cores would carry, were both the servers': the load has one of them. */
const COLUMNS = [
  { key: 'refreshCpu', label: 'refresh CPU µs', digits: 1 },
  { key: 'refreshRate', label: 'per second', digits: 0 },
  { key: 'refreshCapacity', label: 'of one replica, by CPU', digits: 2 },
  { key: 'callCpu', label: 'call CPU µs', digits: 1 },
  { key: 'callRate', label: 'per second', digits: 0 },
  { key: 'callCapacity', label: 'of one replica, by CPU', digits: 2 },
]

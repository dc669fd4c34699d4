/**
 * W4: the same requests among few and among many live grants, at random. The stores of one engine stand
 * beside each other and are measured in turn.
 */
import { join } from 'node:path'
import { say } from '../report/print.js'
import { spread } from '../spread.js'
import { startLoad, startTarget } from '../start.js'
import { measureOne, takingPart } from './rate.js'

const UNITS = ['refresh', 'call']
const MEBIBYTE = 2 ** 20

export async function growth(ground, workload) {
  const rows = []
  for (const target of takingPart(ground, workload))
    rows.push(...(await measureTarget(ground, target)))
  return { columns: COLUMNS, rows }
}

async function measureTarget(ground, target) {
  const load = startLoad(ground)
  const servers = []
  try {
    for (const grants of ground.options.grants) {
      servers.push(await fill(ground, load, target, grants))
    }
    const rounds = []
    for (let round = 0; round < ground.options.rounds; round += 1) {
      rounds.push(await measureRound(ground, load, servers, round))
    }
    return servers.map((server) => rowOf(server, rounds))
  } finally {
    await Promise.all([load.stop(), ...servers.map((one) => one.stop())])
  }
}

/** A server whose store has so many grants. */
async function fill(ground, load, target, grants) {
  const name = `${target.name} ${grants}`
  // A million grants in memory are more than Node takes by default.
  const flags = ['--max-old-space-size=8192']
  const one = await startTarget(ground, { ...target, name, flags })
  const { server, place } = one
  const before = { ...(await server.ask('sizes')), ...(await server.ask('settle')) }
  const file = join(ground.directory, `seats ${name}.json`)
  const began = performance.now()
  const seats = await server.ask('seed', { count: grants, file })
  say(`  ${name}: written in ${Math.round((performance.now() - began) / 1000)} s`)
  await load.ask('know', { target: name, place, seats })
  const after = { ...(await server.ask('sizes')), ...(await server.ask('settle')) }
  return { ...one, grants, before, after }
}

async function measureRound(ground, load, servers, round) {
  const figures = new Map()
  for (let turn = 0; turn < servers.length; turn += 1) {
    const server = servers[(turn + round) % servers.length]
    for (const unit of UNITS) {
      const figure = await measureOne(ground, { load, server, unit, asksStore: true })
      figures.set(`${server.target.name} ${unit}`, figure)
    }
  }
  return figures
}

function rowOf({ target, grants, before, after }, rounds) {
  const { name } = target
  const of = (unit, key) => spread(rounds.map((round) => round.get(`${name} ${unit}`)[key]))
  const grown = (key) =>
    after[key] === undefined ? undefined : (after[key] - before[key]) / grants
  return {
    name,
    label: `${target.label}: ${grants.toLocaleString('en')} grants`,
    values: {
      refreshCpu: of('refresh', 'cpu'),
      refreshRate: of('refresh', 'rate'),
      callCpu: of('call', 'cpu'),
      callRate: of('call', 'rate'),
      rss: after.rss / MEBIBYTE,
      disk: grown('disk'),
      memory: grown('memory') ?? (target.settings.store === 'memory' ? grown('rss') : undefined),
    },
  }
}

const COLUMNS = [
  { key: 'refreshCpu', label: 'refresh CPU µs', digits: 1 },
  { key: 'refreshRate', label: 'per second', digits: 0 },
  { key: 'callCpu', label: 'call CPU µs', digits: 1 },
  { key: 'callRate', label: 'per second', digits: 0 },
  { key: 'rss', label: 'MB', digits: 0 },
  { key: 'disk', label: 'disk, bytes a grant', digits: 0 },
  { key: 'memory', label: 'memory, bytes a grant', digits: 0 },
]

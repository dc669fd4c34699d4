/**
 * The process that makes the load. Over its channel it is told `begin`, `count` and `stop`, and tells
 * what it counted. The seats stay here from round to round, since their tokens move on.
 */
import { readFileSync } from 'node:fs'
import { UNITS } from '../workloads/units.js'
import { signIn } from '../workloads/sign_in.js'
import { drive } from './drive.js'
import { raceRefreshes } from './race.js'
import { createSeats } from './seats.js'
import { openStreams, readLarge } from './streams.js'

/** By target: seats, and where it is. */
const known = new Map()
let driven
let streams
let cpu = process.cpuUsage()

const ANSWERS = {
  /** `seats` is a list, or the path of a file with one. */
  know({ target, place, places = [place], seats }) {
    const all = typeof seats === 'string' ? JSON.parse(readFileSync(seats, 'utf8')) : seats
    known.set(target, { places, seats: all })
  },
  /** Signs them all in, one after the other. */
  async enrol({ target }) {
    const { places, seats } = known.get(target)
    for (const seat of seats) {
      await drive({ places, unit: signIn, connections: 1, ...createSeats([seat], 1) }).stop()
    }
  },
  begin({ target, unit, connections, isAwake }) {
    const { places, seats } = known.get(target)
    const taking = createSeats(seats, connections)
    driven = drive({ places, unit: UNITS[unit], connections, isAwake, ...taking })
    driven.failed.catch(tellFault)
    count()
  },
  /** One unit, on a connection of its own. */
  async once({ target, unit }) {
    const { places, seats } = known.get(target)
    const one = drive({ places, unit: UNITS[unit], connections: 1, ...createSeats([seats[0]], 1) })
    await one.stop()
  },
  /** Opens event streams and holds them; see `delays` and `letGo`. */
  async hold({ target, count: wanted }) {
    const { places, seats } = known.get(target)
    streams = await openStreams(places[0], seats, wanted)
  },
  /** Each seat's token at every place at once. */
  raceRefreshes({ target }) {
    const { places, seats } = known.get(target)
    return raceRefreshes(places, seats)
  },
  delays: () => streams.take(),
  letGo: () => streams.close(),
  readLarge({ target, size }) {
    const { places, seats } = known.get(target)
    return readLarge(places[0], seats[0], size)
  },
  count,
  async stop() {
    await driven.stop()
  },
}

/** With the part of the time in which this process had work: near 1 it is what limits the rate. */
function count() {
  const { user, system } = process.cpuUsage(cpu)
  cpu = process.cpuUsage()
  const counted = driven.count()
  return { ...counted, cpu: user + system - counted.idle * 1000 }
}

function tellFault(error) {
  process.send({ fault: error.stack ?? String(error) })
}

process.on('message', async ({ id, what, ...rest }) => {
  try {
    process.send({ id, value: await ANSWERS[what](rest) })
  } catch (error) {
    process.send({ id, fault: error.stack ?? String(error) })
  }
})
process.on('disconnect', () => process.exit())

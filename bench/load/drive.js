/**
 * Drives one workload over many connections at once: each goes through its unit again and again, every
 * answer is checked, and a unit begins when the one before has ended.
 */
import { openConnection } from './connection.js'

/** Latencies are counted by size, in steps of two per cent; the last of them is an hour. */
const STEPS_AN_OCTAVE = 32
const STEPS = 1024

/**
 * Begins at once. `unit(seat, place)` is a generator: it yields the text of a request and is resumed with
 * its answer. Connections go to the `places` in turn. `nextSeat` gives whose turn it is on connection
 * `at`, `leave` takes the seat back. With `isAwake` this process does not sleep meanwhile.
 */
export function drive({ places, unit, connections, nextSeat, leave, isAwake = false }) {
  const state = { units: 0, requests: 0, idle: 0, latencies: new Uint32Array(STEPS) }
  const drivers = Array.from({ length: connections }, (_, at) =>
    driveOne({ place: places[at % places.length], unit, state, next: () => nextSeat(at), leave }),
  )
  if (isAwake) stayAwake(state)
  return {
    /** What was done since the last call, or since the start; `idle` in milliseconds, of one that is awake. */
    count() {
      const { units, requests, idle, latencies } = state
      Object.assign(state, { units: 0, requests: 0, idle: 0, latencies: new Uint32Array(STEPS) })
      return {
        units,
        requests,
        idle,
        p50: quantile(latencies, 0.5),
        p99: quantile(latencies, 0.99),
      }
    },
    /** Ends each connection after its unit. @throws what went wrong on any of them */
    async stop() {
      state.stopping = true
      await Promise.all(drivers)
    },
    failed: Promise.race(drivers.map((driver) => driver.then(() => new Promise(() => {})))),
  }
}

function driveOne({ place, unit, state, next, leave }) {
  return new Promise((resolve, reject) => {
    let [seat, running, began] = []
    const connection = openConnection(place.port, guarded(onAnswer), fail)

    function begin() {
      if (state.stopping) {
        connection.close()
        return resolve()
      }
      seat = next()
      running = unit(seat, place)
      began = performance.now()
      connection.send(running.next().value)
    }

    function onAnswer(answer) {
      state.requests += 1
      const { done, value } = running.next(answer)
      if (!done) return connection.send(value)
      state.latencies[stepOf(performance.now() - began)] += 1
      state.units += 1
      leave(seat)
      begin()
    }

    function guarded(action) {
      return (value) => {
        try {
          action(value)
        } catch (error) {
          fail(error)
        }
      }
    }

    function fail(error) {
      connection.close()
      reject(error)
    }

    guarded(begin)()
  })
}

/**
 * Who wakes a process that sleeps pays for it, and so a slow server would for a load that waits for it, where
 * a fast one finds it awake. A turn in which no answer came was idle.
 */
function stayAwake(state) {
  let [began, requests] = [performance.now(), 0]
  function turn() {
    if (state.stopping) return
    const now = performance.now()
    if (state.requests === requests) state.idle += now - began
    began = now
    requests = state.requests
    setImmediate(turn)
  }
  turn()
}

function stepOf(milliseconds) {
  const step = Math.floor(Math.log2(1 + milliseconds * 1000) * STEPS_AN_OCTAVE)
  return Math.min(step, STEPS - 1)
}

/** In milliseconds, to the step; undefined where nothing was counted. */
function quantile(latencies, part) {
  const wanted = latencies.reduce((sum, count) => sum + count, 0) * part
  let seen = 0
  for (let step = 0; step < STEPS; step += 1) {
    seen += latencies[step]
    if (seen > 0 && seen >= wanted) return 2 ** ((step + 0.5) / STEPS_AN_OCTAVE) / 1000
  }
  return undefined
}

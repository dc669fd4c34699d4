/**
 * One server process: the target that the first argument names, on a free port of 127.0.0.1. Over its
 * channel it tells its own CPU time and memory, and makes sign-ins for the load.
 */
import { createServer } from 'node:http'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { getHeapSpaceStatistics } from 'node:v8'

const [file, text = '{}'] = process.argv.slice(2)
const settings = JSON.parse(text)
const target = await import(file)
const server = createServer(target.serverOptions ?? {})
// The same for all of them, as it takes a timer for each connection.
server.keepAliveTimeout = 65_000
server.listen(settings.port ?? 0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()
const origin = settings.origin ?? `http://127.0.0.1:${port}`
const started = await target.start({ server, origin, settings })
const { place, seed, users = someUsers, sizes = () => ({}), close } = started

const ANSWERS = {
  /** All threads of this process, in microseconds. */
  usage() {
    const { user, system } = process.cpuUsage()
    return { cpu: user + system, rss: process.memoryUsage.rss() }
  },
  /** When the garbage is gone. `young` is the place that V8 keeps for objects to come. */
  settle() {
    globalThis.gc?.()
    const spaces = getHeapSpaceStatistics()
    const young = spaces.find(({ space_name }) => space_name === 'new_space').physical_space_size
    return { ...ANSWERS.usage(), young }
  },
  sizes,
  /** Who can sign in, with what they have then. */
  users: ({ count }) => users(count),
  /** Undefined where sign-ins are made by signing in. A long list goes through a file. */
  async seed({ count, file: path }) {
    const seats = await seed?.(count)
    if (path === undefined) return seats
    writeFileSync(path, JSON.stringify(seats))
    return path
  },
}

function someUsers(count) {
  return Array.from({ length: count }, () => ({}))
}

process.on('message', async ({ id, what, ...rest }) => {
  try {
    process.send({ id, value: await ANSWERS[what](rest) })
  } catch (error) {
    process.send({ id, fault: error.stack ?? String(error) })
  }
})
process.on('disconnect', async () => {
  server.closeAllConnections()
  await close?.()
  process.exit()
})
process.send({ ready: { ...place, port, host: `127.0.0.1:${port}`, origin } })

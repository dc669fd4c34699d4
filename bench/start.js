/** Starts the processes of a measurement: a target with the engine that it needs, and the load. */
import { join } from 'node:path'
import { CORES, startPeer } from './peer.js'

const HERE = import.meta.dirname
let files = 0

/** The target on a port of its own, ready to be asked. `settings` come on top of its own. */
export async function startTarget(ground, target, settings = {}, core = CORES.server) {
  const engine = target.engine === undefined ? undefined : await ground.engines.start(target.engine)
  files += 1
  const place = engine?.port ?? join(ground.directory, `${files}.db`)
  const started = await startServer(ground, target, { place, ...settings }, core)
  return {
    ...started,
    async stop() {
      await started.stop()
      await engine?.stop()
    },
  }
}

/** What stands behind a gateway, on the core of the load. */
export function startBackend(ground) {
  return startServer(ground, { name: 'backend', file: 'backend.js' }, {}, CORES.load)
}

/** The server alone, on an engine that is there already. */
export async function startServer(ground, target, settings, core = CORES.server) {
  const { node, env } = ground
  const path = join(HERE, 'targets', target.file)
  const own = { ...target.settings, ...settings }
  const flags = ['--expose-gc', '--no-warnings', ...(target.flags ?? [])]
  const args = [target.file.startsWith('/') ? target.file : path, JSON.stringify(own)]
  const server = startPeer(join(HERE, 'serve.js'), args, { core, node, flags, env })
  ground.peers.add(server)
  try {
    const place = await server.ready
    return { target, server, settings: own, place, stop: () => server.stop() }
  } catch (error) {
    throw new Error(`${target.name} does not start: ${error.message}`, { cause: error })
  }
}

export function startLoad(ground) {
  const { node } = ground
  const load = startPeer(join(HERE, 'load/main.js'), [], { core: CORES.load, node })
  ground.peers.add(load)
  return load
}

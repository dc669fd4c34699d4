/**
 * A process of the benchmark as the runner sees it: asked over its channel, held to one core where the
 * system has `taskset`, and ended with its channel.
 */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

const TASKSET = spawnSync('taskset', ['-V'], { stdio: 'ignore' }).status === 0
/** The servers have one core, what makes the load and stands behind them the other. */
export const CORES = { server: 0, load: availableParallelism() > 1 ? 1 : 0 }

/** What stands before a command that is to run on `core` only. */
export function pinned(core) {
  return TASKSET ? ['taskset', '-c', String(core)] : []
}

export function isPinned() {
  return TASKSET
}

/** Starts `file` with `args`. `ready` settles when it tells so, for those that do. */
export function startPeer(file, args, { core, node = process.execPath, flags = [], env = {} }) {
  const [execPath, ...execArgv] = [...pinned(core), node, ...flags]
  const child = fork(file, args, {
    execPath,
    execArgv,
    env: { ...process.env, NODE_ENV: 'production', VITEST: undefined, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  return createPeer(child)
}

function createPeer(child) {
  const waiting = new Map()
  let asked = 0
  let told = ''
  let isStopped = false
  child.stderr.setEncoding('utf8').on('data', (chunk) => (told = (told + chunk).slice(-4000)))
  const ready = resolvers()
  const broken = resolvers()
  for (const { promise } of [ready, broken]) promise.catch(() => undefined)
  child.on('message', ({ id, ready: place, value, fault }) => {
    if (place !== undefined) return ready.resolve(place)
    if (id === undefined) return broken.reject(new Error(fault))
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (fault === undefined) resolve(value)
    else reject(new Error(fault))
  })
  child.on('exit', (status, signal) => {
    if (isStopped) return
    const error = new Error(`it ended with ${status ?? signal}:\n${told}`)
    for (const { reject } of [ready, broken, ...waiting.values()]) reject(error)
  })
  return {
    pid: child.pid,
    ready: ready.promise,
    /** The end of what it wrote to its error stream. */
    told: () => told,
    /** Rejects with what went wrong outside of any question. */
    broken: broken.promise,
    ask(what, rest = {}) {
      asked += 1
      const answer = resolvers()
      waiting.set(asked, answer)
      child.send({ id: asked, what, ...rest })
      return answer.promise
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      isStopped = true
      if (child.connected) child.disconnect()
      const late = setTimeout(() => child.kill('SIGKILL'), 5000)
      await once(child, 'exit')
      clearTimeout(late)
    },
  }
}

/** `Promise.withResolvers` of Node 22. */
function resolvers() {
  let resolve
  let reject
  const promise = new Promise((...both) => ([resolve, reject] = both))
  return { promise, resolve, reject }
}

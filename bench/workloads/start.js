/**
 * W6: from the start of the process to its first answer, and the memory that it has then. The gateway is
 * the command itself, as it is typed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../free_port.js'
import { CORES, pinned } from '../peer.js'
import { spread } from '../spread.js'
import { startTarget } from '../start.js'
import { takingPart } from './rate.js'

const MEBIBYTE = 2 ** 20

export async function start(prepared, workload) {
  const ground = { ...prepared, env: prepared.published }
  const rounds = []
  const targets = takingPart(ground, workload)
  // Once for nothing: the files come from the disk then.
  for (const target of ground.options.quick ? [] : targets) {
    await named(target, startOnce(ground, target))
  }
  for (let round = 0; round < ground.options.rounds; round += 1) {
    const figures = new Map()
    for (const target of targets)
      figures.set(target.name, await named(target, startOnce(ground, target)))
    rounds.push(figures)
  }
  const floor = targets.find(({ isFloor }) => isFloor)?.name
  return {
    columns: COLUMNS,
    rows: targets.map(({ name, label }) => {
      const of = (key) => spread(rounds.map((round) => round.get(name)[key]))
      const beyond = (key) =>
        spread(rounds.map((one) => one.get(name)[key] - one.get(floor)?.[key]))
      const more = { moreTime: beyond('time'), moreRss: beyond('rss') }
      return { name, label, values: { time: of('time'), rss: of('rss'), ...more } }
    }),
  }
}

async function named({ name }, work) {
  return await work.catch((cause) => {
    throw new Error(`${name}: ${cause.message}`, { cause })
  })
}

async function startOnce(ground, target) {
  if (target.command !== undefined) return await startCommand(ground, target)
  const began = performance.now()
  const one = await startTarget(ground, target)
  await (await fetch(`http://${one.place.host}/nowhere`, { redirect: 'manual' })).arrayBuffer()
  const time = performance.now() - began
  const { rss } = await one.server.ask('settle')
  await one.stop()
  return { time, rss: rss / MEBIBYTE }
}

/** Until it says where it listens and has answered there. */
async function startCommand({ node, env, directory }, { command, environment }) {
  const [program, ...args] = [...pinned(CORES.server), node, join(env.BENCH_DIST, command.program)]
  const port = await freePort()
  const place = { MCP_OAUTH_PORT: `${port}`, MCP_OAUTH_STORE: `sqlite:${directory}/start.db` }
  const began = performance.now()
  const child = spawn(program, [...args, ...command.args], {
    env: { ...process.env, ...environment, ...place },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await untilItListens(child)
  await (await fetch(`http://127.0.0.1:${port}/healthz`)).arrayBuffer()
  const time = performance.now() - began
  const rss = residentOf(child.pid)
  child.kill()
  await once(child, 'exit')
  return { time, rss }
}

async function untilItListens(child) {
  let told = ''
  const isThere = new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      told += chunk
      if (told.includes('Listening on ')) resolve()
    })
    child.once('exit', () => reject(new Error(`the gateway does not start:\n${told}`)))
  })
  await isThere
}

/** In MiB; undefined where the system does not tell. */
function residentOf(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
  } catch {
    return undefined
  }
}

const COLUMNS = [
  { key: 'time', label: 'first answer ms', digits: 0 },
  { key: 'moreTime', label: 'more than the floor', digits: 0 },
  { key: 'rss', label: 'idle MB', digits: 0 },
  { key: 'moreRss', label: 'more than the floor', digits: 0 },
]

/**
 * Redis and PostgreSQL, each a process of the benchmark's own on the core of the load, with nothing in it
 * and its data in a directory that goes with it. They write as a server in earnest does.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free_port.js'
import { CORES, pinned } from './peer.js'

const POSTGRES = '/usr/lib/postgresql'
const START = { redis: startRedis, postgres: startPostgres }

/** Starts what is asked for; `close` ends all of it. */
export function createEngines() {
  const started = new Set()
  return {
    /** The port of a fresh one. */
    async start(name) {
      const engine = await START[name]()
      started.add(engine)
      return engine
    },
    async close() {
      await Promise.all([...started].map((engine) => engine.stop()))
    },
  }
}

/** What is not installed here; undefined when the engine can be started. */
export function missingEngine(name) {
  if (name === 'redis') return existsSync('/usr/bin/redis-server') ? undefined : 'redis-server'
  return postgresPrograms() === undefined ? 'postgresql' : undefined
}

function postgresPrograms() {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : []
  const [newest] = versions.toSorted((a, b) => Number(b) - Number(a))
  return newest === undefined ? undefined : join(POSTGRES, newest, 'bin')
}

/** The AOF, flushed each second: an answer survives the kill of the process. */
async function startRedis() {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-bench-redis-'))
  const place = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec']
  return launch(port, directory, ['redis-server', ...place, ...durable], accepts)
}

async function startPostgres() {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-bench-postgres-'))
  const owner = ownerOf(directory)
  const [initdb, server] = ['initdb', 'postgres'].map((name) => join(postgresPrograms(), name))
  const [program, ...args] = [...owner, initdb, '-D', directory, '-U', 'bench', '-A', 'trust']
  execFileSync(program, [...args, '-E', 'UTF8', '--locale=C'], { cwd: directory, stdio: 'pipe' })
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=']
  settings.push('max_connections=100', 'shared_buffers=512MB', 'max_wal_size=4GB')
  const line = [server, '-D', directory, ...settings.flatMap((one) => ['-c', one])]
  return launch(port, directory, [...owner, ...line], takesQueries, 'SIGQUIT')
}

/** PostgreSQL refuses to run as root, so root runs it as Debian's user for it. */
function ownerOf(directory) {
  if (process.geteuid?.() !== 0) return []
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  chownSync(directory, id('-u'), id('-g'))
  return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups']
}

async function launch(port, directory, line, isReady, signal = 'SIGTERM') {
  const [program, ...args] = [...pinned(CORES.load), ...line]
  const child = spawn(program, args, { cwd: directory, stdio: 'ignore' })
  await untilReady(child, () => isReady(port))
  return {
    port,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal)
        await once(child, 'exit')
      }
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function untilReady(child, isReady) {
  for (let tries = 0; tries < 400; tries += 1) {
    if (child.exitCode !== null) throw new Error(`an engine ended with ${child.exitCode}`)
    if (await isReady()) return
    await sleep(50)
  }
  throw new Error('an engine does not answer')
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => (socket.destroy(), resolve(true)))
    socket.on('error', () => resolve(false))
  })
}

/** It listens before it takes anybody in. */
function takesQueries(port) {
  const program = join(postgresPrograms(), 'pg_isready')
  return spawnSync(program, ['-h', '127.0.0.1', '-p', `${port}`], { stdio: 'ignore' }).status === 0
}

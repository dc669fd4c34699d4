/**
 * Real Redis servers for tests: one alone, one with a replica behind Sentinel, a cluster of six. Each is a
 * process of its own on a free port of 127.0.0.1, with its data in a directory that goes with it.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { freePort, isFree } from './free_port.ts'
import { suiteThatNeeds, type Suite } from './suite_needs.ts'

const run = promisify(execFile)

/** One server process. */
export interface TestRedis {
  readonly port: number
  readonly url: string
  /** Sends one command over a connection of its own. */
  cli(...words: string[]): Promise<string>
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void
  /** Starts it again on its port and data, after a signal ended it. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** Starts a server; `settings` are its command line, such as `--appendonly yes`. */
export async function startRedis(
  settings: readonly string[] = [],
  port?: number,
  program = 'redis-server',
): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-redis-'))
  const chosen = port ?? (await freePair())
  let child = launch(program, directory, chosen, settings)
  const server: TestRedis = {
    port: chosen,
    url: `redis://127.0.0.1:${chosen}`,
    cli: (...words) => cli(chosen, words),
    signal: (name) => void child.kill(name),
    async restart() {
      await ended(child)
      child = launch(program, directory, chosen, settings)
      await answers(server)
    },
    async close() {
      child.kill('SIGKILL')
      await ended(child)
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await answers(server)
  return server
}

function launch(
  program: string,
  directory: string,
  port: number,
  settings: readonly string[],
): ChildProcess {
  const place = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory]
  const own = [...place, '--save', '', '--repl-diskless-sync-delay', '0']
  const first: string[] = []
  if (program === 'redis-sentinel') {
    const file = join(directory, 'sentinel.conf')
    writeFileSync(file, `${settings.join('\n')}\n`)
    first.push(file, '--sentinel', '--port', `${port}`, '--bind', '127.0.0.1')
  }
  const words = first.length > 0 ? first : [...own, ...settings]
  const child = spawn('redis-server', words, { stdio: 'ignore' })
  // A test that fails before it closes it ends with its process, and then so does the server.
  const ends = 'cat > /dev/null; kill -9 "$0"; rm -rf "$1"'
  const watcher = spawn('sh', ['-c', ends, `${child.pid}`, directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.once('exit', () => watcher.kill('SIGKILL'))
  return child
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function cli(port: number, words: readonly string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-p', `${port}`, ...words], { timeout: 20_000 })
  return stdout.trim()
}

async function answers(server: TestRedis): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const pong = await server.cli('PING').catch(() => '')
    if (pong === 'PONG') return
    await sleep(50)
  }
  throw new Error(`redis-server on port ${server.port} does not answer`)
}

/** A port that is free, and the one 10000 above it too, on which the nodes of a cluster talk. */
async function freePair(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (await isFree(port + 10_000)) return port
  }
}

/** Three primaries with a replica each. */
export interface TestCluster {
  readonly nodes: readonly TestRedis[]
  /** Kills the primary that has `key`, and gives it. */
  killPrimaryOf(key: string): Promise<TestRedis>
  /** Waits until each primary has a replica that hears it, as before a next kill; empties all. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** `more` goes to the command line of each node. */
export async function startCluster(more: readonly string[] = []): Promise<TestCluster> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1500', ...more]
  const nodes: TestRedis[] = []
  for (let at = 0; at < 6; at += 1) nodes.push(await startRedis(settings))
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']
  await run('redis-cli', create, { timeout: 60_000 })
  await Promise.all(nodes.map(clusterIsUp))
  return {
    nodes,
    async killPrimaryOf(key) {
      const [first] = nodes
      const slot = Number(await first?.cli('CLUSTER', 'KEYSLOT', key))
      const port = ownerOf((await first?.cli('CLUSTER', 'NODES')) ?? '', slot)
      const primary = nodes.find((node) => node.port === port)
      if (primary === undefined) throw new Error(`nobody has slot ${slot}`)
      primary.signal('SIGKILL')
      return primary
    },
    settle: async () => void (await Promise.all(nodes.map(clusterIsUp))),
    async close() {
      await Promise.all(nodes.map((node) => node.close()))
    },
  }
}

function ownerOf(nodes: string, slot: number): number {
  for (const line of nodes.split('\n')) {
    const [, address = '', flags = '', , , , , , ...ranges] = line.split(' ')
    const owns = ranges.some((range) => {
      const [from = '', to = from] = range.split('-')
      return slot >= Number(from) && slot <= Number(to)
    })
    if (flags.includes('master') && owns) return Number(/:(\d+)@/.exec(address)?.[1])
  }
  return 0
}

async function clusterIsUp(node: TestRedis): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const [info, nodes] = await Promise.all([
      node.cli('CLUSTER', 'INFO'),
      node.cli('CLUSTER', 'NODES'),
    ])
    const known = nodes.split('\n').filter((line) => /master|slave/.test(line)).length
    if (info.includes('cluster_state:ok') && known === 6) return replicates(node)
    await sleep(50)
  }
  throw new Error('the cluster does not come up')
}

/** Waits until a replica has acknowledged a write of this primary: before that it could not take its place. */
async function replicates({ port }: TestRedis): Promise<void> {
  const client = new Redis(port, '127.0.0.1')
  try {
    const [role] = (await client.call('ROLE')) as readonly unknown[]
    if (role !== 'master') return
    await client.flushall()
    if ((await client.wait(1, 20_000)) < 1) throw new Error('no replica hears its primary')
  } finally {
    client.disconnect()
  }
}

/** A primary, its replica, and a Sentinel that promotes it within seconds. */
export async function startSentinel(): Promise<{
  readonly primary: TestRedis
  readonly replica: TestRedis
  readonly sentinel: TestRedis
  close(): Promise<void>
}> {
  const primary = await startRedis()
  const replica = await startRedis(['--replicaof', '127.0.0.1', `${primary.port}`])
  const settings = [
    `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 3000',
  ]
  const sentinel = await startRedis(settings, undefined, 'redis-sentinel')
  await replicates(primary)
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await sentinel.cli('SENTINEL', 'REPLICAS', 'main')).includes(`${replica.port}`)) break
    await sleep(100)
  }
  return {
    primary,
    replica,
    sentinel,
    close: async () =>
      void (await Promise.all([sentinel, replica, primary].map((one) => one.close()))),
  }
}

/** A suite that needs Redis. */
export const redisSuite: Suite = suiteThatNeeds('redis-server', 'redis', isInstalled)

function isInstalled(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

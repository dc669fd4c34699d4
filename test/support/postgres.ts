/**
 * A PostgreSQL server of a test's own, with data in a directory of its own, on 127.0.0.1; and a
 * pgbouncer before it for the tests of one. Both are stopped by their own process ids.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free_port.ts'
import { suiteThatNeeds, type Suite } from './suite_needs.ts'

export interface TestPostgres {
  readonly port: number
  /** The directory of the data. */
  readonly data: string
  /** A pool; all are ended with the server. */
  pool(config?: pg.PoolConfig): pg.Pool
  /** A database with nothing in it: its name. */
  freshDatabase(options?: string): Promise<string>
  /** Runs a statement as the superuser. */
  run(sql: string, database?: string): Promise<readonly { readonly [column: string]: unknown }[]>
  /** Stops the server at once, as a crash does, or starts it again. */
  stop(): Promise<void>
  start(): Promise<void>
  /** SIGSTOP and SIGCONT for every process of the server. */
  freeze(): void
  thaw(): void
  close(): Promise<void>
}

/** The directory with `initdb` and `postgres`; undefined when there is none. */
export function findPostgres(): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root)
    ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a))
    : []
  const found = [
    process.env['POSTGRES_BIN'] ?? '',
    ...versions.map((one) => join(root, one, 'bin')),
  ]
  return found.find((directory) => existsSync(join(directory, 'initdb')))
}

export function findPgbouncer(): string | undefined {
  return ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => existsSync(path))
}

/** Starts a server with new, empty data. */
export async function startPostgres(): Promise<TestPostgres> {
  const bin = findPostgres()
  if (bin === undefined) throw new Error('no PostgreSQL; apt-get install postgresql')
  const data = ownDirectory('mcp-oauth-postgres-')
  const port = await freePort()
  const initdb = asOwner([
    join(bin, 'initdb'),
    '-D',
    data,
    '-U',
    'test',
    '-A',
    'trust',
    '-E',
    'UTF8',
  ])
  execFileSync(initdb.command, [...initdb.args, '--locale=C', '--no-sync'], {
    cwd: data,
    stdio: 'pipe',
  })
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'fsync=off']
  settings.push('unix_socket_directories=', 'max_connections=200', 'deadlock_timeout=100ms')
  const pools: pg.Pool[] = []
  let server: ChildProcess | undefined

  function pool(config: pg.PoolConfig = {}): pg.Pool {
    const made = new pg.Pool({
      host: '127.0.0.1',
      port,
      user: 'test',
      database: 'postgres',
      ...config,
    })
    made.on('error', () => undefined)
    pools.push(made)
    return made
  }

  async function run(sql: string, database = 'postgres'): Promise<pg.QueryResultRow[]> {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'test', database })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }

  async function start(): Promise<void> {
    const command = [
      join(bin ?? '', 'postgres'),
      '-D',
      data,
      ...settings.flatMap((one) => ['-c', one]),
    ]
    server = startAsOwner(command, data)
    await untilReady(server, () => run('SELECT 1'))
  }

  async function stop(signal: NodeJS.Signals = 'SIGQUIT'): Promise<void> {
    const running = server
    server = undefined
    if (running !== undefined) await end(running, signal)
  }

  const signalAll = (signal: NodeJS.Signals): void => {
    const main = server?.pid
    if (main === undefined) return
    for (const pid of [main, ...childrenOf(main)]) {
      try {
        process.kill(pid, signal)
      } catch (error) {
        // One that has just ended by itself needs no signal.
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
      }
    }
  }

  await start()
  let made = 0
  return {
    port,
    data,
    pool,
    run,
    start,
    stop,
    async freshDatabase(options = '') {
      const name = `test_${(made += 1)}`
      await run(`CREATE DATABASE ${name} ${options}`)
      return name
    },
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
    async close() {
      signalAll('SIGCONT')
      for (const each of pools) {
        if (!each.ending) void each.end()
      }
      await stop()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** A pgbouncer in transaction pooling before `server`: its port, and how to stop it. */
export async function startPgbouncer(
  server: TestPostgres,
  database: string,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const directory = ownDirectory('mcp-oauth-pgbouncer-')
  const port = await freePort()
  const file = join(directory, 'pgbouncer.ini')
  const lines = ['[databases]', `${database} = host=127.0.0.1 port=${server.port} user=test`]
  lines.push('[pgbouncer]', 'listen_addr = 127.0.0.1', `listen_port = ${port}`, 'auth_type = any')
  lines.push('pool_mode = transaction', 'default_pool_size = 5', 'unix_socket_dir =')
  writeFileSync(file, `${lines.join('\n')}\n`)
  const child = startAsOwner([findPgbouncer() ?? '', '-q', file], directory)
  const config = { host: '127.0.0.1', port, user: 'test', database }
  await untilReady(child, async () => {
    const client = new pg.Client(config)
    client.on('error', () => undefined)
    await client.connect()
    await client.end()
  })
  return {
    port,
    async close() {
      await end(child, 'SIGINT')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** PostgreSQL refuses to run as root, so root runs it as Debian's user for it. */
function asOwner(command: readonly string[]): { command: string; args: readonly string[] } {
  const [program = '', ...args] = command
  if (process.geteuid?.() !== 0) return { command: program, args }
  return {
    command: 'setpriv',
    args: ['--reuid=postgres', '--regid=postgres', '--clear-groups', program, ...args],
  }
}

function startAsOwner(line: readonly string[], cwd: string): ChildProcess {
  const { command, args } = asOwner(line)
  return spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'ignore'] })
}

function ownDirectory(prefix: string): string {
  const directory = mkdtempSync(join(tmpdir(), prefix))
  if (process.geteuid?.() === 0) {
    const id = (flag: string): number =>
      Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
    chownSync(directory, id('-u'), id('-g'))
  }
  return directory
}

async function untilReady(child: ChildProcess, attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    try {
      await attempt()
      return
    } catch {
      await sleep(50)
    }
  }
  throw new Error('it does not answer')
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

function childrenOf(pid: number): readonly number[] {
  const text = execFileSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' })
  return text.split('\n').map(Number).filter(Boolean)
}

/** A suite that needs PostgreSQL. */
export const postgresSuite: Suite = suiteThatNeeds(
  'PostgreSQL',
  'postgresql',
  () => findPostgres() !== undefined,
)

/** A suite that needs PostgreSQL and pgbouncer. */
export const pgbouncerSuite: Suite = suiteThatNeeds(
  'PostgreSQL with pgbouncer',
  'postgresql pgbouncer',
  () => findPostgres() !== undefined && findPgbouncer() !== undefined,
)

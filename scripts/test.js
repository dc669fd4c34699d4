/**
 * `npm test`: sets up what is missing, then types, format, lint, layers, build and tests, and last the
 * rows of the attack catalogue that no test names. What follows `--` goes to vitest, which then runs
 * only that.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  build,
  buildDemo,
  checkNode,
  Fault,
  give,
  install,
  ROOT,
  run,
  say,
  tool,
} from './set_up.js'

/** Each version of PostgreSQL has a directory of its own here. */
const POSTGRES = '/usr/lib/postgresql'
/** What Debian asks before it starts a service: 101 says no. */
const POLICY = '/usr/sbin/policy-rc.d'

/** What some suites need and npm cannot give: what shows that it is there, and Debian's packages. */
const SYSTEM = [
  {
    file: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    packages: ['chromium', 'fonts-liberation'],
    suites: 'every suite that needs a browser (the sign-in end to end, and the pages)',
  },
  {
    file: `${POSTGRES}/<version>/bin/postgres`,
    isThere: hasPostgres,
    packages: ['postgresql'],
    suites: 'the store in PostgreSQL',
  },
  {
    file: '/usr/sbin/pgbouncer',
    packages: ['pgbouncer'],
    suites: 'the store in PostgreSQL behind a pooler',
  },
  {
    file: '/usr/bin/redis-server',
    packages: ['redis-server'],
    suites: 'the stores in Redis, its cluster, and Upstash, and the examples with them',
  },
  {
    file: '/usr/bin/python3',
    isThere: hasPython,
    packages: ['python3'],
    suites: 'the example of the gateway before a server in Python',
  },
]

const REPORT = join(ROOT, 'node_modules/.cache/mcp-oauth/tests.json')

async function main(args) {
  checkNode()
  await install()
  for (const need of SYSTEM) await provide(need)
  const only = args.length > 0
  if (!only) await checks()
  await build()
  await buildDemo()
  await test(args)
  if (!only) await node('the attack catalogue', 'scripts/threats.js', REPORT)
  close()
}

/** Installs it where that may be done, and says loudly what is left out where it may not. */
async function provide({ file, packages, suites, isThere = () => existsSync(file) }) {
  if (isThere()) return
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say(`Installing ${packages.join(' and ')} from the system's packages`)
    await apt(packages).catch((error) => say(error.message))
    if (isThere()) return
  }
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`
  const loud = `NOT TESTED: ${suites}, as there is no ${file}. To get it: ${command}`
  if (process.env.CI) throw new Fault(loud)
  say(loud)
}

async function apt(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] }
  await run('apt-get update', 'apt-get', ['update', '-qq'], quiet)
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  await unstarted(() => run('apt-get install', 'apt-get', install, quiet))
}

/** The tests start servers of their own: those that a package would start are kept from it. */
async function unstarted(installing) {
  const isOurs = !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await installing()
  } finally {
    if (isOurs) rmSync(POLICY)
  }
}

function hasPostgres() {
  return (
    existsSync(POSTGRES) &&
    readdirSync(POSTGRES).some((version) => existsSync(join(POSTGRES, version, 'bin/postgres')))
  )
}

function hasPython() {
  return spawnSync('python3', ['--version']).error === undefined
}

/** All of them, so that everything that is wrong is told in one go. */
async function checks() {
  const failed = []
  for (const [name, script, ...args] of [
    ['types', tool('typescript/bin/tsc'), '-p', 'tsconfig.json'],
    ['format', tool('prettier/bin/prettier.cjs'), '--check', '.'],
    ['lint', tool('oxlint/bin/oxlint'), '--deny-warnings'],
    ['layers', 'scripts/layers.js'],
  ]) {
    say(`Checking ${name}`)
    await node(name, script, ...args).catch(() => failed.push(name))
  }
  if (failed.length > 0) throw new Fault(`checks failed: ${failed.join(', ')}`)
}

async function test(args) {
  say(args.length > 0 ? `Testing ${args.join(' ')}` : 'Testing')
  rmSync(REPORT, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`]
  await node('vitest', tool('vitest/vitest.mjs'), 'run', ...reporters, ...args)
}

async function node(what, script, ...args) {
  await run(what, process.execPath, [script, ...args])
}

/** The last line, alone and plain, so that whatever runs this can count. */
function close() {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
    readFileSync(REPORT, 'utf8'),
  )
  const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : ''
  process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed${skipped}\n`)
}

main(process.argv.slice(2)).catch(give)

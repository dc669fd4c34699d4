/**
 * `npm run example`: says which examples there are. `npm run example <name>` starts one of them, in a copy
 * in `.data/examples/`, with the demo's identity provider as its upstream and whatever else it needs, and
 * says how to connect a client. `PORT` moves it, Ctrl-C ends all of it.
 */
import { join } from 'node:path'
import { showConnectLines } from './demo_connect.js'
import { bridge, checkFree, readPort } from './demo_ports.js'
import { createGroup, environment, onStop, print } from './demo_processes.js'
import { openState } from './demo_state.js'
import {
  copyExample,
  installExample,
  listExamples,
  mcpPathOf,
  readSettings,
} from './example_project.js'
import { checkPrograms, MORE_PORTS, serversFor, USUAL_PORT } from './example_servers.js'
import { build, buildDemo, checkNode, Fault, give, install, npm, ROOT, say } from './set_up.js'

/** An example may build first. */
const READY_WITHIN = 180_000

async function main([name, ...more]) {
  checkNode()
  if (process.env.NODE_ENV === 'production') {
    throw new Fault('examples run with a demo as upstream, and not under NODE_ENV=production')
  }
  const examples = listExamples()
  if (name === undefined) return showList(examples)
  if (more.length > 0 || !examples.some((example) => example.name === name)) {
    const names = examples.map((example) => example.name).join(', ')
    throw new Fault(`"${[name, ...more].join(' ')}" is no example; there are ${names}`)
  }
  await startExample(name, readPort(process.env.PORT, USUAL_PORT, MORE_PORTS))
}

function showList(examples) {
  const width = Math.max(...examples.map(({ name }) => name.length))
  const lines = examples.map(
    ({ name, description }) => `  npm run example ${name.padEnd(width)}  ${description}`,
  )
  process.stdout.write(`Each starts with one command:\n\n${lines.join('\n')}\n`)
}

async function startExample(name, port) {
  // Redis has much to say to who runs it for years.
  const group = createGroup((from, line) => from === 'Redis' || print(from, line))
  const stopped = new Promise((stop) => {
    onStop(() => stop(group.stop()), group.kill)
  })
  const command = `npm run example ${name}`
  // Somebody else may have the ports that most people try first.
  await checkFree([port], command)
  checkPrograms(Object.keys(readSettings(name)))
  await install()
  await build()
  await buildDemo()
  const project = await prepare(name, port, command)
  const unbridge = await bridge(port, command)
  try {
    await Promise.race([start(group, project), stopped])
    await Promise.race([group.ended, stopped])
    say('Stopped')
  } finally {
    unbridge()
    await group.stop()
  }
}

/** The copy, with its settings written and its packages installed. */
async function prepare(name, port, command) {
  const data = process.env.MCP_OAUTH_DEMO_DATA ?? join(ROOT, '.data')
  const directory = join(data, 'examples', name)
  const state = openState(join(data, 'example_state', name))
  const wanted = readSettings(name)
  const servers = serversFor(Object.keys(wanted), port, state)
  await checkFree(servers.ports, command)
  const settings = Object.fromEntries(
    Object.entries(wanted).map(([setting, value]) => [
      setting,
      servers.settings[setting] ?? value.replace(`localhost:${USUAL_PORT}`, `localhost:${port}`),
    ]),
  )
  copyExample(name, directory, settings)
  await installExample(name, directory, state.directory)
  const url = `http://localhost:${port}${mcpPathOf(name)}`
  return { name, port, directory, servers, issuer: settings.MCP_OAUTH_ISSUER, url, wanted }
}

async function start(group, { name, directory, servers, issuer, url, wanted }) {
  const env = { ...environment(), NEXT_TELEMETRY_DISABLED: '1', WRANGLER_SEND_METRICS: 'false' }
  for (const setting of Object.keys(wanted)) delete env[setting]
  await servers.start(group, env, issuer)
  say(`Starting examples/${name} (npm start, in ${directory})`)
  const [command, args, options] = npm('start', '--silent')
  group.start(name, command, args, { ...options, cwd: directory, env, apart: true })
  await Promise.race([untilReady(url), group.ended])
  process.stdout.write(`
${showConnectLines(url, name)}

Sign in as Ada or Grace, and call its tools. Ctrl-C stops it.
It runs in ${directory}, which is copied anew from examples/${name} at each start.

`)
}

/** Ready is who asks for a token. */
async function untilReady(url) {
  const deadline = Date.now() + READY_WITHIN
  while (Date.now() < deadline) {
    const answer = await fetch(url, { method: 'POST' }).catch(() => undefined)
    if (answer?.status === 401) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Fault(`the example was not ready within ${READY_WITHIN / 1000} seconds`)
}

main(process.argv.slice(2)).then(() => process.exit(0), give)

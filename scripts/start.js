/**
 * `npm start`: the demo. Sets up what is missing, then starts the gateway on http://localhost:8787
 * (`PORT` moves it) with a small MCP server behind it and an identity provider beside it, and says how
 * to connect a client. Ctrl-C ends all of it; what was kept in `.data/` is there at the next start.
 */
import { join } from 'node:path'
import { showConnectLines } from './demo_connect.js'
import { reachesOutside } from './demo_outside.js'
import { bridge, checkFree, readPort } from './demo_ports.js'
import { createGroup, environment, onStop, print } from './demo_processes.js'
import {
  addresses,
  CLI,
  demoServer,
  openState,
  serverSettings,
  writeGatewayConfig,
} from './demo_state.js'
import { build, buildDemo, checkNode, Fault, give, install, ROOT, say } from './set_up.js'

const PORT = 8787
const READY_WITHIN = 20_000

async function main() {
  checkNode()
  if (process.env.NODE_ENV === 'production') {
    throw new Fault('this is a demo, and does not run under NODE_ENV=production')
  }
  const group = createGroup(print)
  const stopped = new Promise((stop) => {
    // Ctrl-C reaches the children too: none of them ends unexpectedly from here on.
    onStop(() => stop(group.stop()), group.kill)
  })
  const at = addresses(readPort(process.env.PORT, PORT, 2))
  const ports = [at.gateway.port, at.mcpServer.port, at.identityProvider.port]
  await checkFree(ports, 'npm start')
  await install()
  await build()
  await buildDemo()
  const unbridge = await bridge(at.gateway.port, 'npm start')
  try {
    await Promise.race([start(group, at), stopped])
    await Promise.race([group.ended, stopped])
    say('Stopped')
  } finally {
    unbridge()
    await group.stop()
  }
}

async function start(group, at) {
  const outside = reachesOutside()
  const state = openState(process.env.MCP_OAUTH_DEMO_DATA ?? join(ROOT, '.data'))
  const settings = serverSettings(state, at)
  const env = environment()
  say(`Starting the demo identity provider on ${at.identityProvider.issuer}`)
  await group.startServer('identity provider', demoServer('identity_provider'), {
    ...env,
    ...settings.identityProvider,
  })
  say(`Starting the demo MCP server on ${at.mcpServer.url}`)
  await group.startServer('MCP server', demoServer('mcp_server'), { ...env, ...settings.mcpServer })
  const documents = await outside
  if (!documents) {
    say('claude.ai and chatgpt.com are out of reach: clients register, and name no document there')
  }
  say(`Starting the gateway on ${at.gateway.issuer}`)
  const config = writeGatewayConfig(state, at, documents)
  const flags = ['--config', config, '--port', `${at.gateway.port}`, '--host', '127.0.0.1']
  group.start('gateway', process.execPath, [CLI, 'gateway', ...flags], { env })
  await Promise.race([untilReady(at.gateway.port), group.ended])
  greet(at)
}

function greet(at) {
  process.stdout.write(`
${showConnectLines(at.gateway.url, 'mcp-oauth-demo')}

Sign in as Ada or Grace, and call whoami, list_notes, add_note and delete_note.
Everything is kept in .data/ · Ctrl-C stops it.

`)
}

async function untilReady(port) {
  const deadline = Date.now() + READY_WITHIN
  while (Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Fault(`the gateway was not ready within ${READY_WITHIN / 1000} seconds`)
}

main().then(() => process.exit(0), give)

/**
 * What an example is given, told by the settings that it reads: the demo's identity provider, a Redis, a
 * REST endpoint before that, each on a port after the example's own. Keys and secrets are made once.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { CLIENT_ID, demoServer, identityProviderSettings } from './demo_state.js'
import { Fault, say } from './set_up.js'

/** The port that examples have in their `.env.example`. */
export const USUAL_PORT = 3000
/** How many ports after it may be taken. */
export const MORE_PORTS = 4

const REDIS_WITHIN = 10_000

/**
 * The servers for an example that reads `names`, on the ports after `port`: the ports they take, the
 * settings they lead to, and how they are started.
 */
export function serversFor(names, port, { directory, keys, client_secret }) {
  const has = (name) => names.includes(name)
  const idp = { port: port + 1, issuer: `http://127.0.0.1:${port + 1}` }
  const redis = needsRedis(names) ? port + 2 : undefined
  const rest = has('KV_REST_API_URL') ? port + 3 : undefined
  const backend = has('MCP_OAUTH_TO') ? port + 4 : undefined
  const token = randomBytes(32).toString('base64url')
  return {
    ports: [port, idp.port, redis, rest, backend].filter((one) => one !== undefined),
    settings: {
      PORT: `${port}`,
      MCP_OAUTH_KEYS: keys,
      OIDC_ISSUER: idp.issuer,
      OIDC_CLIENT_ID: CLIENT_ID,
      OIDC_CLIENT_SECRET: client_secret,
      MCP_OAUTH_UPSTREAM: idp.issuer,
      MCP_OAUTH_UPSTREAM_CLIENT_ID: CLIENT_ID,
      MCP_OAUTH_UPSTREAM_CLIENT_SECRET: client_secret,
      MCP_OAUTH_TO: `http://127.0.0.1:${backend}/mcp`,
      REDIS_URL: `redis://127.0.0.1:${redis}`,
      KV_REST_API_URL: `http://127.0.0.1:${rest}`,
      KV_REST_API_TOKEN: token,
    },
    async start(group, env, issuer) {
      say(`Starting the demo identity provider on ${idp.issuer}`)
      const settings = identityProviderSettings({ directory, client_secret }, idp.port, issuer)
      await group.startServer('identity provider', demoServer('identity_provider'), {
        ...env,
        ...settings,
      })
      if (redis !== undefined) await startRedis(group, env, redis, join(directory, 'redis'))
      if (rest !== undefined) await startRest(group, env, rest, redis, token)
    },
  }
}

function needsRedis(names) {
  return names.includes('REDIS_URL') || names.includes('KV_REST_API_URL')
}

async function startRedis(group, env, port, directory) {
  say(`Starting Redis on 127.0.0.1:${port}`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const place = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', directory]
  const settings = ['--appendonly', 'yes', '--save', '', '--loglevel', 'warning']
  group.start('Redis', 'redis-server', [...place, ...settings], { env, apart: true })
  await Promise.race([untilAccepts(port), group.ended])
}

async function startRest(group, env, port, redis, token) {
  say(`Starting a REST endpoint such as Upstash has on http://127.0.0.1:${port}`)
  await group.startServer('REST endpoint', demoServer('redis_rest'), {
    ...env,
    DEMO_PORT: `${port}`,
    DEMO_REDIS: `redis://127.0.0.1:${redis}`,
    DEMO_TOKEN: token,
  })
}

/** @throws Fault when a program is missing that an example that reads `names` needs. */
export function checkPrograms(names) {
  if (!needsRedis(names)) return
  const { error } = spawnSync('redis-server', ['--version'])
  if (error === undefined) return
  const command = process.platform === 'darwin' ? 'brew install redis' : 'apt-get install redis'
  throw new Fault(`this example needs redis-server, which is not installed: ${command}`)
}

async function untilAccepts(port) {
  const deadline = Date.now() + REDIS_WITHIN
  while (Date.now() < deadline) {
    if (await accepts(port)) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Fault(`Redis was not ready within ${REDIS_WITHIN / 1000} seconds`)
}

function accepts(port) {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port })
    for (const event of ['connect', 'error']) {
      socket.once(event, () => {
        socket.destroy()
        done(event === 'connect')
      })
    }
  })
}

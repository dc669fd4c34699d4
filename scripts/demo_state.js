/**
 * What the demo keeps between two starts, in `.data/`: its keys, the secret that gateway and identity
 * provider share, and the gateway's config file, which is written anew at each start.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from './set_up.js'

export const CLIENT_ID = 'mcp-oauth-demo'
export const CLI = join(ROOT, 'dist/cli/main.js')

/** Where everything is: the gateway at `port`, its two servers at the next two. */
export function addresses(port) {
  return {
    gateway: { port, url: `http://localhost:${port}/mcp`, issuer: `http://localhost:${port}` },
    mcpServer: { port: port + 1, url: `http://127.0.0.1:${port + 1}/mcp` },
    // Not `localhost`: the cookies of the two origins must not meet, and cookies ignore the port.
    identityProvider: { port: port + 2, issuer: `http://127.0.0.1:${port + 2}` },
  }
}

/** Files that only this user can read. `directory` is made when it is not there. */
export function openState(directory) {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  const path = join(directory, 'demo.json')
  if (!existsSync(path)) writePrivate(path, json({ keys: newKey(), client_secret: newSecret() }))
  return { directory, ...JSON.parse(readFileSync(path, 'utf8')) }
}

/**
 * The gateway's config file, a module, as anybody would write one: the upstream is built by code, for a
 * name on the consent page. `documents` is whether clients may name a metadata document. Gives its path.
 */
export function writeGatewayConfig({ directory, keys, client_secret }, at, documents) {
  const path = join(directory, 'gateway.mjs')
  const door = pathToFileURL(join(ROOT, 'dist/upstream.js')).href
  const upstream = {
    issuer: at.identityProvider.issuer,
    name: 'Demo identity provider',
    client_id: CLIENT_ID,
    client_secret,
  }
  const config = {
    issuer: at.gateway.issuer,
    resource: at.gateway.url,
    to: at.mcpServer.url,
    name: 'Demo notes',
    keys,
    store: `sqlite:${join(directory, 'mcp-oauth.db')}`,
    identity: ['headers', 'upstream_token'],
    scopes: {
      'notes:read': 'See your notes and add to them',
      'notes:write': { description: 'Delete your notes', implies: ['notes:read'] },
    },
    // What a client gets at first; the tool below makes it come back for more.
    defaultScope: ['notes:read'],
    tools: { delete_note: ['notes:write'] },
    allow: { domains: ['example.com'] },
    clientIdMetadataDocuments: { enabled: documents },
  }
  writePrivate(
    path,
    `import { oidc } from ${json(door)}

const upstream = oidc(${json(upstream)})

export const config = { upstream, ...${json(config)} }
`,
  )
  return path
}

/** The settings of the demo's own two servers, as their environment. */
export function serverSettings({ directory, client_secret }, at) {
  return {
    identityProvider: identityProviderSettings(
      { directory, client_secret },
      at.identityProvider.port,
      at.gateway.issuer,
    ),
    mcpServer: {
      DEMO_PORT: `${at.mcpServer.port}`,
      DEMO_FILE: join(directory, 'notes.json'),
      DEMO_USERINFO: `${at.identityProvider.issuer}/me`,
    },
  }
}

/** Of the identity provider on `port`, as the upstream of whoever is `issuer`. */
export function identityProviderSettings({ directory, client_secret }, port, issuer) {
  return {
    DEMO_PORT: `${port}`,
    DEMO_FILE: join(directory, 'identity_provider.json'),
    DEMO_CLIENT_ID: CLIENT_ID,
    DEMO_CLIENT_SECRET: client_secret,
    DEMO_REDIRECT_URI: `${issuer}/callback`,
  }
}

/** The script of one of the demo's own servers. */
export function demoServer(name) {
  return join(ROOT, 'demo/dist', `${name}.js`)
}

function newKey() {
  return execFileSync(process.execPath, [CLI, 'keys', 'generate'], { encoding: 'utf8' }).trim()
}

function newSecret() {
  return randomBytes(32).toString('base64url')
}

function json(value) {
  return JSON.stringify(value, undefined, 2)
}

/** A file that only this user can read. */
export function writePrivate(path, text) {
  writeFileSync(path, text, { mode: 0o600 })
  chmodSync(path, 0o600)
}

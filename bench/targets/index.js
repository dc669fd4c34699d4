/**
 * What is measured. `needs` are packages of `package.json` beside it, `engine` a server that must be
 * installed, `node` the oldest Node that it runs on, `workloads` where it takes part.
 */
import { KEY } from './key.js'

const RATES = ['refresh', 'sign-in', 'call']
const GATEWAY = ['gateway-call', 'gateway-large', 'gateway-body', 'gateway-streams']

export const TARGETS = {
  floor: {
    label: 'floor: bare node:http',
    file: 'floor_http.js',
    isFloor: true,
    workloads: [...RATES, 'first-call', 'start'],
  },
  'floor-postgres': floorOf('PostgreSQL', 'postgres'),
  'floor-redis': floorOf('Redis', 'redis'),
  ours: ours('memory', { workloads: [...RATES, 'first-call', 'growth', 'start'] }),
  'ours-sqlite': ours('SQLite', {
    workloads: [...RATES, 'first-call', 'growth', 'start'],
  }),
  'ours-sqlite-power': ours('SQLite', {
    label: 'ours, SQLite, safe from power cuts',
    settings: { store: 'sqlite', durability: 'power' },
    workloads: ['refresh', 'sign-in'],
  }),
  'ours-postgres': ours('PostgreSQL', {
    engine: 'postgres',
    workloads: [...RATES, 'first-call', 'growth', 'replicas'],
  }),
  'ours-redis': ours('Redis', {
    engine: 'redis',
    workloads: [...RATES, 'first-call', 'growth', 'replicas'],
  }),
  'ours-page': ours('SQLite', {
    label: 'ours, SQLite, over the consent page',
    settings: { store: 'sqlite', answers: 'page' },
    workloads: ['sign-in'],
  }),
  'ours-upstream': ours('SQLite', {
    label: 'ours, SQLite, over page, provider and callback',
    settings: { store: 'sqlite', answers: 'page', upstream: 'provider' },
    workloads: ['sign-in'],
  }),
  gateway: {
    label: 'ours, the gateway, SQLite',
    file: 'gateway.js',
    settings: { store: 'sqlite' },
    workloads: ['refresh', ...GATEWAY],
  },
  'gateway-command': {
    label: 'ours, `mcp-oauth gateway`',
    command: {
      program: 'cli/main.js',
      args: ['gateway', '--to', 'http://127.0.0.1:9/mcp', '--upstream', 'github'],
    },
    environment: {
      MCP_OAUTH_KEYS: KEY,
      MCP_OAUTH_UPSTREAM_CLIENT_ID: 'benchmark',
      MCP_OAUTH_UPSTREAM_CLIENT_SECRET: 'benchmark',
    },
    workloads: ['start'],
  },
  proxy: { label: 'bare Node reverse proxy', file: 'proxy.js', isFloor: true, workloads: GATEWAY },
  'sdk-v1': peer('mcpAuthRouter of the SDK v1', 'sdk_v1.js', [
    '@modelcontextprotocol/sdk',
    'express',
  ]),
  'sdk-legacy': peer('mcpAuthRouter, frozen in v2', 'sdk_legacy.js', [
    '@modelcontextprotocol/server-legacy',
    'express',
  ]),
  'oidc-provider': peer('oidc-provider, opaque tokens, maps', 'oidc_provider.js', [
    'oidc-provider',
  ]),
  'better-auth': peer(
    'better-auth, OAuth provider, SQLite',
    'better_auth.js',
    ['better-auth', '@better-auth/oauth-provider'],
    { node: 22 },
  ),
  'node-oauth': peer('@node-oauth/oauth2-server', 'node_oauth.js', ['@node-oauth/oauth2-server']),
  workers: peer('workers-oauth-provider on Node', 'workers_oauth_provider.js', [
    '@cloudflare/workers-oauth-provider',
  ]),
  'mcp-handler': guard('withMcpAuth of mcp-handler', 'mcp_handler.js', ['mcp-handler']),
  'jose-hs256': jwt('HS256'),
  'jose-rs256': jwt('RS256'),
  'jose-es256': jwt('ES256'),
  'jose-eddsa': jwt('EdDSA'),
}

function floorOf(name, engine) {
  return {
    label: `floor: one read and one write in ${name}`,
    file: 'floor_store.js',
    settings: { store: engine },
    engine,
    workloads: ['refresh'],
  }
}

function jwt(alg) {
  return { ...guard(`JWT, ${alg}, with jose`, 'jose.js', ['jose']), settings: { alg } }
}

function guard(label, file, needs) {
  return { label, file, needs, workloads: ['call'] }
}

function peer(label, file, needs, more = {}) {
  return { label, file, needs, workloads: [...RATES, 'start'], ...more }
}

function ours(store, more) {
  return {
    label: `ours, ${store}`,
    file: 'ours.js',
    settings: { store: store.toLowerCase().replace('postgresql', 'postgres') },
    ...more,
  }
}

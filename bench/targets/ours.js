/**
 * This package as a library on node:http, over the store that the settings name. Everything is as it is by
 * default, but for the rate limits: the load comes from one address.
 *
 * The user of `/authorize` answers in this process, see `user.js`; `/authorize/page` shows the page.
 */
import { createHash } from 'node:crypto'
import { answerOf, serveTool, writeJson } from './tool.js'
import { openStore } from './ours_store.js'
import { createSeeds } from './ours_seeds.js'
import { answerForUser } from './user.js'

const { SERVER_OPTIONS } = await import(`${process.env.BENCH_DIST}/node.js`)
export const serverOptions = SERVER_OPTIONS

const UNLIMITED = { authorize: 0, token: 0, register: 0, introspect: 0 }

export async function start({ server, origin, settings }) {
  const dist = process.env.BENCH_DIST
  const { createMcpOAuth } = await import(`${dist}/index.js`)
  const { hardenServer, protectNode, toNodeHandler } = await import(`${dist}/node.js`)
  const keys = [KEY]
  const { store, sizes } = await openStore(settings)
  const auth = createMcpOAuth({
    issuer: origin,
    resource: `${origin}/mcp`,
    keys,
    store,
    scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
    upstream: await upstreamOf(settings.upstream, origin),
    rateLimits: UNLIMITED,
    registration: { maxPerHour: 0 },
  })
  hardenServer(server)
  const oauth = toNodeHandler(auth)
  const guarded = protectNode(auth, (_req, res, message) => writeJson(res, answerOf(message)))
  server.on('request', (req, res) => {
    if (req.url === '/mcp') return guarded(req, res)
    if (req.url === '/open') return serveTool(req, res)
    if (settings.answers !== 'page' && req.url.startsWith('/authorize?'))
      return answerForUser(auth, req, res)
    oauth(req, res)
  })
  const paths = { token: '/token', register: '/register', authorize: '/authorize', mcp: '/mcp' }
  return {
    place: {
      paths: { ...paths, open: '/open' },
      resource: `${origin}/mcp`,
      signIn: settings.answers === 'page' ? 'page' : 'plain',
      hasLogin: settings.upstream !== 'provider',
    },
    seed: createSeeds({ auth, store, keys, settings }),
    sizes,
    close: () => auth.close(),
  }
}

/** Of the benchmark only: replicas share it. */
const KEY = `mok_${createHash('sha256').update('the benchmark').digest('base64url')}`

/** The app's own login, in which everybody is signed in; or a provider that lets everybody in at once. */
async function upstreamOf(kind, origin) {
  const { session } = await import(`${process.env.BENCH_DIST}/upstream.js`)
  if (kind === 'provider') return provider
  return session({
    name: 'Example app',
    issuer: origin,
    identify: ({ headers }) => {
      const [, sub] = /(?:^|; )user=(\w+)/.exec(headers.get('cookie') ?? '') ?? []
      return sub === undefined ? undefined : { sub, name: `The user ${sub}` }
    },
    signInUrl: (return_to) => `${origin}/login?next=${encodeURIComponent(return_to)}`,
  })
}

const provider = {
  type: 'redirect',
  id: 'example',
  name: 'Example ID',
  authorizationUrl: async ({ state }) => `https://id.example/authorize?state=${state}`,
  async exchange(query) {
    const sub = new URLSearchParams(query).get('code')
    const token_endpoint = 'https://id.example/token'
    const [access_token, refresh_token] = [`upstream access ${sub}`, `upstream refresh ${sub}`]
    const tokens = { access_token, refresh_token, expires_in: 7200, scope: ['api'], token_endpoint }
    const user = { issuer: 'https://id.example', sub, email_verified: false }
    return { tokens, user: { ...user, name: `The user ${sub}`, email: undefined } }
  },
  refresh: () => Promise.reject(new Error('not asked here')),
  revoke: async () => {},
}

/** The server of this package, the same for library and gateway. */
import { DIST } from './dist.js'
import { KEY } from './key.js'
import { openStore } from './ours_store.js'
import { createSeeds } from './ours_seeds.js'

/** The load comes from one address. */
const UNLIMITED = { authorize: 0, token: 0, register: 0, introspect: 0 }

/** Everything is as it is by default, but for the limits on one address. `around` may wrap the store. */
export async function createAuth(origin, settings, around = (store) => store) {
  const { createMcpOAuth } = await import(`${DIST}/index.js`)
  const { store: opened, sizes } = await openStore(settings)
  const store = around(opened)
  const keys = [KEY]
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
  return { auth, keys, sizes, seed: createSeeds({ auth, store, keys, settings }) }
}

/** The app's own login, in which everybody is signed in; or a provider that lets everybody in at once. */
async function upstreamOf(kind, origin) {
  const { session } = await import(`${DIST}/upstream.js`)
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

/** The server of this package, the same for library and gateway. */
import { openProvider } from '../../scripts/open_provider.js'
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
  if (kind === 'provider') return openProvider
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

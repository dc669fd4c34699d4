/** This package as the gateway, in front of the backend that the settings name. */
import { DIST } from './dist.js'
import { createAuth } from './ours_auth.js'

const { createGateway } = await import(`${DIST}/gateway.js`)
const { hardenServer, SERVER_OPTIONS } = await import(`${DIST}/node.js`)
export const serverOptions = SERVER_OPTIONS

export async function start({ server, origin, settings }) {
  const { auth, keys, seed, sizes } = await createAuth(origin, settings)
  const resource = `${origin}/mcp`
  const backends = { [resource]: { to: settings.to ?? 'http://127.0.0.1:9/mcp' } }
  // One user of the load has more streams open than people have.
  const gateway = createGateway({ auth, keys, backends, callsPerUser: 0 })
  hardenServer(server)
  server.on('request', (req, res) => gateway.handler(req, res))
  const paths = { token: '/token', register: '/register', authorize: '/authorize', mcp: '/mcp' }
  return {
    place: { paths, resource, signIn: 'page', hasLogin: true },
    seed,
    sizes,
    async close() {
      await gateway.close(0)
      await auth.close()
    },
  }
}

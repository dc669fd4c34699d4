/**
 * This package as a library on node:http, over the store that the settings name. By default the user of
 * `/authorize` answers within this process, see `user.js`; with `page` it is the page that is answered.
 */
import { DIST } from './dist.js'
import { createAuth } from './ours_auth.js'
import { answerOf, serveTool, writeJson } from './tool.js'
import { answerForUser } from './user.js'

const { hardenServer, protectNode, SERVER_OPTIONS, toNodeHandler } = await import(`${DIST}/node.js`)
export const serverOptions = SERVER_OPTIONS

export async function start({ server, origin, settings }) {
  const { auth, seed, sizes } = await createAuth(origin, settings)
  const showsPage = settings.answers === 'page'
  hardenServer(server)
  const oauth = toNodeHandler(auth)
  const guarded = protectNode(auth, (_req, res, message) => writeJson(res, answerOf(message)))
  server.on('request', (req, res) => {
    if (req.url === '/mcp') return guarded(req, res)
    if (req.url === '/open') return serveTool(req, res)
    if (!showsPage && req.url.startsWith('/authorize?')) return answerForUser(auth, req, res)
    oauth(req, res)
  })
  const paths = { token: '/token', register: '/register', authorize: '/authorize', mcp: '/mcp' }
  return {
    place: {
      paths: { ...paths, open: '/open' },
      resource: `${origin}/mcp`,
      signIn: showsPage ? 'page' : 'plain',
      hasLogin: settings.upstream !== 'provider',
    },
    seed,
    sizes,
    close: () => auth.close(),
  }
}

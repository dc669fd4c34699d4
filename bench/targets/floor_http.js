/**
 * The floor: a bare `node:http` server that answers the same bytes and checks nothing but that there is a
 * token at all. What a server costs beside it is what it does; below it nobody can be.
 */
import { answerOf, readText, serveTool, writeJson } from './tool.js'

const PATHS = { token: '/token', register: '/register', authorize: '/authorize', mcp: '/mcp' }

export function start({ server, origin }) {
  let made = 0
  const tokens = () => {
    made += 1
    const id = String(made).padStart(12, '0')
    return {
      access_token: `at_${id}${'a'.repeat(200)}`,
      refresh_token: `rt_${id}${'r'.repeat(120)}`,
    }
  }
  server.on('request', (req, res) => {
    const { url } = req
    if (url === PATHS.token) return void answerForm(req, res, tokens())
    if (url === PATHS.mcp) return void call(req, res)
    if (url === '/open') return serveTool(req, res)
    if (url.startsWith(PATHS.authorize)) return authorize(req, res)
    if (url === PATHS.register) return void register(req, res)
    writeJson(res, '{"error":"not_found"}', 404)
  })
  return {
    place: { paths: { ...PATHS, open: '/open' }, resource: `${origin}/mcp`, signIn: 'plain' },
    seed: (count) => Array.from({ length: count }, () => ({ client_id: 'client', ...tokens() })),
  }
}

async function answerForm(req, res, tokens) {
  await readText(req)
  const answer = { ...tokens, token_type: 'Bearer', expires_in: 3600, scope: 'notes:read' }
  writeJson(res, JSON.stringify(answer))
}

async function call(req, res) {
  const text = await readText(req)
  const token = req.headers.authorization ?? ''
  if (!/^Bearer at_\d{12}a{200}$/.test(token))
    return writeJson(res, '{"error":"invalid_token"}', 401)
  writeJson(res, answerOf(JSON.parse(text)))
}

async function register(req, res) {
  const metadata = JSON.parse(await readText(req))
  writeJson(res, JSON.stringify({ ...metadata, client_id: 'client' }), 201)
}

function authorize(req, res) {
  const query = new URLSearchParams(req.url.slice(req.url.indexOf('?')))
  const back = new URLSearchParams({ code: 'c'.repeat(80), state: query.get('state') })
  res
    .writeHead(302, { location: `${query.get('redirect_uri')}?${back}`, 'content-length': 0 })
    .end()
}

/** @node-oauth/oauth2-server on bare node:http, over maps. It has no registration, so a map is one. */
import { randomBytes } from 'node:crypto'
import OAuth2Server from '@node-oauth/oauth2-server'
import { answerOf, readText, serveTool, writeJson } from './tool.js'

const { Request, Response } = OAuth2Server

export function start({ server, origin }) {
  const clients = new Map()
  const oauth = new OAuth2Server({
    model: createModel(clients),
    requireClientAuthentication: { authorization_code: false, refresh_token: false },
    alwaysIssueNewRefreshToken: true,
  })
  const routes = { '/token': token, '/register': register, '/authorize': authorize, '/mcp': call }

  async function token(req, res) {
    const request = await read(req)
    const response = new Response({})
    await oauth.token(request, response)
    write(res, response)
  }

  async function authorize(req, res) {
    const request = await read(req)
    const response = new Response({})
    const authenticateHandler = { handle: () => ({ id: 'ada' }) }
    await oauth.authorize(request, response, { authenticateHandler })
    write(res, response)
  }

  async function register(req, res) {
    const metadata = JSON.parse(await readText(req))
    const id = randomBytes(16).toString('hex')
    const { redirect_uris: redirectUris, grant_types: grants } = metadata
    clients.set(id, { id, redirectUris, grants })
    writeJson(res, JSON.stringify({ ...metadata, client_id: id }), 201)
  }

  async function call(req, res) {
    const text = await readText(req)
    const { method, headers } = req
    await oauth.authenticate(new Request({ method, headers, query: {} }), new Response({}))
    writeJson(res, answerOf(JSON.parse(text)))
  }

  server.on('request', (req, res) => {
    if (req.url === '/open') return serveTool(req, res)
    const [path] = req.url.split('?', 1)
    const route = routes[path] ?? notFound
    route(req, res).catch((error) => {
      writeJson(res, JSON.stringify({ error: error.name }), error.code ?? 500)
    })
  })
  const paths = { token: '/token', register: '/register', authorize: '/authorize', mcp: '/mcp' }
  const place = { paths: { ...paths, open: '/open' }, resource: `${origin}/mcp`, signIn: 'plain' }
  return { place }
}

async function notFound(_req, res) {
  writeJson(res, '{"error":"not_found"}', 404)
}

function createModel(clients) {
  const [codes, access, refresh] = [new Map(), new Map(), new Map()]
  return {
    getClient: (id) => clients.get(id),
    saveAuthorizationCode: (code, client, user) => {
      const kept = { ...code, client, user }
      codes.set(code.authorizationCode, kept)
      return kept
    },
    getAuthorizationCode: (code) => codes.get(code),
    revokeAuthorizationCode: ({ authorizationCode }) => codes.delete(authorizationCode),
    saveToken(token, client, user) {
      const kept = { ...token, client, user }
      access.set(token.accessToken, kept)
      refresh.set(token.refreshToken, kept)
      return kept
    },
    getAccessToken: (token) => access.get(token),
    getRefreshToken: (token) => refresh.get(token),
    revokeToken({ accessToken, refreshToken }) {
      access.delete(accessToken)
      return refresh.delete(refreshToken)
    },
    validateScope: (_user, _client, scope) => scope,
  }
}

async function read(req) {
  const url = new URL(req.url, 'http://localhost')
  const body =
    req.method === 'POST' ? Object.fromEntries(new URLSearchParams(await readText(req))) : {}
  const { method, headers } = req
  return new Request({ method, headers, body, query: Object.fromEntries(url.searchParams) })
}

function write(res, { status, headers, body }) {
  const text = body === undefined || status === 302 ? '' : JSON.stringify(body)
  res.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': text.length,
  })
  res.end(text)
}

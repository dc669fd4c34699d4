/** `withMcpAuth` of mcp-handler around a Fetch handler, over a map of tokens: a guard without a server. */
import { randomBytes } from 'node:crypto'
import { withMcpAuth } from 'mcp-handler'
import { serveFetch } from './fetch_edge.js'
import { answerOf } from './tool.js'

export function start({ server, origin }) {
  const tokens = new Map()
  const verify = (_request, token) => tokens.get(token)
  const guarded = withMcpAuth(answer, verify, { required: true, requiredScopes: ['notes:read'] })
  serveFetch(server, origin, (request) =>
    new URL(request.url).pathname === '/open' ? answer(request) : guarded(request),
  )
  return {
    place: { paths: { mcp: '/mcp', open: '/open' }, resource: `${origin}/mcp` },
    seed: (count) => Array.from({ length: count }, () => ({ access_token: issue(tokens) })),
  }
}

function issue(tokens) {
  const token = randomBytes(32).toString('base64url')
  const expiresAt = Math.floor(Date.now() / 1000) + 86_400
  tokens.set(token, { token, clientId: 'client', scopes: ['notes:read'], expiresAt })
  return token
}

async function answer(request) {
  const body = answerOf(await request.json())
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

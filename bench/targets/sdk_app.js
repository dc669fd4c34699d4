/**
 * The authorization server of the MCP SDK, of v1 and of the frozen package of v2, in front of a provider
 * in memory. The SDK's own example cannot refresh, so this one has the least that rotates: a new pair,
 * and the old refresh token is gone.
 */
import { randomBytes } from 'node:crypto'
import express from 'express'
import { answerOf } from './tool.js'

const HOUR = 3600
const UNLIMITED = { rateLimit: false }

export function startSdk({ server, origin }, sdk) {
  const provider = createProvider(sdk)
  const app = express()
  app.use(
    sdk.mcpAuthRouter({
      provider,
      issuerUrl: new URL(origin),
      scopesSupported: ['notes:read'],
      authorizationOptions: UNLIMITED,
      tokenOptions: UNLIMITED,
      clientRegistrationOptions: UNLIMITED,
    }),
  )
  const answer = (req, res) => res.type('json').send(answerOf(req.body))
  app.post('/mcp', sdk.requireBearerAuth({ verifier: provider }), express.json(), answer)
  app.post('/open', express.json(), answer)
  server.on('request', app)
  const paths = { token: '/token', register: '/register', authorize: '/authorize', mcp: '/mcp' }
  const place = { paths: { ...paths, open: '/open' }, resource: `${origin}/mcp`, signIn: 'plain' }
  return { place }
}

function createProvider({ InvalidGrantError, InvalidTokenError }) {
  const [clients, codes, access, refresh] = [new Map(), new Map(), new Map(), new Map()]
  const now = () => Math.floor(Date.now() / 1000)

  function issue(clientId, scopes, resource) {
    const [access_token, refresh_token] = [secret(), secret()]
    access.set(access_token, { clientId, scopes, resource, expiresAt: now() + HOUR })
    refresh.set(refresh_token, { clientId, scopes, resource, access_token })
    const scope = scopes.join(' ')
    return { access_token, refresh_token, token_type: 'bearer', expires_in: HOUR, scope }
  }

  return {
    clientsStore: {
      getClient: (id) => clients.get(id),
      registerClient: (client) => (clients.set(client.client_id, client), client),
    },
    async authorize(client, params, res) {
      const code = secret()
      codes.set(code, { client, params })
      const back = new URL(params.redirectUri)
      back.searchParams.set('code', code)
      if (params.state !== undefined) back.searchParams.set('state', params.state)
      res.redirect(back.href)
    },
    async challengeForAuthorizationCode(client, code) {
      return codeOf(client, code).params.codeChallenge
    },
    async exchangeAuthorizationCode(client, code) {
      const { params } = codeOf(client, code)
      codes.delete(code)
      return issue(client.client_id, params.scopes ?? [], params.resource)
    },
    async exchangeRefreshToken(client, token) {
      const held = refresh.get(token)
      if (held?.clientId !== client.client_id) throw new InvalidGrantError('unknown token')
      refresh.delete(token)
      access.delete(held.access_token)
      return issue(held.clientId, held.scopes, held.resource)
    },
    async verifyAccessToken(token) {
      const held = access.get(token)
      if (held === undefined) throw new InvalidTokenError('unknown token')
      return { token, ...held }
    },
  }

  function codeOf(client, code) {
    const held = codes.get(code)
    if (held?.client.client_id !== client.client_id) throw new InvalidGrantError('unknown code')
    return held
  }
}

function secret() {
  return randomBytes(32).toString('base64url')
}

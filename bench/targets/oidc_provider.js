/**
 * `oidc-provider` with opaque tokens, over maps. Its users are signed in and have consented
 * as soon as it asks: one redirect to the app and back, the least that it can do.
 */
import { randomUUID } from 'node:crypto'
import { Provider } from 'oidc-provider'
import { createAdapter } from './oidc_adapter.js'
import { answerOf, readText, serveTool, writeJson } from './tool.js'

const TOOL = '/mcp'

let users = 0

export function start({ server, origin }) {
  const resource = `${origin}${TOOL}`
  const provider = new Provider(origin, configure(resource))
  provider.on('server_error', (_ctx, error) => process.stderr.write(`${error.stack}\n`))
  const oauth = provider.callback()
  server.on('request', (req, res) => {
    if (req.url === TOOL) return void call(provider, req, res)
    if (req.url === '/open') return serveTool(req, res)
    if (req.url.startsWith('/interaction/')) return void signIn(provider, req, res)
    oauth(req, res)
  })
  const paths = { token: '/token', register: '/reg', authorize: '/auth', mcp: TOOL, open: '/open' }
  const scope = 'openid offline_access notes:read'
  return { place: { paths, resource, scope, signIn: 'follow' } }
}

function configure(resource) {
  return {
    adapter: createAdapter(),
    scopes: ['openid', 'offline_access'],
    cookies: { keys: [randomUUID()] },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'notes:read', accessTokenFormat: 'opaque' }),
      },
    },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    // Tokens for the tool, not for its userinfo endpoint: no claims are looked up.
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    loadExistingGrant: (ctx) => grantFor(ctx, resource),
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 3600,
      Grant: 86_400,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
  }
}

async function grantFor({ oidc }, resource) {
  const { client, session } = oidc
  const grant = new oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope('openid offline_access')
  grant.addResourceScope(resource, 'notes:read')
  await grant.save()
  return grant
}

async function signIn(provider, req, res) {
  users += 1
  await provider.interactionFinished(req, res, { login: { accountId: `u${users}` } })
}

async function call(provider, req, res) {
  const text = await readText(req)
  const [, token] = /^Bearer (.+)$/.exec(req.headers.authorization ?? '') ?? []
  const held = token && (await provider.AccessToken.find(token))
  if (!held || held.isExpired || !held.scopes.has('notes:read')) {
    return writeJson(res, '{"error":"invalid_token"}', 401)
  }
  writeJson(res, answerOf(JSON.parse(text)))
}

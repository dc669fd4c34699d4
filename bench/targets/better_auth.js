/**
 * better-auth with its OAuth provider plugin, in a SQLite file through node:sqlite, with WAL and without a
 * flush for each commit. Its access tokens for a resource are JWTs, which `jose` verifies with its keys.
 */
import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { oauthProvider } from '@better-auth/oauth-provider'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { answerOf, readText, serveTool, writeJson } from './tool.js'

const BASE = '/api/auth'
const SCOPES = ['openid', 'offline_access', 'notes:read']

export async function start({ server, origin, settings }) {
  const resource = `${origin}/mcp`
  const auth = betterAuth(configure(origin, resource, open(settings.place)))
  const { runMigrations } = await getMigrations(auth.options)
  await runMigrations()
  const oauth = toNodeHandler(auth)
  const keys = createKeys(auth)
  server.on('request', (req, res) => {
    if (req.url === '/mcp') return void call({ keys, issuer: origin + BASE, resource }, req, res)
    if (req.url === '/open') return serveTool(req, res)
    oauth(req, res)
  })
  const own = (path) => `${BASE}/oauth2/${path}`
  const paths = { token: own('token'), register: own('register'), authorize: own('authorize') }
  return {
    place: {
      paths: { ...paths, consent: own('consent'), mcp: '/mcp', open: '/open' },
      resource,
      scope: SCOPES.join(' '),
      signIn: 'betterAuth',
    },
    users: (count) => signUp(auth, count),
  }
}

function open(path) {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  return database
}

function configure(origin, resource, database) {
  return {
    database,
    baseURL: origin,
    basePath: BASE,
    secret: randomBytes(32).toString('hex'),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    trustedOrigins: [origin],
    disabledPaths: ['/token'],
    plugins: [
      jwt(),
      oauthProvider({
        loginPage: '/login',
        consentPage: '/consent',
        scopes: SCOPES,
        resources: [resource],
        cachedResources: new Set([resource]),
        enforcePerClientResources: false,
        allowDynamicClientRegistration: true,
        allowUnauthenticatedClientRegistration: true,
        silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
      }),
    ],
  }
}

/** The keys of the server itself, read once. */
function createKeys(auth) {
  let known
  return async (...args) => {
    known ??= createLocalJWKSet(await auth.api.getJwks())
    return known(...args)
  }
}

async function signUp(auth, count) {
  const users = []
  for (let at = 0; at < count; at += 1) {
    const email = `${randomBytes(8).toString('hex')}@example.com`
    const body = { email, password: 'a password of a user', name: 'Ada' }
    const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true })
    users.push({ cookie: headers.getSetCookie()[0].split(';')[0] })
  }
  return users
}

async function call({ keys, issuer, resource }, req, res) {
  const text = await readText(req)
  const [, token] = /^Bearer (.+)$/.exec(req.headers.authorization ?? '') ?? []
  const verified = await jwtVerify(token ?? '', keys, { issuer, audience: resource }).catch(
    () => {},
  )
  if (verified === undefined) return writeJson(res, '{"error":"invalid_token"}', 401)
  writeJson(res, answerOf(JSON.parse(text)))
}

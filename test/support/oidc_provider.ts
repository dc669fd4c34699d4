/**
 * A real OpenID provider that somebody else wrote (npm `oidc-provider`), on a free port of 127.0.0.1.
 *
 * Two people have accounts there, Ada and Grace. Login and consent are plain forms without script, so
 * both a browser and `signIn` can go through them. `/notes` is an API whose answer tells whose bearer
 * token it was asked with.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type Grant, type Interaction } from 'oidc-provider'
import { walkThrough } from './oidc_walk.ts'

export interface OidcProviderOptions {
  /** Where it may send the browser back to; `allowRedirect` adds more later. */
  readonly redirect_uri?: string | readonly string[]
  /** The issuer's path, e.g. `/op`; none by default. */
  readonly path?: string
  /** The origin of the issuer, where that is not the port listened on but a proxy in front of it. */
  readonly publicOrigin?: string
  /** Seconds that its access tokens live; 3600 by default. */
  readonly accessTokenLifetime?: number
  /** Whether each refresh gives a new refresh token and retires the old one; true by default. */
  readonly rotate?: boolean
  /** Whether name and e-mail stand in the id_token too; false by default, so they are at userinfo only. */
  readonly claimsInIdToken?: boolean
  readonly authMethod?: 'client_secret_basic' | 'client_secret_post'
}

/** Who has an account. The same names are the `sub` values. */
export type TestUser = 'ada' | 'grace'

export interface TestOidcProvider {
  readonly issuer: string
  /** Where it listens itself. */
  readonly port: number
  readonly client_id: string
  readonly client_secret: string
  /** An API that answers `{ user, scope, notes }` for a bearer token of this provider, else 401. */
  readonly notesUrl: string
  allowRedirect(redirect_uri: string): void
  /** Goes through login and consent as a browser with an empty profile would; gives the callback's URL. */
  signIn(authorizationUrl: string, user: TestUser): Promise<string>
  /** The same, up to the consent page, and there the answer is no. */
  decline(authorizationUrl: string, user: TestUser): Promise<string>
  /** Requests to the token endpoint so far, also by grant_type. */
  tokenCalls(): { readonly all: number; readonly code: number; readonly refresh: number }
  /** Ends every grant of a user: each refresh is answered with `invalid_grant` from now on. */
  forget(user: TestUser): Promise<void>
  /** While on, every request is answered with 503. */
  outage(on: boolean): void
  close(): Promise<void>
}

const USERS: Readonly<{ [sub: string]: { readonly name: string; readonly email: string } }> = {
  ada: { name: 'Ada Lovelace', email: 'ada@example.com' },
  grace: { name: 'Grace Hopper', email: 'grace@example.com' },
}
const CLIENT_ID = 'mcp-oauth-tests'
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Starts the provider. */
export async function startOidcProvider(
  options: OidcProviderOptions = {},
): Promise<TestOidcProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const path = options.path ?? ''
  const { port } = server.address() as AddressInfo
  const origin = options.publicOrigin ?? `http://127.0.0.1:${port}`
  const issuer = `${origin}${path}`
  const client_secret = randomUUID()
  const redirects = new Set([options.redirect_uri ?? []].flat())
  const provider = createProvider(issuer, client_secret, redirects, options)
  const calls = countCalls(server, provider, `${path}/token`)
  const grants: { user: string; grantId: string }[] = []
  const state = { down: false }
  server.on('request', (request, response) => {
    const url = request.url ?? ''
    if (state.down) answer(response, 503, 'text/plain', 'down')
    else if (!url.startsWith(path)) answer(response, 404, 'text/plain', 'not here')
    else route(provider, request, response, path, grants).catch(() => response.destroy())
  })
  const arrived = (url: string): boolean => redirects.has(url.split('?')[0] ?? '')
  return {
    issuer,
    port,
    client_id: CLIENT_ID,
    client_secret,
    notesUrl: `${issuer}/notes`,
    allowRedirect: (redirect_uri) => void redirects.add(redirect_uri),
    signIn: (url, user) => walkThrough(url, { login: user, answer: 'allow' }, arrived),
    decline: (url, user) => walkThrough(url, { login: user, answer: 'deny' }, arrived),
    tokenCalls: () => ({ ...calls }),
    async forget(user) {
      for (const { grantId } of grants.filter((grant) => grant.user === user)) {
        await (await provider.Grant.find(grantId))?.destroy()
      }
    },
    outage: (on) => void (state.down = on),
    close: () => closeServer(server),
  }
}

function createProvider(
  issuer: string,
  client_secret: string,
  redirects: ReadonlySet<string>,
  options: OidcProviderOptions,
): Provider {
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret,
        redirect_uris: ['https://client.example/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: options.authMethod ?? 'client_secret_basic',
      },
    ],
    claims: { profile: ['name'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: options.claimsInIdToken !== true,
    scopes: ['openid', 'offline_access', 'profile', 'email'],
    rotateRefreshToken: options.rotate !== false,
    cookies: { keys: [randomUUID()] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'test', use: 'sig' }] },
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    interactions: {
      url: (_context: unknown, { uid }: Interaction) => `${path}/interaction/${uid}`,
    },
    ttl: {
      AccessToken: options.accessTokenLifetime ?? 3600,
      Grant: 86_400,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
    findAccount: (_context: unknown, sub: string) =>
      sub in USERS
        ? { accountId: sub, claims: () => ({ sub, ...USERS[sub], email_verified: true }) }
        : undefined,
  })
  provider.Client.prototype.redirectUriAllowed = (uri) => redirects.has(uri)
  return provider
}

function countCalls(server: Server, provider: Provider, tokenPath: string) {
  const calls = { all: 0, code: 0, refresh: 0 }
  server.on('request', (request: IncomingMessage) => {
    if (request.url === tokenPath) calls.all += 1
  })
  for (const event of ['grant.success', 'grant.error'] as const) {
    provider.on(event, ({ oidc }) => {
      if (oidc.params?.['grant_type'] === 'authorization_code') calls.code += 1
      if (oidc.params?.['grant_type'] === 'refresh_token') calls.refresh += 1
    })
  }
  return calls
}

async function route(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  grants: { user: string; grantId: string }[],
): Promise<void> {
  const inner = (request.url ?? '').slice(path.length)
  if (inner === '/notes') return notes(provider, request, response)
  if (inner.startsWith('/interaction/')) {
    const interaction = await provider.interactionDetails(request, response)
    if (request.method === 'GET') return answer(response, 200, 'text/html', page(interaction))
    const form = new URLSearchParams(await readText(request))
    const result = await finish(provider, interaction, form, grants)
    return provider.interactionFinished(request, response, result)
  }
  // Koa must see the path below the issuer's, and where it is mounted from the original one.
  Object.assign(request, { originalUrl: request.url, url: inner })
  return provider.callback()(request, response)
}

async function notes(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bearer = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
  const token = await provider.AccessToken.find(bearer)
  if (token === undefined) return answer(response, 401, 'application/json', '{}')
  const { accountId: user, scope } = token
  const body = JSON.stringify({ user, scope, notes: [`A note of ${USERS[user]?.name}`] })
  return answer(response, 200, 'application/json', body)
}

/** A form for either step. The buttons carry the values, so that a browser needs one click. */
function page({ prompt, params }: Interaction): string {
  const buttons =
    prompt.name === 'login'
      ? Object.entries(USERS).map(([sub, { name }]) => ['login', sub, name] as const)
      : ([
          ['answer', 'allow', 'Allow'],
          ['answer', 'deny', 'Deny'],
        ] as const)
  const title = prompt.name === 'login' ? 'Who are you?' : `Allow ${params['client_id']}?`
  const controls = buttons.map(
    ([name, value, label]) => `<button name="${name}" value="${value}">${label}</button>`,
  )
  return `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1><form method="post">${controls.join(' ')}</form></html>`
}

async function finish(
  provider: Provider,
  { prompt, params, session, grantId }: Interaction,
  form: URLSearchParams,
  grants: { user: string; grantId: string }[],
): Promise<object> {
  if (prompt.name === 'login') return { login: { accountId: form.get('login') ?? '' } }
  if (form.get('answer') !== 'allow') return { error: 'access_denied' }
  const user = session?.accountId ?? ''
  const grant = await findGrant(provider, grantId, user, params['client_id'] ?? '')
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '))
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? [])
  const saved = await grant.save()
  grants.push({ user, grantId: saved })
  return { consent: { grantId: saved } }
}

async function findGrant(
  provider: Provider,
  grantId: string | undefined,
  accountId: string,
  clientId: string,
): Promise<Grant> {
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  return known ?? new provider.Grant({ accountId, clientId })
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

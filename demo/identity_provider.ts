/**
 * The demo's identity provider: a real OpenID provider (npm `oidc-provider`) in a process of its own,
 * with two people in it. It plays the part that GitHub, Google or your company's login plays for you.
 *
 * Its access tokens live five minutes, so that the gateway's refreshing can be watched.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { interactionPolicy, Provider, type Interaction } from 'oidc-provider'
import { refuseProduction, serve, setting } from './child_process.ts'
import { choicePage, errorPage } from './identity_pages.ts'
import { openStorage, type IdentityStorage } from './identity_storage.ts'
import { findPerson, PEOPLE } from './people.ts'

const MINUTE = 60
const DAY = 86_400
const MAX_FORM = 1000

refuseProduction('the identity provider')
const port = Number(setting('DEMO_PORT'))
const provider = createProvider(openStorage(setting('DEMO_FILE')))
const callback = provider.callback()

serve(port, (request, response) => {
  if (!request.url?.startsWith('/interaction/')) return callback(request, response)
  interact(request, response).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : 'unknown'
    show(response, 400, errorPage('invalid_request', `This sign-in cannot go on: ${reason}.`))
  })
})

function createProvider(storage: IdentityStorage): Provider {
  return new Provider(`http://127.0.0.1:${port}`, {
    adapter: (model: string) => storage.adapter(model),
    clients: [
      {
        client_id: setting('DEMO_CLIENT_ID'),
        client_secret: setting('DEMO_CLIENT_SECRET'),
        redirect_uris: [setting('DEMO_REDIRECT_URI')],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    claims: { profile: ['name'], email: ['email', 'email_verified'] },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    cookies: { keys: storage.cookieKeys },
    jwks: { keys: storage.keys },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      dPoP: { enabled: false },
    },
    responseTypes: ['code'],
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 5 * MINUTE,
      AuthorizationCode: MINUTE,
      Grant: 30 * DAY,
      IdToken: 5 * MINUTE,
      Interaction: 10 * MINUTE,
      RefreshToken: 30 * DAY,
      Session: DAY,
    },
    interactions: {
      policy: alwaysAsk(),
      url: (_context: unknown, { uid }: Interaction) => `/interaction/${uid}`,
    },
    findAccount: (_context: unknown, sub: string) => {
      const person = findPerson(sub)
      return person && { accountId: sub, claims: () => ({ ...person, email_verified: true }) }
    },
    renderError: (
      context: { type: string; body: string },
      out: { error: string; error_description?: string },
    ) => {
      context.type = 'html'
      context.body = errorPage(out.error, out.error_description ?? 'This request cannot be served.')
    },
  })
}

/** Whoever comes is asked who they are, even in the same browser: that is what one tries in a demo. */
function alwaysAsk(): object {
  const policy = interactionPolicy.base()
  const check = new interactionPolicy.Check(
    'demo',
    'this provider always asks',
    ({ oidc }) => oidc.result?.login === undefined,
  )
  policy.get('login').checks.add(check)
  return policy
}

async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const interaction = await provider.interactionDetails(request, response)
  const client_id = interaction.params['client_id'] ?? ''
  if (request.method !== 'POST') return show(response, 200, choicePage(PEOPLE, client_id))
  const person = findPerson(new URLSearchParams(await readText(request)).get('login') ?? '')
  const result =
    person === undefined
      ? { error: 'access_denied', error_description: 'The user said no.' }
      : {
          login: { accountId: person.sub, remember: false },
          consent: { grantId: await allow(person.sub, client_id, interaction.params['scope']) },
        }
  const next = await provider.interactionResult(request, response, result)
  await forget(interaction.session ?? {})
  response.writeHead(303, { location: next }).end()
}

/** Whoever was here before in this browser makes room, so that Grace need not sign Ada out. */
async function forget(known: object): Promise<void> {
  const session = 'uid' in known ? await provider.Session.findByUid(String(known.uid)) : undefined
  if (session === undefined) return
  Object.assign(session, { accountId: undefined, authorizations: {} })
  await session.persist()
}

/** There is nothing to consent to here: the gateway is the only client, and asks its own users. */
async function allow(accountId: string, clientId: string, scope = ''): Promise<string> {
  const grant = new provider.Grant({ accountId, clientId })
  grant.addOIDCScope(scope)
  return await grant.save()
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > MAX_FORM) throw new Error('the form is too long')
  }
  return text
}

function show(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  })
  response.end(html)
}

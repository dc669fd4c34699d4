/**
 * Authorization endpoint: OAuth 2.1 §3.1 and §4.1.1.
 *
 * What must hold before anything is redirected comes first, and its faults are pages. Every later fault
 * goes back to the client. Nobody is asked at the upstream, and no code is made, before the user has
 * said yes on the consent page that this ends with.
 */
import { sha256 } from '../../crypto/hash.ts'
import { randomId, randomSecret } from '../../crypto/random.ts'
import { parseForm } from '../../http/form.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { redirect } from '../../http/respond.ts'
import {
  checkAuthorizationRequest,
  type AuthorizationRequest,
} from '../../protocol/authorization_request.ts'
import { OAuthError } from '../../protocol/errors.ts'
import { isLoopbackRedirect, matchRedirectUri } from '../../protocol/redirect_uri.ts'
import { parseScope } from '../../protocol/scope.ts'
import type { AuthorizationTicket, User } from '../../stores/records.ts'
import type { Client } from '../clients/client.ts'
import { resolveClient } from '../clients/resolve.ts'
import type { Context } from '../config/context.ts'
import { callerNetwork, checkRate } from '../config/rate.ts'
import { subjectOf } from '../config/subject.ts'
import { bindBrowser } from '../consent/browser.ts'
import { consentPage } from '../consent/consent_page.ts'
import { languageOf } from '../consent/refuse.ts'
import { scopeView } from '../consent/scope_view.ts'
import { signedInUser, signInPage } from '../consent/session.ts'
import { wayBack } from '../consent/way_back.ts'
import { grantedBefore } from '../grants/list.ts'

/** Longer ones belong to no client that we know of; servers in front often cut at 8 or 16 KiB. */
const MAX_QUERY = 16 * 1024

export async function authorization(context: Context, request: HttpRequest): Promise<HttpResponse> {
  checkRate(context, request, 'authorize')
  if (request.query.length > MAX_QUERY) {
    throw new OAuthError('invalid_request', 'the request is longer than 16 KiB')
  }
  const form = parseForm(request.query)

  // OAuth 2.1 §4.1.2.1: no redirect before both the client and its redirect URI are known to be good.
  const client = await resolveClient(context, form.required('client_id'))
  const redirect_uri = checkRedirectUri(client, form.get('redirect_uri'))

  // RFC 6749 §3.1: a state that stands twice is an error, and none of the two is sent back.
  const [first, ...more] = form.all('state')
  const state = more.length === 0 ? first : undefined
  try {
    const asked = checkAuthorizationRequest(form, requestable(context, client))
    return await askUser(context, request, { client, redirect_uri, state, asked })
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const { code, description, reason } = error
    const { client_id } = client
    context.events.emit({
      type: 'authorization_refused',
      client_id,
      reason,
      network: callerNetwork(context, request),
    })
    return wayBack(context, request, {
      redirect_uri,
      clientName: client.metadata.client_name ?? client_id,
      response: { error: code, error_description: description, state },
      afterForm: false,
    })
  }
}

function checkRedirectUri({ metadata }: Client, asked: string | undefined): string {
  const registered = metadata.redirect_uris
  if (asked === undefined) return onlyRedirectUri(registered)
  if (matchRedirectUri(asked, registered) === undefined) {
    throw new OAuthError('invalid_redirect_uri', 'redirect_uri is not registered for this client')
  }
  return asked
}

/** OAuth 2.1 §4.1.1: it may be left out only where there is no choice. */
function onlyRedirectUri([only, ...others]: readonly string[]): string {
  if (only === undefined || others.length > 0) {
    throw new OAuthError('invalid_redirect_uri', 'redirect_uri is missing; several are registered')
  }
  // RFC 8252 §7.3: the port is a choice, and whoever registered last may have made another.
  if (isLoopbackRedirect(only)) {
    throw new OAuthError('invalid_redirect_uri', 'redirect_uri is missing; it names the port')
  }
  return only
}

function requestable({ config }: Context, { source, metadata }: Client) {
  return {
    resources: config.resources,
    defaultScope: config.defaultScope,
    // What a client registered for itself is no limit, as it registers before it learns what it needs.
    clientScope: source === 'static' ? parseScope(metadata.scope) : undefined,
  }
}

interface Asked {
  readonly client: Client
  readonly redirect_uri: string
  readonly state: string | undefined
  readonly asked: AuthorizationRequest
}

async function askUser(context: Context, request: HttpRequest, what: Asked): Promise<HttpResponse> {
  const { upstream, config } = context
  const { prompt } = what.asked
  const user = await signedInUser(context, request)
  // OpenID Connect Core §3.1.2.6: without the user there is no consent, and no code without consent.
  if (prompt.includes('none')) {
    throw user === undefined
      ? new OAuthError('login_required', 'the user has to sign in')
      : new OAuthError('consent_required', 'the user has to consent')
  }
  if (upstream.type === 'session' && (user === undefined || prompt.includes('login'))) {
    return redirect(signInPage(context, upstream, request))
  }
  const { ticket, csrf, cookies } = makeTicket(context, request, what, user)
  const { client_id, metadata, source } = what.client
  const [before] = await Promise.all([
    grantedBefore(context, ticket.subject, client_id),
    context.store.insert('ticket', ticket),
  ])
  context.events.emit({ type: 'consent_shown', client_id, scope: ticket.scope })
  const resource = config.resources.find((one) => one.resource === ticket.resource)
  const response = consentPage({
    language: languageOf(request),
    serverName: config.name,
    secure: config.secure,
    client: {
      client_id,
      name: metadata.client_name ?? '',
      source,
      client_uri: metadata.client_uri,
    },
    redirect_uri: ticket.redirect_uri,
    scopes: scopeView(config.scopes, ticket.scope, before),
    resource: ticket.resource,
    resourceName: resource?.name ?? config.name,
    upstreamName: upstream.name,
    user,
    form: { action: `${config.issuer}/consent`, ticket: ticket.id, csrf },
  })
  return { ...response, headers: { ...response.headers, 'set-cookie': cookies } }
}

function makeTicket(
  context: Context,
  request: HttpRequest,
  { client, redirect_uri, state, asked }: Asked,
  user: User | undefined,
): { ticket: AuthorizationTicket; csrf: string; cookies: readonly string[] } {
  const now = context.clock()
  const id = randomId(now)
  const csrf = randomSecret(16)
  const maxAge = context.config.lifetimes.signIn
  const { hash, cookies } = bindBrowser(request, id, { secure: context.config.secure, maxAge })
  const ticket: AuthorizationTicket = {
    id,
    type: 'authorization',
    step: 'consent',
    expiresAt: now + maxAge,
    createdAt: now,
    browserHash: hash,
    csrfHash: sha256(csrf),
    client_id: client.client_id,
    redirect_uri,
    state,
    ...asked,
    subject: user && subjectOf(user),
    upstreamSecrets: undefined,
  }
  return { ticket, csrf, cookies }
}

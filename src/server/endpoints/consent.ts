/**
 * The answer to the consent page: MCP, Security Best Practices (confused deputy); RFC 9700 §4.7.
 *
 * Nothing is believed of the form but which ticket it answers and whether the answer is yes. All else
 * stands in the ticket. The ticket is taken last, so that of many answers one counts.
 */
import { equal, sha256 } from '../../crypto/hash.ts'
import { randomId, randomSecret } from '../../crypto/random.ts'
import { seal } from '../../crypto/seal.ts'
import { readForm } from '../../http/form.ts'
import { header, type HttpRequest, type HttpResponse } from '../../http/message.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { AuthorizationTicket, User } from '../../stores/records.ts'
import { UpstreamError, type RedirectUpstream } from '../../upstream/upstream.ts'
import type { Client } from '../clients/client.ts'
import type { Context } from '../config/context.ts'
import { callerNetwork } from '../config/rate.ts'
import { subjectOf } from '../config/subject.ts'
import { bindBrowser, isBoundBrowser, isSameOriginPost, unbindBrowser } from '../consent/browser.ts'
import { continuePage } from '../consent/continue_page.ts'
import { languageOf, refuse, type Refusal } from '../consent/refuse.ts'
import { signedInUser } from '../consent/session.ts'
import { findTicket, stillRegistered } from '../consent/ticket.ts'
import { wayBack } from '../consent/way_back.ts'
import { beginGrant } from '../grants/begin.ts'
import { isAllowed } from '../grants/welcome.ts'

export async function consent(context: Context, request: HttpRequest): Promise<HttpResponse> {
  const form = await readForm(request)
  const csrf = form.get('csrf') ?? ''
  const decision = form.required('decision')
  if (decision !== 'approve' && decision !== 'deny') {
    throw new OAuthError('invalid_request', 'decision must be approve or deny')
  }
  const ticket = await findTicket(context, form.required('ticket'), 'consent')
  if (ticket === undefined) return refuse(context, request, { kind: 'expired' })
  const { client_id } = ticket

  // The browser that was shown the page, by a form of ours, with the value that only the page held.
  if (!isBoundBrowser(request, ticket.id, context.config, ticket.browserHash)) {
    return refuse(context, request, { kind: 'wrong_browser', client_id })
  }
  const origin = header(request, 'origin')
  const site = header(request, 'sec-fetch-site')
  if (
    !isSameOriginPost(origin, site, context.config.origin) ||
    !equal(sha256(csrf), ticket.csrfHash)
  ) {
    return refuse(context, request, { kind: 'csrf', client_id })
  }
  // CIMD §6.3: the client may have changed since the page was shown.
  const client = await stillRegistered(context, ticket)
  return decision === 'deny'
    ? await deny(context, request, ticket, client)
    : await approve(context, request, ticket, client)
}

async function deny(
  context: Context,
  request: HttpRequest,
  ticket: AuthorizationTicket,
  client: Client,
): Promise<HttpResponse> {
  if ((await context.store.take('ticket', ticket.id)) === undefined) {
    return refuse(context, request, { kind: 'expired' })
  }
  announce(context, request, 'consent_denied', ticket)
  return wayBack(context, request, {
    redirect_uri: ticket.redirect_uri,
    clientName: nameOf(client),
    response: {
      error: 'access_denied',
      error_description: 'the user did not allow it',
      state: ticket.state,
    },
    afterForm: true,
    headers: { 'set-cookie': unbindBrowser(ticket.id, context.config) },
  })
}

async function approve(
  context: Context,
  request: HttpRequest,
  ticket: AuthorizationTicket,
  client: Client,
): Promise<HttpResponse> {
  const { upstream } = context
  return upstream.type === 'redirect'
    ? await sendUpstream(context, upstream, request, ticket)
    : await finish(context, request, ticket, client)
}

/** Only now, after the yes, are the upstream's state and its cookie made. */
async function sendUpstream(
  context: Context,
  upstream: RedirectUpstream,
  request: HttpRequest,
  ticket: AuthorizationTicket,
): Promise<HttpResponse> {
  const { config, keys, store } = context
  const now = context.clock()
  const state = randomId(now)
  // RFC 7636 §4.1 and OpenID Connect Core §15.5.2: 256 bits each.
  const secrets = { nonce: randomSecret(32), code_verifier: randomSecret(32) }
  let location
  try {
    location = await upstream.authorizationUrl(
      { redirect_uri: `${config.issuer}/callback`, state, ...secrets },
      { prompt: ticket.prompt, login_hint: ticket.login_hint },
    )
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    // Nothing is used up: the same page may be answered again.
    const { client_id } = ticket
    return refuse(context, request, {
      kind: 'upstream_failed',
      type: 'upstream_failed',
      client_id,
      error,
    })
  }
  if ((await store.take('ticket', ticket.id)) === undefined) {
    return refuse(context, request, { kind: 'expired' })
  }
  const maxAge = Math.max(1, (ticket.expiresAt ?? now) - now)
  const { hash, cookies } = bindBrowser(request, state, { secure: config.secure, maxAge })
  await store.insert('ticket', {
    ...ticket,
    id: state,
    step: 'upstream',
    browserHash: hash,
    upstreamSecrets: seal(keys, JSON.stringify(secrets), `ticket/${state}/upstream`),
  })
  announce(context, request, 'consent_given', ticket)
  return continuePage({
    language: languageOf(request),
    serverName: config.name,
    secure: config.secure,
    location,
    kind: 'upstream',
    name: upstream.name,
    headers: { 'set-cookie': [...cookies, unbindBrowser(ticket.id, config)] },
  })
}

/** With the app's own login there is nobody else to ask: the grant begins here. */
async function finish(
  context: Context,
  request: HttpRequest,
  ticket: AuthorizationTicket,
  client: Client,
): Promise<HttpResponse> {
  const { client_id } = ticket
  const user = await signedInUser(context, request)
  // The page named a user. Whoever signed in or out since then has not been asked.
  if (user === undefined || subjectOf(user) !== ticket.subject) {
    return refuse(context, request, { kind: 'wrong_browser', client_id, reason: 'other_user' })
  }
  const subject = ticket.subject
  const refusal = await judgeUser(context, user, { client_id, subject })
  if (refusal !== undefined) return refuse(context, request, refusal)
  if ((await context.store.take('ticket', ticket.id)) === undefined) {
    return refuse(context, request, { kind: 'expired' })
  }
  announce(context, request, 'consent_given', ticket)
  const code = await beginGrant(context, ticket, { subject, user, connectionId: undefined })
  return wayBack(context, request, {
    redirect_uri: ticket.redirect_uri,
    clientName: nameOf(client),
    response: { code, state: ticket.state },
    afterForm: true,
    headers: { 'set-cookie': unbindBrowser(ticket.id, context.config) },
  })
}

/** Why the user may not enter; undefined when they may. Nothing is used up. */
async function judgeUser(
  context: Context,
  user: User,
  about: { readonly client_id: string; readonly subject: string },
): Promise<Refusal | undefined> {
  try {
    if (await isAllowed(context, user)) return undefined
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const { reason, retryAfter } = error
    return { ...about, kind: 'unavailable', reason, retryAfter, error }
  }
  const who = user.name ?? user.email ?? user.sub
  return { ...about, kind: 'not_allowed', type: 'sign_in_refused', user: who }
}

function announce(
  context: Context,
  request: HttpRequest,
  type: 'consent_given' | 'consent_denied',
  { client_id, subject, scope, resource, redirect_uri }: AuthorizationTicket,
): void {
  const network = callerNetwork(context, request)
  const about = URL.canParse(redirect_uri) ? new URL(redirect_uri).host : undefined
  context.events.emit({ type, client_id, subject, scope, resource, about, network })
}

function nameOf({ metadata, client_id }: Client): string {
  return metadata.client_name ?? client_id
}

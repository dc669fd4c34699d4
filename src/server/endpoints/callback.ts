/**
 * Where the upstream sends the browser back to: OAuth 2.1 §4.1.2, seen from the client's side.
 *
 * The browser must be the one that gave its consent. The ticket is taken before the upstream's code is
 * exchanged, so one exchange happens however often the page is loaded.
 */
import { open } from '../../crypto/seal.ts'
import { parseForm } from '../../http/form.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { OAuthError, type OAuthErrorCode } from '../../protocol/errors.ts'
import type { AuthorizationTicket, User } from '../../stores/records.ts'
import {
  UpstreamError,
  type RedirectUpstream,
  type UpstreamFailure,
  type UpstreamSignIn,
  type UpstreamTokens,
} from '../../upstream/upstream.ts'
import type { Client } from '../clients/client.ts'
import type { Context } from '../config/context.ts'
import { checkRate } from '../config/rate.ts'
import { subjectOf } from '../config/subject.ts'
import { isBoundBrowser, unbindBrowser } from '../consent/browser.ts'
import { refuse } from '../consent/refuse.ts'
import { findTicket, stillRegistered } from '../consent/ticket.ts'
import { wayBack, type AnswerWithoutIssuer } from '../consent/way_back.ts'
import { connectionIdOf, saveConnection } from '../connections/save.ts'
import { beginGrant } from '../grants/begin.ts'
import { isAllowed } from '../grants/welcome.ts'

export async function callback(context: Context, request: HttpRequest): Promise<HttpResponse> {
  checkRate(context, request, 'authorize', 'callback')
  const { upstream } = context
  if (upstream.type !== 'redirect') return refuse(context, request, { kind: 'not_found' })
  const state = parseForm(request.query).get('state')
  const ticket = state === undefined ? undefined : await findTicket(context, state, 'upstream')
  if (ticket === undefined) return refuse(context, request, { kind: 'expired' })
  const { client_id } = ticket
  // RFC 9700 §4.7: else an attacker's sign-in would end in this browser.
  if (!isBoundBrowser(request, ticket.id, context.config, ticket.browserHash)) {
    return refuse(context, request, { kind: 'wrong_browser', client_id })
  }
  const client = await stillRegistered(context, ticket)
  if ((await context.store.take('ticket', ticket.id)) === undefined) {
    return refuse(context, request, { kind: 'expired' })
  }
  let signedIn
  try {
    signedIn = await upstream.exchange(request.query, readSignIn(context, ticket))
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    context.events.emit({ type: 'upstream_failed', client_id, about: upstream.id, error })
    return back(context, request, ticket, client, failed(error.failure, ticket.state))
  }
  try {
    return await admit(context, upstream, request, { ticket, client, ...signedIn })
  } catch (error) {
    // The upstream's tokens are not given back: with some upstreams that would end the user's others.
    if (!(error instanceof OAuthError)) throw error
    const { code, description, reason } = error
    context.events.emit({ type: 'authorization_refused', client_id, reason })
    const response = { error: code, error_description: description, state: ticket.state }
    return back(context, request, ticket, client, response)
  }
}

interface Arrival {
  readonly ticket: AuthorizationTicket
  readonly client: Client
  readonly tokens: UpstreamTokens
  readonly user: User
}

async function admit(
  context: Context,
  upstream: RedirectUpstream,
  request: HttpRequest,
  { ticket, client, tokens, user }: Arrival,
): Promise<HttpResponse> {
  const subject = subjectOf(user)
  const { client_id } = ticket
  if (!(await isAllowed(context, user))) {
    // Nobody will ever use them. Whether the upstream takes them back changes nothing here.
    upstream.revoke(tokens).catch(() => undefined)
    return refuse(context, request, {
      kind: 'not_allowed',
      type: 'sign_in_refused',
      client_id,
      subject,
      user: user.name ?? user.email ?? user.sub,
      headers: { 'set-cookie': unbindBrowser(ticket.id, context.config) },
    })
  }
  const connectionId = connectionIdOf(context, subject)
  const code = await beginGrant(context, ticket, { subject, user, connectionId })
  await saveConnection(context, subject, tokens)
  context.events.emit({ type: 'upstream_connected', client_id, subject, about: upstream.id })
  return back(context, request, ticket, client, { code, state: ticket.state })
}

function back(
  context: Context,
  request: HttpRequest,
  { id, redirect_uri }: AuthorizationTicket,
  { metadata, client_id }: Client,
  response: AnswerWithoutIssuer,
): HttpResponse {
  return wayBack(context, request, {
    redirect_uri,
    clientName: metadata.client_name ?? client_id,
    response,
    // The upstream's form may have led here, and its policy would stop a redirect: decision 0001.
    afterForm: true,
    headers: { 'set-cookie': unbindBrowser(id, context.config) },
  })
}

function readSignIn({ config, keys }: Context, ticket: AuthorizationTicket): UpstreamSignIn {
  const { id, upstreamSecrets } = ticket
  const opened = upstreamSecrets && open(keys, upstreamSecrets, `ticket/${id}/upstream`)
  if (opened === undefined) {
    throw new UpstreamError('permanent', 'what was sealed for this sign-in does not open')
  }
  const { nonce, code_verifier }: { nonce: string; code_verifier: string } = JSON.parse(opened)
  return { redirect_uri: `${config.issuer}/callback`, state: id, nonce, code_verifier }
}

/** OAuth 2.1 §4.1.2.1: what the client hears when the upstream failed. Nothing of what the upstream said. */
function failed(failure: UpstreamFailure, state: string | undefined): AnswerWithoutIssuer {
  const [error, error_description] = told(failure)
  return { error, error_description, state }
}

function told(failure: UpstreamFailure): readonly [OAuthErrorCode, string] {
  switch (failure) {
    case 'denied':
      return ['access_denied', 'the user did not sign in at the upstream']
    case 'transient':
      return ['temporarily_unavailable', 'the upstream does not answer; try again']
    case 'permanent':
      return ['server_error', 'the upstream did not confirm the sign-in']
  }
}

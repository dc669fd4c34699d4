/**
 * The way back to the client, with a code or an error: OAuth 2.1 §4.1.2.
 *
 * A redirect where one may be; a page that leads on where the browser has just sent a form (decision
 * 0001), and before an app is opened by its private-use scheme (RFC 8252 §8.6).
 */
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { redirect, type Headers } from '../../http/respond.ts'
import {
  responseLocation,
  type AuthorizationResponse,
} from '../../protocol/authorization_response.ts'
import { judgeRedirectUri } from '../../protocol/redirect_uri.ts'
import type { Context } from '../config/context.ts'
import { continuePage } from './continue_page.ts'
import { languageOf } from './refuse.ts'

/** Who waits at the end, and what it is told. `iss` is added here. */
export interface WayBack {
  /** Checked. */
  readonly redirect_uri: string
  readonly clientName: string
  readonly response: AnswerWithoutIssuer
  /** Whether the browser is here by a form. */
  readonly afterForm: boolean
  readonly headers?: Headers
}

type WithoutIssuer<R> = R extends unknown ? Omit<R, 'iss'> : never
/** RFC 9207 §2: every answer carries the issuer, so nobody has to remember to add it. */
export type AnswerWithoutIssuer = WithoutIssuer<AuthorizationResponse>

export function wayBack(context: Context, request: HttpRequest, way: WayBack): HttpResponse {
  const { redirect_uri, clientName, response, afterForm, headers = {} } = way
  const { issuer, name, secure } = context.config
  const location = responseLocation(redirect_uri, { ...response, iss: issuer })
  const judged = judgeRedirectUri(redirect_uri)
  const isApp = 'kind' in judged && judged.kind === 'private_use'
  if (!isApp && !afterForm) return redirect(location, headers)
  return continuePage({
    language: languageOf(request),
    serverName: name,
    secure,
    location,
    kind: isApp ? 'private_use' : 'client',
    name: clientName,
    error: errorOf(response),
    headers,
  })
}

function errorOf(response: AnswerWithoutIssuer): 'denied' | 'failed' | undefined {
  if (!('error' in response)) return undefined
  return response.error === 'access_denied' ? 'denied' : 'failed'
}

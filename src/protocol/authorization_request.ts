/**
 * The authorization request: OAuth 2.1 §4.1.1, RFC 7636 §4.3, RFC 8707 §2, OpenID Connect Core §3.1.2.1.
 *
 * Everything here is checked after the client and its redirect URI are known to be good, so every fault
 * goes back to the client by redirect. What a request may leave unsaid gets its default here.
 */
import { OAuthError } from './errors.ts'
import { checkCodeChallenge } from './pkce.ts'
import { matchResource } from './resource.ts'
import { parseScope, trimScope } from './scope.ts'

/** Access to the parameters; reading one that stands twice throws `invalid_request`. */
export interface Parameters {
  get(name: string): string | undefined
  all(name: string): readonly string[]
}

/** A resource as far as a request can name it and its scopes. */
export interface RequestableResource {
  /** Canonical. */
  readonly resource: string
  readonly scopes: readonly string[]
}

/** What may be asked for, and what is meant when nothing is. */
export interface Requestable {
  readonly resources: readonly RequestableResource[]
  readonly defaultScope: readonly string[]
  /** The most that this client may have; undefined for no limit of its own. */
  readonly clientScope: readonly string[] | undefined
}

/** A request that may be put before the user. */
export interface AuthorizationRequest {
  readonly code_challenge: string
  readonly scope: readonly string[]
  /** Canonical. */
  readonly resource: string
  readonly prompt: readonly string[]
  readonly login_hint: string | undefined
}

/** OpenID Connect Core §11: asks for a refresh token, and means nothing to a resource. */
export const OFFLINE_ACCESS = 'offline_access'

const MAX_STATE = 4096
const MAX_LOGIN_HINT = 320

/** @throws OAuthError with the code that the redirect carries back */
export function checkAuthorizationRequest(
  parameters: Parameters,
  requestable: Requestable,
): AuthorizationRequest {
  checkForm(parameters)
  const code_challenge = checkCodeChallenge(
    parameters.get('code_challenge'),
    parameters.get('code_challenge_method'),
  )
  const resource = checkResource(parameters.all('resource'), requestable.resources)
  return {
    code_challenge,
    scope: chooseScope(parameters.get('scope'), resource, requestable),
    resource: resource.resource,
    prompt: checkPrompt(parameters),
    login_hint: shortLoginHint(parameters),
  }
}

function checkForm(parameters: Parameters): void {
  if ((parameters.get('state')?.length ?? 0) > MAX_STATE) {
    throw new OAuthError('invalid_request', 'state is longer than 4096 characters')
  }
  // OpenID Connect Core §6: no request objects, so that no parameter has a second source.
  if (parameters.get('request') !== undefined) {
    throw new OAuthError('request_not_supported', 'request objects are not supported')
  }
  if (parameters.get('request_uri') !== undefined) {
    throw new OAuthError('request_uri_not_supported', 'request_uri is not supported')
  }
  const response_type = parameters.get('response_type')
  if (response_type === undefined) {
    throw new OAuthError('invalid_request', 'response_type is missing; it must be code')
  }
  // OAuth 2.1 §10.1: no implicit grant, and so nothing but `code`.
  if (response_type !== 'code') {
    throw new OAuthError('unsupported_response_type', 'response_type must be code')
  }
  // OAuth 2.0 Multiple Response Types §2.1: `query` is the default of `code`, and the only one here.
  const response_mode = parameters.get('response_mode')
  if (response_mode !== undefined && response_mode !== 'query') {
    throw new OAuthError('invalid_request', 'response_mode must be query')
  }
}

function checkResource(
  asked: readonly string[],
  resources: readonly RequestableResource[],
): RequestableResource {
  const named = matchResource(
    asked,
    resources.map(({ resource }) => resource),
  )
  // Clients from before RFC 8707 name none. Where there is one resource they can only mean that.
  const meant = resources.filter(({ resource }) => named === undefined || resource === named)
  const [only] = meant
  if (only !== undefined && meant.length === 1) return only
  throw new OAuthError('invalid_target', 'resource is missing; this server protects several')
}

function chooseScope(
  text: string | undefined,
  { scopes }: RequestableResource,
  { defaultScope, clientScope }: Requestable,
): readonly string[] {
  const allowed = clientScope === undefined ? scopes : trimScope(scopes, clientScope)
  const asked = parseScope(text) ?? []
  // RFC 6749 §3.3: the scope MAY be ignored in part. Clients ask for every scope they ever read of, and
  // one that asks for nothing known is served as one that asks for nothing.
  const known = trimScope(asked, allowed)
  const chosen = known.length > 0 ? known : trimScope(defaultScope, allowed)
  return asked.includes(OFFLINE_ACCESS) ? [...chosen, OFFLINE_ACCESS] : chosen
}

function checkPrompt(parameters: Parameters): readonly string[] {
  const values = [...new Set((parameters.get('prompt') ?? '').split(' ').filter(Boolean))]
  // OpenID Connect Core §3.1.2.1: `none` with any other value is an error.
  if (values.includes('none') && values.length > 1) {
    throw new OAuthError('invalid_request', 'prompt has none and something else')
  }
  const known = values.filter((value) => PROMPTS.includes(value))
  // §3.1.2.1: max_age asks for a fresh sign-in past some age; here it always gets one, which is within it.
  const fresh = /^\d{1,9}$/.test(parameters.get('max_age') ?? '')
  if (!fresh || known.includes('none') || known.includes('login')) return known
  return [...known, 'login']
}

const PROMPTS = ['none', 'login', 'consent', 'select_account']

function shortLoginHint(parameters: Parameters): string | undefined {
  const hint = parameters.get('login_hint')
  return hint !== undefined && hint.length <= MAX_LOGIN_HINT ? hint : undefined
}

/**
 * Any OAuth 2.0 provider, told by its endpoints and by where in its answers the user is.
 */
import { originsOf } from './endpoint.ts'
import type { IdentityMapping } from './identity.ts'
import {
  type ClientOptions,
  judgeClient,
  judgeEndpoints,
  judgeId,
  refuseFaults,
  TIMEOUT,
} from './judge.ts'
import { createProviderUpstream } from './provider.ts'
import type { RedirectUpstream } from './upstream.ts'

/** The options of `oauth2`. */
export interface OAuth2Options extends ClientOptions {
  /** Stable and short: part of stored records. */
  readonly id: string
  /** For pages; the id by default. */
  readonly name?: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  /** RFC 7009. Without it nothing is revoked upstream. */
  readonly revocation_endpoint?: string
  /** Answers JSON about the bearer; without it `identify` reads the token answer. */
  readonly userinfo_endpoint?: string
  /** Where the user is in that JSON. */
  readonly identify: IdentityMapping
  /**
   * Whose users these are; the authorization endpoint's origin by default. When it is set, a callback
   * that names another issuer is refused (RFC 9207).
   */
  readonly issuer?: string
  /** The parameter that carries the scopes; `scope` by default. */
  readonly scopeParameter?: string
  /** Between two scopes; a blank by default. */
  readonly scopeSeparator?: string
}

/** An upstream from endpoints. PKCE is always sent. @throws RangeError that names every fault. */
export function oauth2(options: OAuth2Options): RedirectUpstream {
  refuseFaults('upstream', judgeOAuth2(options))
  const { authorization_endpoint, token_endpoint, client_secret, scope = [] } = options
  const { revocation_endpoint, userinfo_endpoint } = options
  const endpoints = {
    authorization_endpoint,
    token_endpoint,
    ...(revocation_endpoint === undefined ? {} : { revocation_endpoint }),
    ...(userinfo_endpoint === undefined ? {} : { userinfo_endpoint }),
  }
  const fallback = client_secret === undefined ? 'none' : 'client_secret_basic'
  return createProviderUpstream({
    ...endpoints,
    id: options.id,
    name: options.name ?? options.id,
    issuer: options.issuer ?? new URL(authorization_endpoint).origin,
    sendsIss: options.issuer !== undefined,
    identify: options.identify,
    identifyFrom: userinfo_endpoint === undefined ? 'token' : 'userinfo',
    userinfoRequest: {},
    scope,
    scopeParameter: options.scopeParameter ?? 'scope',
    scopeSeparator: options.scopeSeparator ?? ' ',
    authorizationParameters: options.authorizationParameters ?? {},
    tokenParameters: options.tokenParameters ?? {},
    authMethod: options.token_endpoint_auth_method ?? fallback,
    revocation: 'rfc7009',
    dialect: {},
    client_id: options.client_id,
    client_secret,
    trustedOrigins: [...originsOf(Object.values(endpoints)), ...(options.trustedOrigins ?? [])],
    timeout: options.timeout ?? TIMEOUT,
  })
}

function judgeOAuth2(options: OAuth2Options): readonly string[] {
  const { authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint } = options
  const required = { authorization_endpoint, token_endpoint }
  const missing = Object.entries(required).filter(([, text]) => text === undefined)
  const { sub } = options.identify ?? {}
  return [
    ...judgeId(options.id),
    ...missing.map(([name]) => `${name} is missing`),
    ...judgeEndpoints({ ...required, revocation_endpoint, userinfo_endpoint }),
    ...judgeClient(options),
    ...(sub === undefined || sub.length === 0 ? ['identify.sub must name the stable id'] : []),
  ]
}

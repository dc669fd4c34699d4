/**
 * An OAuth 2.0 provider described as data, and the upstream that such a description makes.
 *
 * Everything by which one provider differs from another is in the description, so that a new preset is
 * a new row and no new code.
 */
import type { User } from '../stores/records.ts'
import { createSafeFetch } from '../http/safe_fetch.ts'
import { authorizationUrl } from './authorization_url.ts'
import { systemClock } from './clock.ts'
import { originsOf } from './endpoint.ts'
import { type IdentityMapping, readIdentity } from './identity.ts'
import {
  type ClientAuthMethod,
  createKeyCache,
  type Dialect,
  type Party,
  readCallback,
  redeemCode,
  refreshTokens,
} from './oauth2.ts'
import { revokeAt, type Revocation } from './revocation.ts'
import { createSend, type JsonObject, type Send } from './send.ts'
import { type RedirectUpstream, UpstreamError, type UpstreamFailure } from './upstream.ts'
import { readVerifiedEmail } from './verified_email.ts'

/** Where a provider's endpoints are. Each can be set for a preset, too: an own instance, or a test. */
export interface Endpoints {
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly revocation_endpoint?: string
  /** Tells who the bearer of an access token is. */
  readonly userinfo_endpoint?: string
  /** Lists the bearer's addresses, as GitHub does apart from userinfo. */
  readonly emails_endpoint?: string
}

export interface Provider extends Endpoints {
  readonly id: string
  readonly name: string
  /** Whose users these are: with `sub` what identifies them. */
  readonly issuer: string
  /** Whether the provider names itself to the callback by `issuer` (RFC 9207), so that another name is refused. */
  readonly sendsIss: boolean
  readonly identify: IdentityMapping
  /** Where `identify` reads: a question to userinfo_endpoint, or the token answer itself. */
  readonly identifyFrom: 'userinfo' | 'token'
  readonly userinfoRequest: {
    readonly method?: 'GET' | 'POST'
    readonly headers?: Readonly<{ [name: string]: string }>
    readonly body?: string
  }
  readonly scope: readonly string[]
  readonly scopeParameter: string
  readonly scopeSeparator: string
  readonly authorizationParameters: Readonly<{ [name: string]: string }>
  readonly tokenParameters: Readonly<{ [name: string]: string }>
  readonly authMethod: ClientAuthMethod
  readonly revocation: Revocation
  readonly dialect: Dialect
  readonly client_id: string
  readonly client_secret: string | undefined
  /** Origins that the operator has named; they may be private. */
  readonly trustedOrigins: readonly string[]
  readonly timeout: number
}

/** The upstream of a description that has been judged. */
export function createProviderUpstream(provider: Provider): RedirectUpstream {
  const { id, name, trustedOrigins, timeout } = provider
  const safeFetch = createSafeFetch({ trustedOrigins, dangerouslyAllowPrivateAddresses: false })
  const send = createSend({ who: id, safeFetch, timeout, clock: systemClock })
  const party = createParty(provider, send)
  return {
    type: 'redirect',
    id,
    name,
    async authorizationUrl(signIn) {
      return authorizationUrl(party, signIn, {
        ...provider.authorizationParameters,
        ...(provider.scope.length === 0
          ? {}
          : { [provider.scopeParameter]: provider.scope.join(provider.scopeSeparator) }),
      })
    },
    async exchange(query, signIn) {
      const callback = readCallback(party, withoutIss(query, provider.sendsIss), signIn.state)
      const { tokens, json } = await redeemCode(party, callback, signIn, undefined)
      const user = await identify(provider, send, tokens.access_token, json)
      return { tokens, user }
    },
    ...(provider.identifyFrom === 'userinfo' && {
      identify: (access_token: string) => identify(provider, send, access_token, {}, 'permanent'),
    }),
    async refresh(refresh_token, token_endpoint = provider.token_endpoint) {
      checkPinned(id, token_endpoint, originsOf([provider.token_endpoint]))
      return refreshTokens({ ...party, server: { ...party.server, token_endpoint } }, refresh_token)
    },
    revoke: (tokens) => revokeAt(provider.revocation, party, tokens),
  }
}

/**
 * A refresh token goes where it went first, and only while that is an origin of this upstream: neither
 * a record that was tampered with nor a changed configuration sends it elsewhere.
 * @throws UpstreamError `transient`, as a slip in the configuration must not sign out everybody.
 */
export function checkPinned(who: string, token_endpoint: string, origins: readonly string[]): void {
  const [origin] = originsOf([token_endpoint])
  if (origin !== undefined && origins.includes(origin)) return
  throw new UpstreamError('transient', `${who}: the credential is for another token endpoint`)
}

function createParty(provider: Provider, send: Send): Party {
  const { id, issuer, authorization_endpoint, token_endpoint, revocation_endpoint } = provider
  return {
    who: id,
    server: {
      issuer,
      authorization_endpoint,
      token_endpoint,
      ...(revocation_endpoint === undefined ? {} : { revocation_endpoint }),
    },
    client_id: provider.client_id,
    client_secret: provider.client_secret,
    authMethod: provider.authMethod,
    tokenParameters: provider.tokenParameters,
    dialect: provider.dialect,
    send,
    keys: createKeyCache(id, send),
  }
}

/** RFC 9207 §2.4 compares iss with the issuer that is known; where none is, there is nothing to compare. */
function withoutIss(query: string, sendsIss: boolean): string {
  if (sendsIss) return query
  const parameters = new URLSearchParams(query)
  parameters.delete('iss')
  return parameters.toString()
}

async function identify(
  provider: Provider,
  send: Send,
  access_token: string,
  answer: JsonObject,
  refused: UpstreamFailure = 'transient',
): Promise<User> {
  const json =
    provider.identifyFrom === 'token' ? answer : await askWho(provider, send, access_token, refused)
  const user = readIdentity(json, provider.identify, provider.issuer)
  if (user === undefined) {
    throw new UpstreamError('transient', `${provider.id}: the answer has no stable id of the user`)
  }
  if (provider.emails_endpoint === undefined) return user
  const email = await readVerifiedEmail(send, provider.emails_endpoint, access_token)
  return email === undefined ? user : { ...user, email, email_verified: true }
}

/** RFC 6750 §3.1: 401 is about the token. A new one that is refused is the upstream's trouble; an old one is over. */
async function askWho(
  provider: Provider,
  send: Send,
  access_token: string,
  refused: UpstreamFailure,
): Promise<JsonObject> {
  const { userinfo_endpoint = '', userinfoRequest } = provider
  const { status, json } = await send(userinfo_endpoint, {
    ...userinfoRequest,
    headers: { ...userinfoRequest.headers, authorization: `Bearer ${access_token}` },
  })
  if (status === 200 && json !== undefined && json['ok'] !== false) return json
  throw new UpstreamError(
    status === 401 ? refused : 'transient',
    `${provider.id}: userinfo answers ${status} and no user`,
  )
}

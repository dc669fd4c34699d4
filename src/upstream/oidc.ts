/**
 * Any OpenID provider, told by its issuer: endpoints from discovery, the user from the id_token.
 */
import { createSafeFetch } from '../http/safe_fetch.ts'
import { authorizationUrl } from './authorization_url.ts'
import { systemClock } from './clock.ts'
import { createDiscovery, type ProviderMetadata } from './discovery.ts'
import { originsOf } from './endpoint.ts'
import { readIdentity } from './identity.ts'
import {
  type ClientOptions,
  judgeClient,
  judgeId,
  judgeIssuer,
  refuseFaults,
  TIMEOUT,
} from './judge.ts'
import {
  type ClientAuthMethod,
  createKeyCache,
  type Party,
  readCallback,
  readUserinfo,
  redeemCode,
  refreshTokens,
} from './oauth2.ts'
import { checkPinned } from './provider.ts'
import { revokeAt } from './revocation.ts'
import { createSend, type JsonObject } from './send.ts'
import { fitsPattern, isTenantPattern, tenantIssuer } from './tenant.ts'
import { type RedirectUpstream, UpstreamError, type UpstreamSignIn } from './upstream.ts'
import type { User } from '../stores/records.ts'

/** The options of `oidc`. */
export interface OidcOptions extends ClientOptions {
  /** To the letter as the provider's metadata has it, a slash at its end included. */
  readonly issuer: string
  /** Stable and short: part of stored records. The issuer's host by default. */
  readonly id?: string
  /** For pages; the issuer's host by default. */
  readonly name?: string
  /** Whether to ask for `offline_access`; by default when the provider's metadata lists it. */
  readonly offlineAccess?: boolean
}

/** What a preset may know of an OpenID provider beyond its issuer. */
export interface OidcQuirks {
  /** The issuer in the document, where it is a pattern for many tenants. */
  readonly documentIssuer?: string
  /** The userinfo endpoint takes no access token that is for another API. */
  readonly noUserinfo?: boolean
  /** `offline_access` needs no `prompt=consent`, and that would ask for an administrator's consent. */
  readonly noConsentPrompt?: boolean
  /** The values of `prompt` that may be passed on from the MCP client. */
  readonly prompts?: readonly string[]
}

const IDENTITY = ['openid', 'profile', 'email']
const CLAIMS = { sub: 'sub', name: ['name', 'preferred_username'] }
const EMAIL = { sub: 'sub', email: 'email', email_verified: 'email_verified' }

/** An upstream from an issuer. @throws RangeError that names every fault. */
export function oidc(options: OidcOptions): RedirectUpstream {
  return createOidcUpstream(options, {})
}

/** @throws RangeError */
export function createOidcUpstream(options: OidcOptions, quirks: OidcQuirks): RedirectUpstream {
  refuseFaults('upstream', judgeOidc(options))
  const { issuer, id = hostOf(issuer), name = hostOf(issuer), timeout = TIMEOUT } = options
  const trustedOrigins = [...originsOf([issuer]), ...(options.trustedOrigins ?? [])]
  const safeFetch = createSafeFetch({ trustedOrigins, dangerouslyAllowPrivateAddresses: false })
  const send = createSend({ who: id, safeFetch, timeout, clock: systemClock })
  const documentIssuer = quirks.documentIssuer ?? issuer
  const discovery = { who: id, issuer, documentIssuer, trustedOrigins, send, clock: systemClock }
  const discover = createDiscovery(discovery)
  const keys = createKeyCache(id, send)

  async function meet(): Promise<Party & { readonly server: ProviderMetadata }> {
    const server = await discover()
    return {
      who: id,
      server,
      client_id: options.client_id,
      client_secret: options.client_secret,
      authMethod: options.token_endpoint_auth_method ?? chooseMethod(options.client_secret, server),
      tokenParameters: options.tokenParameters ?? {},
      dialect: {},
      send,
      keys,
      ...(isTenantPattern(documentIssuer)
        ? { issuerOf: (id_token: string) => tenantIssuer(documentIssuer, id_token) }
        : {}),
    }
  }

  return {
    type: 'redirect',
    id,
    name,
    async authorizationUrl(signIn, hints) {
      const party = await meet()
      const parameters = parametersOf(options, quirks, party.server, hints)
      return authorizationUrl(party, signIn, { ...parameters, nonce: signIn.nonce })
    },
    async exchange(query, signIn) {
      const party = await meet()
      const callback = readCallback(party, withTenantIss(party, query), signIn.state)
      return redeem(party, callback, signIn, quirks)
    },
    // With a pattern for many tenants, only an id_token tells which of them the user is of.
    ...(quirks.noUserinfo !== true &&
      !isTenantPattern(documentIssuer) && {
        identify: async (access_token: string) => identify(await meet(), access_token),
      }),
    async refresh(refresh_token, pinned) {
      const party = await meet()
      const token_endpoint = pinned ?? party.server.token_endpoint
      checkPinned(id, token_endpoint, originsOf([issuer, party.server.token_endpoint]))
      const server = { ...party.server, token_endpoint }
      return refreshTokens({ ...party, server }, refresh_token)
    },
    revoke: async (tokens) => revokeAt('rfc7009', await meet(), tokens),
  }
}

export function judgeOidc(options: OidcOptions): readonly string[] {
  const ids = options.id === undefined ? [] : judgeId(options.id)
  return [...judgeIssuer(options.issuer), ...ids, ...judgeClient(options)]
}

async function redeem(
  party: Party,
  callback: URLSearchParams,
  signIn: UpstreamSignIn,
  quirks: OidcQuirks,
) {
  const { tokens, claims } = await redeemCode(party, callback, signIn, signIn.nonce)
  if (claims === undefined) throw new UpstreamError('permanent', `${party.who}: no id_token`)
  const user = readUser(claims, String(claims['iss']))
  const complete = user?.name !== undefined && user.email !== undefined
  const unasked = party.server.userinfo_endpoint === undefined || quirks.noUserinfo === true
  if (user === undefined) throw new UpstreamError('permanent', `${party.who}: no sub`)
  if (complete || unasked) return { tokens, user }
  const userinfo = await readUserinfo(party, tokens.access_token, user.sub)
  const told = userinfo && readUser(userinfo, user.issuer)
  return { tokens, user: told === undefined ? user : merge(user, told) }
}

async function identify(party: Party, access_token: string): Promise<User> {
  const { server, who } = party
  const told =
    server.userinfo_endpoint === undefined ? undefined : await readUserinfo(party, access_token)
  const user = told && readUser(told, server.issuer)
  if (user === undefined) throw new UpstreamError('permanent', `${who}: userinfo tells of nobody`)
  return user
}

function readUser(claims: JsonObject, issuer: string): User | undefined {
  const user = readIdentity(claims, CLAIMS, issuer)
  const address = readIdentity(claims, EMAIL, issuer)
  return user && address && { ...address, name: user.name }
}

/** An address and its verification are of one source: what one says of its own must not vouch for the other. */
function merge(user: User, told: User): User {
  const { email, email_verified } = user.email === undefined ? told : user
  return { ...user, name: user.name ?? told.name, email, email_verified }
}

/** OpenID Connect Discovery §3: where nothing is said, `client_secret_basic`. */
function chooseMethod(
  client_secret: string | undefined,
  server: ProviderMetadata,
): ClientAuthMethod {
  if (client_secret === undefined) return 'none'
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return !methods.includes('client_secret_basic') && methods.includes('client_secret_post')
    ? 'client_secret_post'
    : 'client_secret_basic'
}

function parametersOf(
  { scope = [], offlineAccess, authorizationParameters = {} }: OidcOptions,
  { noConsentPrompt, prompts = ['login', 'select_account'] }: OidcQuirks,
  server: ProviderMetadata,
  hints: { readonly prompt: readonly string[]; readonly login_hint: string | undefined },
): { [name: string]: string } {
  const offline = offlineAccess ?? server.scopes_supported?.includes('offline_access') === true
  const scopes = new Set([...IDENTITY, ...scope, ...(offline ? ['offline_access'] : [])])
  const configured = authorizationParameters['prompt']?.split(' ') ?? []
  // OpenID Connect Core §11: with offline_access, prompt MUST contain consent, or nothing is granted.
  const consent = offline && noConsentPrompt !== true ? ['consent'] : []
  // The consent that an MCP client asks for is to itself, and was given on our own page.
  const passed = hints.prompt.filter((value) => prompts.includes(value))
  const prompt = [...new Set([...configured, ...consent, ...passed])].join(' ')
  return {
    ...(hints.login_hint === undefined ? {} : { login_hint: hints.login_hint }),
    ...authorizationParameters,
    ...(prompt === '' ? {} : { prompt }),
    scope: [...scopes].join(' '),
  }
}

/** Where the issuer is a pattern, an iss that fits it stands for it; the id_token then has the last word. */
function withTenantIss({ server }: Party, query: string): string {
  const parameters = new URLSearchParams(query)
  const [iss, ...more] = parameters.getAll('iss')
  if (!isTenantPattern(server.issuer) || iss === undefined || more.length > 0) return query
  if (fitsPattern(server.issuer, iss)) parameters.set('iss', server.issuer)
  return parameters.toString()
}

function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : 'upstream'
}

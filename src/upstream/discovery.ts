/**
 * The metadata of an OpenID provider: OpenID Connect Discovery §4.
 *
 * Fetched when it is first needed and again from time to time. Once known it stays in use while the
 * provider is down, and nothing is ever guessed in its place: a credential sent to a guessed URL is a
 * credential given away.
 */
import { isWorkers } from '../http/runtime.ts'
import { judgeEndpoint } from './endpoint.ts'
import type { ServerMetadata } from './oauth2.ts'
import type { JsonObject, Send } from './send.ts'
import { UpstreamError } from './upstream.ts'

export interface DiscoveryOptions {
  readonly who: string
  readonly issuer: string
  /** What the document calls its issuer, where that is no issuer but a pattern for many. */
  readonly documentIssuer: string
  readonly trustedOrigins: readonly string[]
  readonly send: Send
  readonly clock: () => number
}

/** What a provider says about itself, with each endpoint judged. */
export interface ProviderMetadata extends ServerMetadata {
  readonly jwks_uri: string
}

/** @throws UpstreamError `transient` while nothing is known. */
export type Discovery = () => Promise<ProviderMetadata>

const FRESH = 3600
const RETRY = 60
const REQUIRED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
const OPTIONAL = ['userinfo_endpoint', 'revocation_endpoint'] as const
// RFC 7518 §3.1 and RFC 8037 §3.1 without `none` and without HMAC, whose key every client would know.
const ASYMMETRIC = /^(RS|PS|ES)(256|384|512)$|^(EdDSA|Ed25519)$/

export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { clock } = options
  let known: { readonly metadata: ProviderMetadata; readonly until: number } | undefined
  let pending: Promise<ProviderMetadata> | undefined

  async function load(): Promise<ProviderMetadata> {
    try {
      known = { metadata: await discover(options), until: clock() + FRESH }
    } catch (error) {
      if (known === undefined) throw error
      known = { metadata: known.metadata, until: clock() + RETRY }
    }
    return known.metadata
  }

  return () => {
    if (known !== undefined && clock() < known.until) return Promise.resolve(known.metadata)
    if (isWorkers) return load()
    pending ??= load().finally(() => (pending = undefined))
    return pending
  }
}

async function discover(options: DiscoveryOptions): Promise<ProviderMetadata> {
  const { who, issuer, send } = options
  // OpenID Connect Discovery §4: appended to the path, without the slash that the issuer may end with.
  const { status, json } = await send(
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
  )
  if (status !== 200 || json === undefined) {
    throw new UpstreamError('transient', `${who}: discovery answers ${status} without metadata`)
  }
  const fault = judgeMetadata(json, options)
  if (fault !== undefined) throw new UpstreamError('transient', `${who}: metadata: ${fault}`)
  return pick(json)
}

function judgeMetadata(
  json: JsonObject,
  { documentIssuer, trustedOrigins }: DiscoveryOptions,
): string | undefined {
  // OpenID Connect Discovery §4.3: MUST be identical. A slash more or less makes another issuer.
  if (json['issuer'] !== documentIssuer) {
    return `issuer is not ${documentIssuer} to the letter, as the configuration has it`
  }
  const endpoints = [...REQUIRED, ...OPTIONAL.filter((name) => json[name] !== undefined)]
  for (const name of endpoints) {
    const fault = judgeEndpoint(json[name], trustedOrigins)
    if (fault !== undefined) return `${name} ${fault}`
  }
  return undefined
}

function pick(json: JsonObject): ProviderMetadata {
  const algorithms = readList(json['id_token_signing_alg_values_supported'])
  const methods = readList(json['token_endpoint_auth_methods_supported'])
  const scopes = readList(json['scopes_supported'])
  return {
    issuer: String(json['issuer']),
    authorization_endpoint: String(json['authorization_endpoint']),
    token_endpoint: String(json['token_endpoint']),
    jwks_uri: String(json['jwks_uri']),
    ...pickText(json, 'userinfo_endpoint'),
    ...pickText(json, 'revocation_endpoint'),
    ...(methods === undefined ? {} : { token_endpoint_auth_methods_supported: methods }),
    ...(scopes === undefined ? {} : { scopes_supported: scopes }),
    // OpenID Connect Core §3.1.3.7 rule 7: RS256 where nothing else is said.
    id_token_signing_alg_values_supported: (algorithms ?? ['RS256']).filter((alg) =>
      ASYMMETRIC.test(alg),
    ),
    authorization_response_iss_parameter_supported:
      json['authorization_response_iss_parameter_supported'] === true,
  }
}

function pickText<K extends string>(json: JsonObject, name: K): { [N in K]?: string } {
  const value = json[name]
  return typeof value === 'string' ? ({ [name]: value } as { [N in K]: string }) : {}
}

function readList(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : undefined
}

/**
 * The faults of what an operator writes about an upstream, each as a sentence that names the option.
 */
import { isScopeToken } from '../protocol/scope.ts'
import { OUR_PARAMETERS } from './authorization_url.ts'
import { judgeEndpoint, originsOf } from './endpoint.ts'
import type { ClientAuthMethod } from './oauth2.ts'

/** What every upstream with a client of its own is told. */
export interface ClientOptions {
  readonly client_id: string
  /** Left out for a public client, which PKCE alone protects. */
  readonly client_secret?: string
  /** What the tools need. What it takes to know who signed in is added. */
  readonly scope?: readonly string[]
  /** Further parameters of the authorization URL. */
  readonly authorizationParameters?: Readonly<{ [name: string]: string }>
  /** Further parameters of each token request. */
  readonly tokenParameters?: Readonly<{ [name: string]: string }>
  readonly token_endpoint_auth_method?: ClientAuthMethod
  /** Origins beside the configured ones that may be private, or http on loopback. */
  readonly trustedOrigins?: readonly string[]
  /** Seconds for each request; 8 by default. */
  readonly timeout?: number
}

/** Claude and others give a token request 10 seconds, and each of ours ends before. */
export const TIMEOUT = 8

const AUTH_METHODS: readonly unknown[] = ['client_secret_basic', 'client_secret_post', 'none']
const ID = /^[a-z0-9][a-z0-9._:-]{0,99}$/

/** @throws RangeError that names every fault. */
export function refuseFaults(what: string, faults: readonly string[]): void {
  if (faults.length > 0) throw new RangeError(`${what}: ${faults.join('; ')}`)
}

export function judgeId(id: string): readonly string[] {
  return ID.test(id) ? [] : ['id must be up to 100 of a-z, 0-9 and . _ : -']
}

export function judgeClient(options: ClientOptions): readonly string[] {
  const {
    client_id,
    client_secret,
    token_endpoint_auth_method: method,
    timeout = TIMEOUT,
  } = options
  const faults: string[] = []
  if (typeof client_id !== 'string' || client_id === '') faults.push('client_id is missing')
  else if (!isVisible(client_id)) faults.push('client_id has a character that cannot be sent')
  if (client_secret !== undefined && !isVisible(client_secret)) {
    faults.push('client_secret is empty or has a character that cannot be sent')
  }
  if (method !== undefined && !AUTH_METHODS.includes(method)) {
    faults.push(
      'token_endpoint_auth_method must be client_secret_basic, client_secret_post or none',
    )
  }
  if (method !== undefined && method !== 'none' && client_secret === undefined) {
    faults.push(`client_secret is missing, and ${method} needs it`)
  }
  if (!(timeout > 0 && timeout <= 60)) faults.push('timeout must be up to 60 seconds')
  return [
    ...faults,
    ...judgeScope(options.scope ?? []),
    ...judgeParameters('authorizationParameters', options.authorizationParameters),
    ...judgeParameters('tokenParameters', options.tokenParameters),
    ...(options.trustedOrigins ?? []).flatMap(judgeOrigin),
  ]
}

/** Each of `endpoints` that is there, under its name. Their own origins are the operator's word. */
export function judgeEndpoints(endpoints: object): readonly string[] {
  return Object.entries(endpoints).flatMap(([name, text]: [string, unknown]) => {
    const origins = typeof text === 'string' ? originsOf([text]) : []
    const fault = text === undefined ? undefined : judgeEndpoint(text, origins)
    return fault === undefined ? [] : [`${name} ${fault}`]
  })
}

/** An issuer identifier: OpenID Connect Discovery §3, http on loopback aside. */
export function judgeIssuer(issuer: unknown): readonly string[] {
  const faults = judgeEndpoints({ issuer })
  if (faults.length > 0 || typeof issuer !== 'string') return faults
  return issuer.includes('?') ? ['issuer has a query'] : []
}

function judgeScope(scope: readonly string[]): readonly string[] {
  const bad = scope.filter((token) => typeof token !== 'string' || !isScopeToken(token))
  return bad.length === 0 ? [] : ['scope must be a list with one scope in each entry']
}

function judgeParameters(
  option: string,
  parameters: Readonly<{ [name: string]: string }> = {},
): readonly string[] {
  return Object.keys(parameters)
    .filter((name) => OUR_PARAMETERS.includes(name))
    .map((name) => `${option} may not set ${name}`)
}

function judgeOrigin(origin: string): readonly string[] {
  return URL.canParse(origin) && new URL(origin).origin === origin
    ? []
    : [`trustedOrigins must hold origins such as https://sso.example.com`]
}

function isVisible(text: unknown): boolean {
  return typeof text === 'string' && /^[\x20-\x7E]+$/.test(text) && text.trim() === text
}

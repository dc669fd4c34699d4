/**
 * What `createMcpOAuth` takes. `judge.ts` judges it once, `defaults.ts` holds what is left unsaid.
 */
import type { ClientMetadata, TokenEndpointAuthMethod, User } from '../../stores/records.ts'
import type { Store } from '../../stores/store.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { EmittedEvent } from './events.ts'

/** The options of `createMcpOAuth`. All lifetimes in seconds. */
export interface Options {
  /** The issuer identifier: https (http on loopback), no query, no fragment, no slash at the end. RFC 8414 §2. */
  readonly issuer: string
  /** The protected MCP endpoint, as users type it into their client. */
  readonly resource?: string | ResourceOptions
  /** Several of them, each with metadata and audience of its own. */
  readonly resources?: readonly (string | ResourceOptions)[]
  /** Keys from `mcp-oauth keys generate`, newest first, as a list or parted by commas. */
  readonly keys: string | readonly string[]
  readonly store: Store
  readonly upstream: Upstream
  /** What this server is called on its pages; the resource's host by default. */
  readonly name?: string
  /** Each scope with the sentence that the consent page shows for it. */
  readonly scopes?: Readonly<{ [scope: string]: string | ScopeOptions }>
  /** The scopes of a client that asks for none, and of the first challenge; every scope by default. */
  readonly defaultScope?: readonly string[]
  /** Tools that need scopes of their own, for every resource. */
  readonly tools?: Readonly<{ [tool: string]: readonly string[] }>
  /** Pre-registered clients. */
  readonly clients?: readonly StaticClientOptions[]
  /** Who may introspect, and for which resource: RFC 7662 §4. */
  readonly resourceServers?: readonly ResourceServerOptions[]
  /** Who may enter; everybody whom the upstream lets in by default. */
  readonly allow?: AllowOptions | ((user: User) => boolean | Promise<boolean>)
  readonly lifetimes?: Partial<Lifetimes>
  readonly registration?: Partial<RegistrationOptions>
  readonly clientIdMetadataDocuments?: Partial<MetadataDocumentOptions>
  /**
   * Addresses or CIDR ranges of reverse proxies whose `X-Forwarded-For` is believed. Behind a proxy that
   * is not named here all callers share one address, and its rate limits.
   */
  readonly trustedProxies?: readonly string[]
  readonly rateLimits?: Partial<RateLimits>
  /** Browser origins that may call the MCP endpoint beside its own; `*` for any. */
  readonly allowedOrigins?: readonly string[]
  /** How many live sign-ins one user may have at one client; the oldest ends first. */
  readonly maxGrantsPerClient?: number
  /**
   * Gets every event. May be given several times through an array. Without it the console is told of
   * `internal_error`, `store_failed`, `keys_refused` and `danger`.
   */
  readonly onEvent?: ((event: EmittedEvent) => void) | readonly ((event: EmittedEvent) => void)[]
  /** Lets an issuer that is not loopback be plain http. Tokens then cross the network readable. */
  readonly dangerouslyAllowHttp?: boolean
  /** Seconds since the epoch; the system's clock by default. For tests. */
  readonly clock?: () => number
}

export interface ResourceOptions {
  readonly resource: string
  /** For pages and RFC 9728 `resource_name`. */
  readonly name?: string
  /** Scopes this resource knows, out of `scopes`; all by default. */
  readonly scopes?: readonly string[]
  readonly tools?: Readonly<{ [tool: string]: readonly string[] }>
}

export interface ScopeOptions {
  readonly description: string
  /** Narrower scopes that this one implies. */
  readonly implies?: readonly string[]
}

export interface StaticClientOptions {
  readonly client_id: string
  readonly client_name?: string
  readonly client_secret?: string
  readonly redirect_uris: readonly string[]
  readonly token_endpoint_auth_method?: TokenEndpointAuthMethod
  readonly jwks?: ClientMetadata['jwks']
  readonly jwks_uri?: string
  readonly scope?: string
}

export interface ResourceServerOptions {
  readonly client_id: string
  readonly client_secret: string
  /** Whose tokens it may see. */
  readonly resource: string
}

/** Somebody enters when one of the lists names them. E-mail addresses count only when the upstream verified them. */
export interface AllowOptions {
  readonly emails?: readonly string[]
  /** The part behind the `@`, exactly: `corp.com` does not admit `sub.corp.com`. */
  readonly domains?: readonly string[]
  /** Upstream `sub` values. */
  readonly subjects?: readonly string[]
}

export interface Lifetimes {
  readonly accessToken: number
  readonly refreshTokenIdle: number
  readonly refreshTokenAbsolute: number
  readonly code: number
  /** From the authorization request to the callback. */
  readonly signIn: number
  /** How long a client whose refresh answer was lost gets the same answer again; 0 switches it off. */
  readonly replayWindow: number
}

export interface RegistrationOptions {
  /** Whether RFC 7591 registration is open. */
  readonly dynamic: boolean
  /** Seconds after which a registered client that nobody signed in with is forgotten. */
  readonly unusedLifetime: number
  /**
   * New registrations in one hour, on all instances together; 0 switches the limit off. Whoever
   * registers what is registered already is answered all the same.
   */
  readonly maxPerHour: number
  /** Whether redirects to private-use schemes (`cursor://…`) may be registered. */
  readonly privateUseSchemes: boolean
  /** Hosts that https redirects may go to; any by default. `WELL_KNOWN_REDIRECT_HOSTS` is a preset. */
  readonly redirectHosts: readonly string[] | undefined
}

export interface MetadataDocumentOptions {
  readonly enabled: boolean
  /** Seconds: bounds around what the document's HTTP headers say. */
  readonly minFresh: number
  readonly maxFresh: number
  /** Seconds for which a kept copy still serves existing grants when its host is down. */
  readonly maxStale: number
  /** Fetches in one minute: from one host, and altogether. */
  readonly fetchesPerHost: number
  readonly fetchesTotal: number
  /** Lets documents be fetched from private addresses. Whoever may name a client may then probe this network. */
  readonly dangerouslyAllowPrivateAddresses: boolean
}

/** Requests in one minute from one client address (an IPv6 /64 is one); bursts of as many. 0 switches off. */
export interface RateLimits {
  readonly authorize: number
  readonly token: number
  readonly register: number
  readonly introspect: number
}
